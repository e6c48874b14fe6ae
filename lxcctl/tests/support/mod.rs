//! A daemon that says what it was told to, on a temporary socket, and the real binary run against it.
//! Owns the scripting and the terminals; must not know what is right (the tests do).

#![expect(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod build;
pub(crate) mod fake;
pub(crate) mod guide;
pub(crate) mod pty;
mod services;

use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) use fake::{Fake, Script, Step};

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

/// The binary with a clean environment: UTF-8, UTC, no colours, no remote.
pub(crate) fn command(socket: &Path, line: &str) -> Command {
    let mut words = split(line).into_iter();
    assert_eq!(words.next().as_deref(), Some("lxcctl"), "{line}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lxcctl"));
    command.args(words).env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("TERM", "xterm");
    command.env("LXCCTL_SOCKET", socket);
    command
}

/// Runs it as cron does: no terminal anywhere.
pub(crate) fn run(socket: &Path, line: &str) -> Run {
    finish(command(socket, line).stdin(Stdio::null()))
}

/// Runs a prepared command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap_or(-1) }
}

/// Words the way a shell reads them, as far as the guide uses that: blanks and single quotes.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

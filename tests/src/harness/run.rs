//! Running `lxcctl` as cron does, and looking at what came of it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;
use serde_json::Value;

use super::binary::program;
use super::wait::until;

/// `lxcctl` with a clean environment: UTF-8, UTC, no colours, one socket.
#[derive(Debug, Clone)]
pub struct Cli {
    program: PathBuf,
    socket: PathBuf,
    wrapper: Vec<OsString>,
    environment: Vec<(String, OsString)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    /// What was typed.
    pub line: String,
    /// stdout.
    pub out: String,
    /// stderr.
    pub err: String,
    /// The exit code; 128 + n for signal n.
    pub code: i32,
}

impl Cli {
    /// One that talks to the lxcd on `socket`.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self {
            program: program("lxcctl"),
            socket: socket.to_owned(),
            wrapper: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// The same with a variable set.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The same program from another place.
    #[must_use]
    pub fn program(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.program);
        self
    }

    /// The same, run by another program: `setpriv --reuid 65534 …`.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(OsString::from).collect();
        self
    }

    /// The command for a line such as `ls -l 'tag=web'`.
    #[must_use]
    pub fn command(&self, line: &str) -> Command {
        let mut words: Vec<OsString> = self.wrapper.clone();
        words.push(self.program.clone().into());
        words.extend(split(line).into_iter().map(OsString::from));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("TERM", "xterm");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LXCCTL_SOCKET", &self.socket);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line to its end.
    pub fn run(&self, line: &str) -> Run {
        self.spawn(line).end()
    }

    /// Runs a line with something on stdin.
    pub fn run_with(&self, line: &str, stdin: &str) -> Run {
        let mut command = self.command(line);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("lxcctl starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(stdin.as_bytes()).expect("written");
        drop(pipe);
        Running::new(line, child).end()
    }

    /// Begins a line and leaves it running.
    pub fn spawn(&self, line: &str) -> Running {
        Running::new(line, self.command(line).spawn().expect("lxcctl starts"))
    }
}

/// A run that has not ended yet.
#[derive(Debug)]
pub struct Running {
    line: String,
    child: Child,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Running {
    fn new(line: &str, mut child: Child) -> Self {
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().expect("a pipe"), &out),
            collect(child.stderr.take().expect("a pipe"), &err),
        ];
        Self { line: line.to_owned(), child, out, err, readers }
    }

    /// What it has said on stdout so far.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out.lock()).into_owned()
    }

    /// What it has said on stderr so far.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err.lock()).into_owned()
    }

    /// Waits until it has said that, on stdout or stderr.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        until(&format!("{text:?} from lxcctl {}", self.line), || {
            let (out, err) = (self.out(), self.err());
            let said = format!("{out}{err}");
            if said.contains(text) {
                return Ok(());
            }
            let ended = self.child.try_wait().ok().flatten();
            Err(format!("{said}{}", ended.map_or_else(String::new, |status| format!("\n(ended: {status})"))))
        });
        self
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("signalled");
    }

    /// Waits for its end.
    pub fn end(mut self) -> Run {
        use std::os::unix::process::ExitStatusExt;
        let status = until(&format!("the end of lxcctl {}", self.line), || {
            let ended = self.child.try_wait().expect("a child of ours");
            ended.ok_or_else(|| format!("running; it said {}{}", self.out(), self.err()))
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("read to the end");
        }
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        let run = Run { line: self.line.clone(), out: self.out(), err: self.err(), code };
        run.speaks_well();
        run
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static, to: &Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    let to = to.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            to.lock().extend_from_slice(&buffer[..count]);
        }
    })
}

impl Run {
    /// Every error has its three lines, and what it suggests works as it stands.
    fn speaks_well(&self) {
        let mut rest = self.err.as_str();
        while let Some(at) = rest.find("error[LXC") {
            let error = &rest[at..];
            let end = error
                .match_indices('\n')
                .map(|(end, _)| end + 1)
                .find(|&end| !error[end..].starts_with("  "));
            let error = &error[..end.unwrap_or(error.len())];
            let advice = error.split_once("\n  try:  ").map_or("", |(_, advice)| advice);
            assert!(error.contains("\n  why:  ") && !advice.is_empty(), "it lacks a line: {self}");
            let holes = ["…", "{", "USER@REALM", "TARGET"];
            assert!(!holes.iter().any(|hole| advice.contains(hole)), "nobody can type that: {self}");
            rest = &rest[at + error.len()..];
        }
    }

    /// It ended like this.
    ///
    /// # Panics
    /// If not, with everything it said.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// It ended with that error code, which also tells the exit code.
    ///
    /// # Panics
    /// If not, with everything it said.
    #[track_caller]
    pub fn fails(&self, code: &str) -> &Self {
        assert!(self.err.contains(&format!("error[{code}]")), "no {code}: {self}");
        let exit: i32 = code[3..5].parse().expect("LXCEEnn");
        self.exits(exit)
    }

    /// stderr has these words.
    ///
    /// # Panics
    /// If not, with everything it said.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.err.contains(words), "{words:?} is not on stderr: {self}");
        self
    }

    /// stdout has these words.
    ///
    /// # Panics
    /// If not, with everything it said.
    #[track_caller]
    pub fn prints(&self, words: &str) -> &Self {
        assert!(self.out.contains(words), "{words:?} is not on stdout: {self}");
        self
    }

    /// stdout as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The operation's short id in what was said: the word behind `op`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn operation(&self) -> String {
        let said = format!("{}{}", self.err, self.out);
        let mut words =
            said.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_ascii_hexdigit()));
        let id = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
        words.find(id).unwrap_or_else(|| panic!("no operation in {self}")).to_owned()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "lxcctl {} => {}\n--- stdout\n{}--- stderr\n{}", self.line, self.code, self.out, self.err)
    }
}

/// Words as a shell reads them, as far as tests use that: blanks and single quotes.
#[must_use]
pub fn split(line: &str) -> Vec<String> {
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

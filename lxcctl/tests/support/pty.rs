//! The binary on a terminal: what it shows, what it asks, what Ctrl-C does.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PATIENCE: Duration = Duration::from_secs(20);

/// A run with stdin and stderr (and stdout) on a terminal of 100 columns.
pub(crate) struct Terminal {
    child: Child,
    master: File,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

#[derive(Default)]
struct Shown {
    text: Vec<u8>,
    ended: bool,
}

impl Terminal {
    pub(crate) fn run(socket: &Path, line: &str) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        let mut command = super::command(socket, line);
        command.env("NO_COLOR", "1");
        command.stdin(Stdio::from(pty.slave.try_clone().unwrap()));
        command.stdout(Stdio::from(pty.slave.try_clone().unwrap()));
        command.stderr(Stdio::from(pty.slave));
        let child = command.spawn().unwrap();
        drop(command);
        let master = File::from(pty.master);
        let shown = Arc::new((Mutex::new(Shown::default()), Condvar::new()));
        let (mut reader, writer) = (master.try_clone().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last user is gone reads as an error, not as an end.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                writer.0.lock().unwrap().text.extend_from_slice(&buffer[..count]);
                writer.1.notify_all();
            }
            writer.0.lock().unwrap().ended = true;
            writer.1.notify_all();
        });
        Self { child, master, shown }
    }

    /// Waits until that text was shown.
    pub(crate) fn wait_for(&self, text: &str) -> &Self {
        let until = Instant::now() + PATIENCE;
        let mut shown = self.shown.0.lock().unwrap();
        while !String::from_utf8_lossy(&shown.text).contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let so_far = String::from_utf8_lossy(&shown.text).into_owned();
            assert!(!left.is_zero() && !shown.ended, "{text:?} never came; there was {so_far:?}");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
        self
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Gives it another size, and tells it so.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.master, size).unwrap();
        // The kernel does so only for a controlling terminal.
        self.signal(Signal::SIGWINCH);
    }

    /// Waits until what stays on the screen is like that.
    pub(crate) fn wait_until(&self, what: &str, like: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let now = screen(&String::from_utf8_lossy(&shown.text).replace("\r\n", "\n"));
            if like(&now) {
                return now;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "{what} never came; the screen is\n{now}");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Everything that was shown, and the exit code.
    pub(crate) fn end(mut self) -> (String, i32) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let mut shown = self.shown.0.lock().unwrap();
        while !shown.ended {
            shown = self.shown.1.wait(shown).unwrap();
        }
        (String::from_utf8(shown.text.clone()).unwrap().replace("\r\n", "\n"), code)
    }
}

/// What stays on the screen: moving lines that were wiped are gone, and pictures stand on each other.
pub(crate) fn screen(shown: &str) -> String {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\x1b[") {
            // What is not written yet ends here.
            let Some(end) = after.find(|c: char| c.is_ascii_alphabetic()) else { break };
            let number: usize = after[..end].parse().unwrap_or(1);
            match &after[end..=end] {
                "A" => row -= number,
                "H" => (row, column) = (0, 0),
                "J" => {
                    lines.truncate(row + 1);
                    lines[row].truncate(column);
                }
                "K" => lines[row].truncate(column),
                other => panic!("unknown escape {other}"),
            }
            rest = &after[end + 1..];
            continue;
        }
        match c {
            '\n' => {
                (row, column) = (row + 1, 0);
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\r' => column = 0,
            c => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        rest = &rest[c.len_utf8()..];
    }
    lines.into_iter().map(String::from_iter).collect::<Vec<_>>().join("\n")
}

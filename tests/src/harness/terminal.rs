//! `lxcctl` on a terminal: what it asks, what is typed, what Ctrl-C does.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parking_lot::Mutex;

use super::run::{Cli, Run};
use super::wait::until;

/// A run with stdin, stdout and stderr on a terminal of 100 columns.
#[derive(Debug)]
pub struct Terminal {
    line: String,
    child: Child,
    master: File,
    shown: Arc<Mutex<Vec<u8>>>,
    closed: Arc<AtomicBool>,
}

impl Terminal {
    /// Begins a line.
    #[must_use]
    pub fn open(cli: &Cli, line: &str) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).expect("a terminal");
        let slave = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        let mut command = cli.command(line);
        command.env("NO_COLOR", "1").stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().expect("lxcctl starts");
        // Our own copies would keep the terminal open after its last user has gone.
        drop(command);
        drop(pty.slave);
        let master = File::from(pty.master);
        let (shown, closed) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicBool>::default());
        let mut reader = master.try_clone().expect("a descriptor");
        let (text, end) = (shown.clone(), closed.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last user has gone reads as an error, not as an end.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                text.lock().extend_from_slice(&buffer[..count]);
            }
            end.store(true, Ordering::Release);
        });
        Self { line: line.to_owned(), child, master, shown, closed }
    }

    /// What was shown so far.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock()).replace("\r\n", "\n")
    }

    /// Waits until that was shown.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        until(&format!("{text:?} from lxcctl {}", self.line), || {
            let shown = self.shown();
            if shown.contains(text) { Ok(()) } else { Err(shown) }
        });
        self
    }

    /// Types a line.
    pub fn answer(&mut self, text: &str) -> &mut Self {
        self.master.write_all(format!("{text}\n").as_bytes()).expect("typed");
        self
    }

    /// Presses keys, as the terminal sends them: `\r` is Enter, `\x1b[B` the arrow down, `\x03` Ctrl-C.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        self.master.write_all(keys.as_bytes()).expect("typed");
        self
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("signalled");
    }

    /// Waits for its end; everything that was shown is on stdout of the run.
    pub fn end(mut self) -> Run {
        let status = until(&format!("the end of lxcctl {}", self.line), || {
            let ended = self.child.try_wait().expect("a child of ours");
            ended.ok_or_else(|| format!("running; it showed {}", self.shown()))
        });
        until("the terminal to close", || match self.closed.load(Ordering::Acquire) {
            true => Ok(()),
            false => Err("open".to_owned()),
        });
        let shown = self.shown();
        Run { line: self.line.clone(), out: shown.clone(), err: shown, code: status.code().unwrap_or(-1) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Questions to a person at the terminal. Owns reading the answer; what is asked, and what an answer means, is the
//! caller's.

use std::io::{self, BufRead as _};

use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::Printer;
use crate::ui::keys::hidden_line;

impl Printer {
    /// Asks and reads one line; `None` at the end of the input.
    pub fn ask(&mut self, question: &str) -> Option<String> {
        self.wipe();
        self.flush();
        self.complain(question.as_bytes());
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        matches!(read, Ok(count) if count > 0).then(|| line.trim().to_owned())
    }

    /// The same where signals are caught already, so that Ctrl-C would end nothing: `None` too once `enough` is over.
    pub async fn ask_while<T>(&mut self, question: &str, enough: impl Future<Output = T>) -> Option<String> {
        self.wipe();
        self.flush();
        self.complain(question.as_bytes());
        let (tell, told) = tokio::sync::oneshot::channel();
        // Reading a terminal cannot be broken off; what still reads in the end goes with the process.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().lock().read_line(&mut line);
            let _ = tell.send(matches!(read, Ok(count) if count > 0).then(|| line.trim().to_owned()));
        });
        tokio::select! {
            _ = enough => {
                self.complain(b"\n");
                None
            }
            line = told => line.ok().flatten(),
        }
    }

    /// Asks and reads one line without showing it. The echo goes before the question comes: what is typed
    /// ahead must not be seen either. Ctrl-C is read as a key here, so that the terminal is itself again
    /// before it ends the program as it always does.
    ///
    /// # Errors
    /// When there is no terminal, or it cannot be switched.
    pub fn ask_hidden(&mut self, question: &str) -> io::Result<String> {
        let stdin = io::stdin();
        let shown = tcgetattr(&stdin)?;
        let mut hidden = shown.clone();
        hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        tcsetattr(&stdin, SetArg::TCSANOW, &hidden)?;
        self.wipe();
        self.flush();
        self.complain(question.as_bytes());
        let answer = hidden_line(stdin.lock());
        tcsetattr(&stdin, SetArg::TCSANOW, &shown)?;
        self.complain(b"\n");
        match answer {
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {
                raise(Signal::SIGINT)?;
                Err(fault)
            }
            other => other,
        }
    }
}

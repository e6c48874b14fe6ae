//! The one place where lxcctl writes. stdout is the answer, stderr everything about getting it. Owns
//! both streams, the moving lines on a terminal and in which clock instants inside messages are written;
//! must not decide what is said.

use std::io::{self, BufRead as _, IsTerminal as _, Write};

use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::keys::hidden_line;
use super::style::{Look, Tone, paint};
use super::time::fill;

/// From so many bytes on copying them into a buffer first is a waste.
const LARGE: usize = 1 << 16;

/// Both streams and what they can show.
pub struct Printer {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    buffer: Vec<u8>,
    /// What stdout can show.
    pub look: Look,
    /// What stderr can show.
    pub err_look: Look,
    /// Somebody can be asked: both stdin and stderr are terminals.
    pub can_ask: bool,
    /// Lines on stderr can move.
    pub can_move: bool,
    /// Who reads is a program: instants in messages are UTC.
    pub for_programs: bool,
    quiet: bool,
    moving: usize,
    closed: bool,
    fault: Option<io::Error>,
}

/// What was asked of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Also in a pipe.
    Always,
    /// Not at all.
    Never,
}

impl Printer {
    /// The real streams.
    #[must_use]
    pub fn new(colour: Colour, quiet: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let unicode = locale_is_utf8(|name| std::env::var(name).ok());
        let wants = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && set("NO_COLOR").is_none() && set("TERM").as_deref() != Some("dumb"),
        };
        let width = |terminal: bool, size: Option<terminal_size::Width>| {
            let asked = set("COLUMNS").and_then(|text| text.parse().ok());
            terminal.then(|| asked.or(size.map(|w| usize::from(w.0))).filter(|&w| w > 0).unwrap_or(80))
        };
        let (out_tty, err_tty) = (out.is_terminal(), err.is_terminal());
        let (out_size, err_size) =
            (terminal_size::terminal_size_of(&out), terminal_size::terminal_size_of(&err));
        Self {
            look: Look { width: width(out_tty, out_size.map(|s| s.0)), colour: wants(out_tty), unicode },
            err_look: Look { width: width(err_tty, err_size.map(|s| s.0)), colour: wants(err_tty), unicode },
            can_ask: io::stdin().is_terminal() && err_tty,
            can_move: err_tty && set("TERM").as_deref() != Some("dumb"),
            out: Box::new(out),
            err: Box::new(err),
            buffer: Vec::with_capacity(8 << 10),
            for_programs: false,
            quiet,
            moving: 0,
            closed: false,
            fault: None,
        }
    }

    /// Part of the answer, newline and all; kept back until there is enough of it or [`Self::flush`].
    pub fn answer(&mut self, text: &str) {
        if self.closed {
            return;
        }
        self.wipe();
        let text = fill(text, self.for_programs);
        if text.len() >= LARGE {
            self.flush();
            self.hand_out(text.as_bytes());
            return;
        }
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= LARGE {
            self.flush();
        }
    }

    /// One line of the answer.
    pub fn answer_line(&mut self, line: &str) {
        self.answer(line);
        self.answer("\n");
    }

    /// A hint, a warning, a summary: not with `-q`.
    pub fn say(&mut self, line: &str) {
        if !self.quiet {
            self.must_say(line);
        }
    }

    /// `warning: …`, unless `-q`.
    pub fn warn(&mut self, text: &str) {
        let head = paint("warning:", Tone::Yellow, self.err_look);
        self.say(&format!("{head} {text}"));
    }

    /// `hint: …`, unless `-q`.
    pub fn hint(&mut self, text: &str) {
        let head = paint("hint:", Tone::Cyan, self.err_look);
        self.say(&format!("{head} {text}"));
    }

    /// An error or a question: always.
    pub fn must_say(&mut self, line: &str) {
        self.wipe();
        self.flush();
        self.complain(format!("{}\n", fill(line, self.for_programs)).as_bytes());
    }

    /// Replaces the moving lines on the terminal.
    pub fn move_to(&mut self, lines: &[String]) {
        let mut frame = String::new();
        self.rewind(&mut frame);
        for line in lines {
            frame.push_str(line);
            frame.push_str("\x1b[K\n");
        }
        frame.push_str("\x1b[J");
        self.moving = lines.len();
        self.complain(frame.as_bytes());
    }

    /// Takes the moving lines away again.
    pub fn wipe(&mut self) {
        if self.moving > 0 {
            let mut frame = String::new();
            self.rewind(&mut frame);
            frame.push_str("\x1b[J");
            self.moving = 0;
            self.complain(frame.as_bytes());
        }
    }

    fn rewind(&self, frame: &mut String) {
        frame.push('\r');
        if self.moving > 0 {
            frame.push_str(&format!("\x1b[{}A", self.moving));
        }
    }

    /// Shows a new picture on a cleared terminal (`--watch`).
    pub fn picture(&mut self, text: &str) {
        self.answer("\x1b[H\x1b[2J");
        self.answer(text);
        self.flush();
    }

    /// Asks and reads one line; `None` at the end of the input.
    pub fn ask(&mut self, question: &str) -> Option<String> {
        self.wipe();
        self.flush();
        self.complain(question.as_bytes());
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        matches!(read, Ok(count) if count > 0).then(|| line.trim().to_owned())
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

    /// Writes what was kept back.
    pub fn flush(&mut self) {
        if !self.buffer.is_empty() && !self.closed {
            let buffer = std::mem::take(&mut self.buffer);
            self.hand_out(&buffer);
        }
    }

    fn hand_out(&mut self, bytes: &[u8]) {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        if let Err(fault) = written {
            // Nobody reads any more (`| head`): end quietly. Any other fault ends the answer too, and is said.
            self.closed = true;
            if fault.kind() != io::ErrorKind::BrokenPipe {
                self.fault.get_or_insert(fault);
            }
        }
    }

    /// True when nobody reads the answer any more; endless commands then end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Why the answer could not be written, but for nobody reading it.
    pub fn take_fault(&mut self) -> Option<io::Error> {
        self.fault.take()
    }

    /// True with `-q`.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn complain(&mut self, bytes: &[u8]) {
        // A closed stderr must not turn a success into a failure.
        let _ = self.err.write_all(bytes).and_then(|()| self.err.flush());
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.wipe();
        self.flush();
    }
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// LC_ALL, else LC_CTYPE, else LANG; none of them means the C locale.
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides_the_locale() {
        let with = |pairs: &'static [(&str, &str)]| {
            locale_is_utf8(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
        };
        assert!(with(&[("LANG", "de_DE.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!with(&[]));
    }
}

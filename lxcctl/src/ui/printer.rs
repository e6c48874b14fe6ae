//! The one place where lxcctl writes. stdout is the answer, stderr everything about getting it. Owns
//! both streams, the moving lines on a terminal and in which clock instants inside messages are written;
//! must not decide what is said.

mod ask;
mod form;

use std::io::{self, IsTerminal as _, Write};

pub use form::Unanswered;

use super::style::{Look, hint, warning};
use super::terminal::{locale_is_utf8, set, size};
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
    /// Columns and rows of the terminal that stdout is, if a picture can be drawn on it.
    pub screen: Option<(usize, usize)>,
    /// Somebody can be asked: both stdin and stderr are terminals.
    pub can_ask: bool,
    /// Lines on stderr can move.
    pub can_move: bool,
    /// Who reads is a program: instants in messages are UTC.
    pub for_programs: bool,
    quiet: bool,
    moving: usize,
    pictured: bool,
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
        let (out_tty, err_tty) = (out.is_terminal(), err.is_terminal());
        let (out_size, err_size) = (out_tty.then(|| size(&out)), err_tty.then(|| size(&err)));
        let look = |size: Option<(usize, usize)>, colour| {
            let width = size.map(|(columns, _)| columns);
            Look { width, whole: false, colour, unicode }
        };
        let clever = set("TERM").as_deref() != Some("dumb");
        Self {
            look: look(out_size, wants(out_tty)),
            err_look: look(err_size, wants(err_tty)),
            screen: out_size.filter(|_| clever),
            can_ask: io::stdin().is_terminal() && err_tty,
            can_move: err_tty && clever,
            out: Box::new(out),
            err: Box::new(err),
            buffer: Vec::with_capacity(8 << 10),
            for_programs: false,
            quiet,
            moving: 0,
            pictured: false,
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
        self.say(&warning(text, self.err_look));
    }

    /// `hint: …`, unless `-q`.
    pub fn hint(&mut self, text: &str) {
        self.say(&hint(text, self.err_look));
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

    /// Shows these lines on the terminal in the place of whatever is on it (`--watch`). There must be no more of
    /// them than it has rows.
    pub fn picture(&mut self, lines: &[String]) {
        let mut frame = String::from("\x1b[H");
        for (index, line) in lines.iter().enumerate() {
            // After the last row a line feed would move everything up.
            frame.push_str(if index == 0 { "" } else { "\n" });
            frame.push_str(line);
            frame.push_str("\x1b[K");
        }
        frame.push_str("\x1b[J");
        self.answer(&frame);
        self.flush();
        self.pictured = true;
    }

    /// What comes next stands below the last picture, if there was one.
    pub fn leave_picture(&mut self) {
        if std::mem::take(&mut self.pictured) {
            self.answer("\n");
        }
    }

    /// Measures the terminals anew: their user may have pulled at them.
    pub fn measure(&mut self) {
        let (out, err) = (size(&io::stdout()), size(&io::stderr()));
        self.look.width = self.look.width.map(|_| out.0);
        self.err_look.width = self.err_look.width.map(|_| err.0);
        self.screen = self.screen.map(|_| out);
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

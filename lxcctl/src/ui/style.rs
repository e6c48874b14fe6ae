//! Colours and marks. Owns which tone means what and how plain it can get; must not print.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

/// What a terminal (or a pipe) can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns; `None` in a pipe, where nothing is cut.
    pub width: Option<usize>,
    /// Every column was asked for: on a narrow terminal lines are wrapped, and only columns that say nothing go.
    pub whole: bool,
    /// ANSI colours are understood and wanted.
    pub colour: bool,
    /// The locale is UTF-8.
    pub unicode: bool,
}

impl Look {
    /// A pipe in a UTF-8 locale.
    pub const PIPE: Self = Self { width: None, whole: false, colour: false, unicode: true };
}

/// What a piece of text is to the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Targets and commands to type.
    Bold,
    /// Times, stale values, what did not change.
    Dim,
    /// Done, running.
    Green,
    /// Warnings, unknown.
    Yellow,
    /// Errors.
    Red,
    /// On its way.
    Blue,
    /// Still running without us.
    Cyan,
    /// Nobody knows.
    Magenta,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Bold => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Green => colour(AnsiColor::Green),
            Self::Yellow => colour(AnsiColor::Yellow),
            Self::Red => colour(AnsiColor::Red),
            Self::Blue => colour(AnsiColor::Blue),
            Self::Cyan => colour(AnsiColor::Cyan),
            Self::Magenta => colour(AnsiColor::Magenta),
        }
    }

    /// The tone of a status word.
    #[must_use]
    pub fn of_status(status: &str) -> Self {
        match status {
            "running" | "online" | "ok" | "succeeded" => Self::Green,
            "stopped" | "cancelled" | "gone" => Self::Dim,
            "creating" | "deleting" | "queued" => Self::Blue,
            "error" | "failed" | "missing" | "offline" | "unreachable" | "unauthorized" | "untrusted" => {
                Self::Red
            }
            "unknown" | "warning" | "degraded" | "draining" => Self::Yellow,
            "needs_attention" => Self::Magenta,
            _ => Self::Plain,
        }
    }
}

/// The text in its tone, or just the text.
#[must_use]
pub fn paint(text: &str, tone: Tone, look: Look) -> String {
    let mut line = String::with_capacity(text.len() + 9);
    paint_into(&mut line, text, tone, look);
    line
}

/// The same, onto the end of a line that is being made.
pub fn paint_into(line: &mut String, text: &str, tone: Tone, look: Look) {
    if look.colour && tone != Tone::Plain && !text.is_empty() {
        let style = tone.style();
        // Writing to a String cannot fail.
        let _ = write!(line, "{style}{text}{style:#}");
    } else {
        line.push_str(text);
    }
}

/// `warning: …`
#[must_use]
pub fn warning(text: &str, look: Look) -> String {
    format!("{} {text}", paint("warning:", Tone::Yellow, look))
}

/// `hint: …`
#[must_use]
pub fn hint(text: &str, look: Look) -> String {
    format!("{} {text}", paint("hint:", Tone::Cyan, look))
}

/// The first thing in a row: how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Done.
    Done,
    /// Unchanged; not begun.
    Unchanged,
    /// Done with warnings.
    Warned,
    /// Failed, refused.
    Failed,
    /// Detached, still running.
    Detached,
    /// Outcome unknown: needs a look.
    Unknown,
}

impl Mark {
    /// The character.
    #[must_use]
    pub fn text(self, look: Look) -> &'static str {
        let (nice, plain) = match self {
            Self::Done => ("✓", "+"),
            Self::Unchanged => ("·", "."),
            Self::Warned => ("!", "!"),
            Self::Failed => ("✗", "x"),
            Self::Detached => ("→", ">"),
            Self::Unknown => ("?", "?"),
        };
        if look.unicode { nice } else { plain }
    }

    /// Its tone.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Done => Tone::Green,
            Self::Unchanged => Tone::Dim,
            Self::Warned => Tone::Yellow,
            Self::Failed => Tone::Red,
            Self::Detached => Tone::Cyan,
            Self::Unknown => Tone::Magenta,
        }
    }
}

//! One cell of a table: what it says, made harmless, and in which tone. Must not know where it stands.

use crate::ui::escape::{escape, width};
use crate::ui::style::Tone;

/// One cell: harmless text and its tone.
#[derive(Debug, Clone)]
pub struct Cell {
    pub(super) text: String,
    pub(super) width: usize,
    pub(super) tone: Tone,
    /// Where a second tone begins.
    pub(super) tail: Option<(usize, Tone)>,
}

impl Cell {
    /// A cell in a tone; text from outside is made harmless here.
    #[must_use]
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        let text = escape(text.as_ref()).into_owned();
        Self { width: width(&text), text, tone, tail: None }
    }

    /// A cell of two words, the second in a tone of its own: `stopped (forced)`.
    #[must_use]
    pub fn with_tail(text: &str, tone: Tone, tail: &str, tail_tone: Tone) -> Self {
        let mut cell = Self::toned(text, tone);
        cell.tail = Some((cell.text.len() + 1, tail_tone));
        cell.text.push(' ');
        cell.text.push_str(&escape(tail));
        cell.width = width(&cell.text);
        cell
    }

    /// A plain cell.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A plain cell, `-` for none or not known.
    #[must_use]
    pub fn known(text: Option<impl AsRef<str>>) -> Self {
        match text {
            Some(text) if !text.as_ref().is_empty() => Self::new(text),
            _ => Self::new("-"),
        }
    }

    /// The same text, dim because nobody knows whether it still holds; a status keeps its colour.
    #[must_use]
    pub fn stale(mut self) -> Self {
        if matches!(self.tone, Tone::Plain | Tone::Bold) {
            self.tone = Tone::Dim;
        }
        self
    }

    /// The same text in another tone, unless it has one already.
    #[must_use]
    pub fn or_tone(mut self, tone: Tone) -> Self {
        if self.tone == Tone::Plain {
            self.tone = tone;
        }
        self
    }
}

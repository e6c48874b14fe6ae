//! A selector that cannot be read: where, and what was probably meant. Owns the caret; must not know
//! the command line around it (whoever reports it says how the corrected one is typed).

use std::ops::Range;

use crate::error::{Code, Error};

/// Where a text stood on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A TARGET word.
    Word,
    /// A `-l` expression.
    Label,
}

/// Why a word or expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError {
    /// LXC0203, LXC0204 or LXC0205.
    pub code: Code,
    /// What is wrong, one line.
    pub message: String,
    /// The word or expression as typed.
    pub text: String,
    /// The bytes of it the caret points at.
    pub span: Range<usize>,
    /// What stands behind the caret when there is no suggestion.
    pub remark: String,
    /// What probably should stand there.
    pub suggestion: Option<String>,
    /// Word or expression.
    pub place: Place,
}

impl SelectorError {
    /// The whole text with the suggestion put in.
    #[must_use]
    pub fn corrected(&self) -> Option<String> {
        let suggestion = self.suggestion.as_deref()?;
        let mut text = self.text.clone();
        text.replace_range(self.span.clone(), suggestion);
        Some(text)
    }

    /// The text and the line with the caret under it.
    #[must_use]
    pub fn caret(&self) -> Vec<String> {
        if self.text.is_empty() {
            return vec!["empty is never everything".to_owned()];
        }
        let before = self.text[..self.span.start].chars().count();
        let width = self.text[self.span.clone()].chars().count().max(1);
        let mark = format!("{}{}", " ".repeat(before), "^".repeat(width));
        let behind = match &self.suggestion {
            Some(suggestion) => format!("{suggestion}?"),
            None => self.remark.clone(),
        };
        vec![self.text.clone(), format!("{mark} {behind}").trim_end().to_owned()]
    }

    /// The error people see. `command` spells the whole command line with the corrected text in it.
    pub fn into_error(self, command: impl FnOnce(&str) -> String) -> Error {
        let mut error = Error::new(self.code, self.message.clone());
        error.why = self.caret();
        match self.corrected() {
            Some(text) => error.hint(command(&text)),
            None => error.hint("lxcctl help selectors"),
        }
    }

    /// The same for whoever knows only the verb: `lxcctl ls -l '…'`.
    #[must_use]
    pub fn for_verb(self, verb: &str) -> Error {
        let place = self.place;
        self.into_error(|text| match place {
            Place::Word => format!("lxcctl {verb} {}", quote(text)),
            Place::Label => format!("lxcctl {verb} -l {}", quote_always(text)),
        })
    }
}

/// A word the way it has to be typed in a shell.
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quote_always(text) }
}

fn quote_always(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

//! What is wrong with a template: file, line, what and why. Owns how several of them become one error.

use std::fmt;

use crate::error::{Code, Error};
use crate::selector::quote;

/// How many are told at once, and in how many bytes: an error travels in the headers of an answer.
const TOLD: usize = 20;
const TOLD_BYTES: usize = 3_000;
/// Bytes of a path in a message; of a longer one its end is shown.
const LONGEST_PATH: usize = 600;

/// One thing wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path in the template's directory.
    pub file: String,
    /// Counted from one; None = it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub why: String,
    /// A command that puts it right, the file's path to be added.
    pub mend: Option<&'static str>,
}

impl Fault {
    /// About a file as a whole.
    pub(super) fn file(file: &str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, what: what.into(), why: why.into(), mend: None }
    }

    /// About one line of it, counted from zero.
    pub(super) fn line(file: &str, index: usize, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { line: Some(index + 1), ..Self::file(file, what, why) }
    }

    fn path(&self, directory: &str) -> String {
        match directory.trim_end_matches('/') {
            "" => self.file.clone(),
            directory => format!("{directory}/{}", self.file),
        }
    }

    fn at(&self, directory: &str) -> String {
        let line = self.line.map_or_else(String::new, |line| format!(":{line}"));
        format!("{}{line}: {}", end_of(&self.path(directory)), self.what)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at(""))
    }
}

/// A file that is larger than its kind may be.
#[must_use]
pub fn too_large(path: &str, size: u64, most: u64) -> Fault {
    let why = format!("a file of this kind has at most {most} bytes ({} KiB)", most >> 10);
    Fault::file(path, format!("it has {size} bytes"), why)
}

/// The error of a template with these faults (at least one), its files named as whoever sent them names them.
#[must_use]
pub fn refused(faults: &[Fault], directory: &str) -> Error {
    let Some((first, rest)) = faults.split_first() else {
        return Error::new(Code::Internal, "a template was refused without a reason");
    };
    let mut error = Error::new(Code::BadTemplate, first.at(directory)).because(first.why.clone());
    let (mut told, mut bytes) = (0, 0);
    for fault in rest.iter().take(TOLD) {
        // Without the directory, which the first one has.
        let also = format!("also {fault}");
        bytes += also.len();
        if bytes > TOLD_BYTES {
            break;
        }
        error = error.because(also);
        told += 1;
    }
    if rest.len() > told {
        error = error.because(format!("and {} more", rest.len() - told));
    }
    let path = first.path(directory);
    if let Some(command) = first.mend.filter(|_| path.len() <= LONGEST_PATH) {
        error = error.hint(format!("{command} {}", quote(&path)));
    }
    error.hint_noted(format!("lxcctl explain {}", Code::BadTemplate), "says how a template is written")
}

fn end_of(path: &str) -> String {
    let mut start = path.len().saturating_sub(LONGEST_PATH);
    while !path.is_char_boundary(start) {
        start += 1;
    }
    if start == 0 { path.to_owned() } else { format!("…{}", &path[start..]) }
}

/// A text as it may stand in a message: short, on one line, nothing that moves the cursor.
pub(super) fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let short: String = text.chars().map(clean).take(40).collect();
    if text.chars().count() > 40 { format!("{short}…") } else { short }
}

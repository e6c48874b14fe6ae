//! Failures a person can act on: a stable code, what, why, and what to type next. Owns the one table
//! of codes and exit codes; must not format for a terminal (lxcctl's `ui::error`).

mod code;
mod exit;

pub use code::Code;
pub use exit::Exit;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A command that helps, as it would be typed. `{target}` in it stands for the container as the
/// caller wrote it (`104`), or `remote/vmid` where nobody wrote one. In front, `{line}` stands for the
/// whole command line of the caller, to which one flag is added: `{line} --if-needed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// `lxcctl start {target} --if-needed`
    pub command: String,
    /// A word about it: `nothing to do is then a success`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One failure, of a call or of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The stable code; its exit code is in it.
    pub code: Code,
    /// What went wrong, one line, no full stop.
    pub message: String,
    /// Why, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What to type next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
    /// `remote/vmid` or `remote/node` it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Operation it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Proxmox's own words. For operators and admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pve_message: Option<String>,
}

impl Error {
    /// An error with its one line.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            why: Vec::new(),
            tries: Vec::new(),
            target: None,
            operation_id: None,
            pve_message: None,
        }
    }

    /// Adds a line to `why:`.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Adds a line to `try:`.
    #[must_use]
    pub fn hint(self, command: impl Into<String>) -> Self {
        self.hint_noted(command, "")
    }

    /// Adds a line to `try:` with a word about it.
    #[must_use]
    pub fn hint_noted(mut self, command: impl Into<String>, note: impl Into<String>) -> Self {
        self.tries.push(Try { command: command.into(), note: note.into() });
        self
    }

    /// Says which container or node it is about.
    #[must_use]
    pub fn about(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Says which operation it is about.
    #[must_use]
    pub fn operation(mut self, id: impl fmt::Display) -> Self {
        self.operation_id = Some(id.to_string());
        self
    }

    /// Keeps Proxmox's own words.
    #[must_use]
    pub fn pve(mut self, text: impl Into<String>) -> Self {
        self.pve_message = Some(text.into());
        self
    }

    /// The error with all of its three lines: what its maker left out is said by the page of its code.
    #[must_use]
    pub fn whole(&self) -> Self {
        let mut error = self.clone();
        if error.why.is_empty() {
            error.why.push(error.code.title().to_owned());
        }
        if error.tries.is_empty() {
            return error.hint(format!("lxcctl explain {}", self.code));
        }
        error
    }

    /// The exit code it leads to.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.code.exit()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        for why in &self.why {
            write!(f, "; {why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// A point in time inside a message, `{clock:MICROS}`: whoever shows it to a person writes it in the
/// clock and zone of that person (the daemon's may be another), JSON in RFC 3339 UTC.
#[must_use]
pub fn moment(at: crate::ids::Micros) -> String {
    format!("{{clock:{at}}}")
}

/// What fallible decisions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

//! How an operation ended. Plain data and the words for it; must not decide.

use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::error::{Code, Error};

/// The four terminal states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Done, or nothing to do and that was fine.
    Succeeded,
    /// Refused or failed; `error` says why.
    Failed,
    /// Ended by a person's wish.
    Cancelled,
    /// Nobody knows; a person must look.
    NeedsAttention,
}

/// How a container was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By itself, within its grace.
    Graceful,
    /// Killed by Proxmox after its grace: a look at that moment still saw it running.
    Forced,
    /// Nobody looked at that moment.
    Unobserved,
}

impl How {
    /// The word in brackets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Forced => "forced",
            Self::Unobserved => "unobserved",
        }
    }
}

/// The result as rows and JSON spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Did what its verb says.
    Done,
    /// Was so already, and --if-needed said that is fine.
    Unchanged,
    /// Never begun: wrong state, locked, not allowed.
    Refused,
    /// Begun, not brought to its end.
    Failed,
    /// Ended by a person's wish.
    Cancelled,
    /// Outcome unknown.
    Unknown,
}

/// How an operation ended, with all that is told about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The terminal state.
    pub ending: Ending,
    /// The result.
    pub word: Word,
    /// What stands behind it: `already running`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How it was stopped, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Whether anything is different now.
    pub changed: bool,
    /// Done, but.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

impl Outcome {
    fn plain(ending: Ending, word: Word, changed: bool) -> Self {
        Self { ending, word, detail: String::new(), how: None, changed, warnings: Vec::new(), error: None }
    }

    /// Did what it was to do.
    #[must_use]
    pub fn done() -> Self {
        Self::plain(Ending::Succeeded, Word::Done, true)
    }

    /// Was so already.
    #[must_use]
    pub fn unchanged(detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..Self::plain(Ending::Succeeded, Word::Unchanged, false) }
    }

    /// Never begun.
    #[must_use]
    pub fn refused(error: Error) -> Self {
        Self { error: Some(error), ..Self::plain(Ending::Failed, Word::Refused, false) }
    }

    /// Begun, and failed.
    #[must_use]
    pub fn failed(error: Error, changed: bool) -> Self {
        Self { error: Some(error), ..Self::plain(Ending::Failed, Word::Failed, changed) }
    }

    /// Ended by a person's wish.
    #[must_use]
    pub fn cancelled(detail: impl Into<String>, changed: bool) -> Self {
        let detail = detail.into();
        let error =
            Error::new(Code::Cancelled, "cancelled").because(detail.clone()).hint("lxcctl show {target}");
        Self { detail, error: Some(error), ..Self::plain(Ending::Cancelled, Word::Cancelled, changed) }
    }

    /// Nobody knows.
    #[must_use]
    pub fn unknown(error: Error) -> Self {
        Self { error: Some(error), ..Self::plain(Ending::NeedsAttention, Word::Unknown, true) }
    }

    /// `started`, `unchanged`, `refused`, …: the word of rows and JSON.
    #[must_use]
    pub fn result(&self, kind: &Kind) -> &'static str {
        match self.word {
            Word::Unchanged => "unchanged",
            Word::Refused => "refused",
            Word::Failed => "failed",
            Word::Cancelled => "cancelled",
            Word::Unknown => "unknown",
            Word::Done => match kind {
                Kind::Create { .. } => "created",
                Kind::Start => "started",
                Kind::Stop | Kind::Shutdown { .. } => "stopped",
                Kind::Restart { .. } => "restarted",
                Kind::Delete { .. } => "deleted",
                Kind::Forget => "forgotten",
                Kind::Newer { .. } => "changed",
            },
        }
    }
}

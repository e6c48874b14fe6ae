//! Events as an operation makes them: immutable facts, numbered by the store. Owns their types and
//! shape; must not number or store them.

use serde::{Deserialize, Serialize};

use super::outcome::How;
use crate::ids::Micros;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What an event says happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
        }

        impl EventKind {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in JSON and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// A container was made.
    Created = "created",
    /// It runs now.
    Started = "started",
    /// It no longer runs.
    Stopped = "stopped",
    /// It was restarted in one go (Proxmox's own reboot).
    Restarted = "restarted",
    /// It is gone, by our hand.
    Deleted = "deleted",
    /// Something else about it is different.
    Changed = "changed",
    /// An operation on it failed.
    Error = "error",
    /// A service in it answers.
    ServiceReady = "service_ready",
    /// A script in it ended well.
    ScriptCompleted = "script_completed",
    /// Seen for the first time.
    Discovered = "discovered",
    /// Proxmox answers without it.
    Vanished = "vanished",
    /// An operation moved on.
    Step = "step",
    /// Worth a line to whoever waits.
    Progress = "progress",
    /// A line of output.
    Log = "log",
}

impl EventKind {
    /// Only told to those who watch an operation, not in `lxcctl events`.
    #[must_use]
    pub fn is_detail(self) -> bool {
        matches!(self, Self::Step | Self::Progress | Self::Log)
    }
}

/// An event before it has a number.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDraft {
    /// What happened.
    pub kind: EventKind,
    /// In words; the progress text for `progress`.
    pub message: String,
    /// Step it belongs to, from 0.
    pub step: Option<usize>,
    /// Of the whole operation, 0–100.
    pub percent: Option<f64>,
    /// When Proxmox kills what still runs then.
    pub forced_at: Option<Micros>,
    /// How it was stopped.
    pub how: Option<How>,
}

impl EventDraft {
    /// An event with its words.
    #[must_use]
    pub fn new(kind: EventKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), step: None, percent: None, forced_at: None, how: None }
    }

    /// Says how much of the whole is done.
    #[must_use]
    pub fn at(mut self, percent: Option<f64>) -> Self {
        self.percent = percent;
        self
    }

    /// Says which step it belongs to.
    #[must_use]
    pub fn in_step(mut self, step: usize) -> Self {
        self.step = Some(step);
        self
    }
}

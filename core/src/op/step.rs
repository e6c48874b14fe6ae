//! The states of one step, as enums with data: not sent, sent, watched, worked on, done. Owns their shape and the
//! questions about them; must not move anything (`op::change`).

use serde::{Deserialize, Serialize};

use super::kind::{Kind, StepKind};
use super::outcome::How;
use crate::error::Error;
use crate::ids::Micros;
use crate::pve::{Call, TaskExit, Upid};

/// A dispatch as recorded before the call was sent: all that is needed to find its task again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// What was to be sent.
    pub call: Call,
    /// Node it was sent to.
    pub node: String,
    /// `user@realm!token` it was sent as: what its UPID must end with.
    pub identity: String,
    /// UPIDs listed there for that vmid before.
    pub baseline: Vec<Upid>,
    /// Newest start time among them, in the node's clock; 0 without any.
    pub newest_start: i64,
    /// When, in our clock.
    pub at: Micros,
    /// HA managed the container then.
    pub ha: bool,
}

/// A task that is being watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// How it was dispatched.
    pub dispatch: Dispatch,
    /// The task.
    pub upid: Upid,
    /// When the grace was over: was it still running? None = nobody looked.
    pub outlived_grace: Option<bool>,
    /// We asked Proxmox to abort it.
    pub stop_requested: bool,
    /// Where its log has been read up to; committed together with the lines.
    #[serde(default)]
    pub log_next: u64,
    /// When what is waited for could last go on: its node answered again, or it is on another one. Nothing is
    /// late for what could not be seen, nor for the time HA takes to be sure that a node is dead.
    #[serde(default)]
    pub resumed: Option<Micros>,
}

/// A job on a node that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Where it runs.
    pub node: String,
    /// When that was decided, in our clock.
    pub at: Micros,
    /// Where its output has been read up to; committed together with the lines.
    pub next: u64,
    /// The begin of a line whose end was not read yet.
    #[serde(default)]
    pub rest: Vec<u8>,
    /// What it reported last about itself: `6 files: 5 written, 1 kept`.
    #[serde(default)]
    pub detail: String,
    /// In one sentence, what went wrong in its own words; empty = it has not said.
    #[serde(default)]
    pub fault: String,
    /// Its last lines.
    #[serde(default)]
    pub tail: Vec<String>,
    /// A person's wish was passed on to it.
    #[serde(default)]
    pub stop_requested: bool,
}

/// Where one step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StepState {
    /// Not sent (or sent without effect).
    Pending {
        /// Not to be sent before.
        not_before: Option<Micros>,
        /// How often a busy config file sent it back here.
        busy: u32,
        /// How many dispatches may have had an effect.
        sent: u32,
    },
    /// The record is committed; the call may or may not have left.
    Dispatching {
        /// The record.
        dispatch: Dispatch,
        /// Carried over from Pending.
        busy: u32,
        /// Dispatches that may have had an effect, this one included.
        sent: u32,
    },
    /// The task is known and not known to have ended.
    Watching {
        /// The task.
        watch: Watch,
        /// Carried over from Pending.
        busy: u32,
        /// Carried over from Dispatching.
        sent: u32,
    },
    /// A job does it; started and read under the operation's and the step's name, so that both can be repeated.
    Working {
        /// The job.
        work: Work,
    },
    /// The task has ended; what is the container's real state?
    Verifying {
        /// The task.
        watch: Watch,
        /// How it ended.
        exit: TaskExit,
        /// Last lines of its log, when it did not end OK.
        tail: Vec<String>,
        /// When it was seen to have ended.
        ended: Micros,
        /// Carried over from Pending.
        busy: u32,
        /// Carried over from Dispatching.
        sent: u32,
    },
    /// Reached its goal.
    Done {
        /// The task that did it, if one was known.
        upid: Option<Upid>,
        /// Proxmox's word: `OK`, or `-` when nothing had to be sent.
        exit: String,
        /// How it was stopped, of a shutdown.
        how: Option<How>,
    },
    /// Did not.
    Failed {
        /// The task, if one was known.
        upid: Option<Upid>,
        /// Proxmox's words, or ours.
        exit: String,
        /// The whole of it, where the operation goes on to clean up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<Error>>,
    },
    /// Nobody knows.
    Unknown {
        /// What is known.
        exit: String,
    },
}

impl StepState {
    /// A step not begun.
    pub const NEW: Self = Self::Pending { not_before: None, busy: 0, sent: 0 };

    /// Its name in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Dispatching { .. } => "dispatching",
            Self::Watching { .. } | Self::Working { .. } => "watching",
            Self::Verifying { .. } => "verifying",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The task it has, if known.
    #[must_use]
    pub fn upid(&self) -> Option<&Upid> {
        match self {
            Self::Watching { watch, .. } | Self::Verifying { watch, .. } => Some(&watch.upid),
            Self::Done { upid, .. } | Self::Failed { upid, .. } => upid.as_ref(),
            _ => None,
        }
    }

    /// Whether a dispatch of it may have had an effect.
    #[must_use]
    pub fn touched(&self) -> bool {
        match self {
            Self::Pending { sent, .. } => *sent > 0,
            Self::Done { upid, .. } => upid.is_some(),
            _ => true,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// First dispatch.
    pub started: Option<Micros>,
    /// End.
    pub finished: Option<Micros>,
}

impl Step {
    /// Every step of a kind; those that a retry has carried over first, as they are.
    #[must_use]
    pub fn all_of(kind: &Kind, carried: &[Self]) -> Vec<Self> {
        let new = |kind| Self { kind, state: StepState::NEW, started: None, finished: None };
        carried.iter().cloned().chain(kind.steps().into_iter().skip(carried.len()).map(new)).collect()
    }
}

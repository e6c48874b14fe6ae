//! The states of an operation and of its steps, as enums with data. Owns their shape and the questions
//! about it; must not move anything (`op::change`).

use serde::{Deserialize, Serialize};

use super::kind::{Kind, StepKind};
use super::outcome::{Ending, How, Outcome};
use crate::ids::{ContainerId, Installation, Micros, OperationId, RequestId, Vmid};
use crate::pve::{Call, TaskExit, Upid};

/// The container an operation is about, by value: the row may be gone before the operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Proxmox installation it lives in.
    pub installation: Installation,
    /// Its number there.
    pub vmid: Vmid,
    /// The incarnation that was meant.
    pub container_id: ContainerId,
    /// Remote it was named by.
    pub remote: String,
    /// Host name, as far as known.
    pub name: Option<String>,
    /// Node it was last seen on.
    pub node: String,
}

impl Target {
    /// `remote/vmid`
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.remote, self.vmid)
    }

    /// `remote/vmid (name)`
    #[must_use]
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.path()),
            None => self.path(),
        }
    }
}

/// What an operation is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for its lock or a slot; holds no lock.
    Queued,
    /// Holds its lock; some daemon drives it, or will.
    Running,
    /// Over.
    Ended(Box<Outcome>),
}

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
            Self::Watching { .. } => "watching",
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

/// One durable request on one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name.
    pub id: OperationId,
    /// The batch it came with.
    pub request_id: RequestId,
    /// What was asked for.
    pub kind: Kind,
    /// Of whom.
    pub target: Target,
    /// Where it stands.
    pub state: State,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Already so = success.
    pub if_needed: bool,
    /// Until when to wait for locks, on the steady clock (`ports::Now`): None = not at all, `Micros::MAX` = for
    /// ever.
    pub lock_deadline: Option<Micros>,
    /// A person asked to end it.
    pub cancel: bool,
    /// … and to give up on an unreachable node.
    pub abandon: bool,
    /// +1 at each claim; every write by an owner names it.
    pub fence: i64,
    /// Since when its node does not answer.
    pub degraded_since: Option<Micros>,
    /// Submitted.
    pub created: Micros,
    /// Admitted.
    pub started: Option<Micros>,
    /// Ended.
    pub finished: Option<Micros>,
    /// Number of its last event.
    pub last_seq: i64,
    /// The operation this one takes up again.
    pub retry_of: Option<OperationId>,
    /// The token of their own that whoever asked works with; None = the remote's.
    pub login: Option<String>,
    /// Who asked, by name.
    pub actor: String,
    /// What has to be said in the end, gathered on the way.
    pub warnings: Vec<String>,
}

impl State {
    /// Its name in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended(outcome) => match outcome.ending {
                Ending::Succeeded => "succeeded",
                Ending::Failed => "failed",
                Ending::Cancelled => "cancelled",
                Ending::NeedsAttention => "needs_attention",
            },
        }
    }
}

impl Operation {
    /// The first step that is not done.
    #[must_use]
    pub fn current_step(&self) -> Option<usize> {
        self.steps.iter().position(|step| !matches!(step.state, StepState::Done { .. }))
    }

    /// Whether any call of it may have had an effect.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.steps.iter().any(|step| step.state.touched())
    }

    /// Whether it holds the number of its container from its submit on: nobody else knows that number yet.
    #[must_use]
    pub fn reserves(&self) -> bool {
        matches!(self.kind, Kind::Create { marker, .. } if marker == self.id)
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            State::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// `1/2 ` in front of a step's progress when there are several; else nothing.
    #[must_use]
    pub fn step_prefix(&self, step: usize) -> String {
        if self.steps.len() < 2 {
            return String::new();
        }
        format!("{}/{} {}, ", step + 1, self.steps.len(), self.steps[step].kind.doing())
    }
}

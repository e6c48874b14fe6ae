//! What a turn has learned, from which [`super::plan`] decides. Plain data; must not judge.

use std::collections::HashSet;
use std::time::Duration;

use crate::ids::{Micros, Vmid};
use crate::job::JobReading;
use crate::ports::{JobError, LogPage, PveError};
use crate::pve::{Config, Live, TaskEntry, TaskExit, Upid};

/// The container, as seen a moment ago.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It is there.
    There {
        /// Node it is on now.
        node: String,
        /// Its live state.
        live: Box<Live>,
        /// Whether it is the incarnation that was meant; None where nobody compared.
        same: Option<bool>,
        /// Its config, where it was read.
        config: Option<Config>,
    },
    /// The installation answers without it.
    Absent,
    /// The vmid is a virtual machine's now.
    Vm,
}

/// What a search found while the node of a call does not answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The container is on another node, or gone from all of them: whatever ran on the silent one cannot touch
    /// it any more.
    Elsewhere(Seen),
    /// It belongs to the silent node still, or nobody can say.
    Nowhere,
}

/// The answer to a dispatch of this very turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A task was made.
    Accepted(Upid),
    /// It was never sent: our own lease ended between the record and the call. Says nothing of Proxmox.
    Held,
    /// No answer, or none that tells.
    Error(PveError),
}

/// What this turn has learned. Emptied after each change.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Our clock.
    pub now: Micros,
    /// 0..1, for jitter.
    pub jitter: f64,
    /// The container.
    pub seen: Option<Seen>,
    /// Who of other people's scripts holds the container's key in Redis, and for how long still.
    pub held: Option<(String, Option<Duration>)>,
    /// Whether the OS image is on its storage.
    pub image: Option<bool>,
    /// The answer to our call; None after a crash.
    pub reply: Option<Reply>,
    /// The task list, and when it was asked for.
    pub listed: Option<Vec<TaskEntry>>,
    /// UPIDs of other operations.
    pub taken: HashSet<Upid>,
    /// The watched task has ended.
    pub ended: Option<(TaskExit, Vec<String>)>,
    /// The watched task has said more.
    pub log: Option<LogPage>,
    /// The node answers, though there is nothing new; told only where that was in doubt.
    pub answered: bool,
    /// Proxmox could not be asked just now.
    pub trouble: Option<PveError>,
    /// The container was looked for on the other nodes.
    pub found: Option<Found>,
    /// What the job of this step has said, and how it stands.
    pub reading: Option<JobReading>,
    /// The node cannot be asked to work, and for sure has not begun.
    pub no_access: Option<JobError>,
    /// The node cannot be asked how the work stands that it may have begun.
    pub unreached: Option<JobError>,
    /// A number that is free and held for this operation.
    pub free_vmid: Option<Vmid>,
}

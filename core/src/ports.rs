//! The only traits: what the engine needs from outside. Owns their contracts, in core's own types;
//! implementations live in lxcd (`pve`, `store`, `bus`) and in test doubles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::ids::{Installation, Micros, Vmid};
use crate::pve::{Call, Config, Live, Placement, Refusal, TaskEntry, TaskStatus, Upid};

/// Why a question to Proxmox has no answer. Exhaustive on purpose: whoever handles it must say what
/// each means for a mutation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PveError {
    /// The request never reached anybody: connection not made, or 595. Safe to try elsewhere.
    #[error("{0}")]
    NotDelivered(String),
    /// 596 to 599, a reset or a time-out after the request left: nobody knows if it had an effect.
    #[error("{0}")]
    Lost(String),
    /// Proxmox said no, in words.
    #[error("{}", .0.text)]
    Refused(Refusal),
    /// 401: the token is not accepted (any more).
    #[error("{0}")]
    Unauthorized(String),
    /// The certificate is neither pinned nor vouched for.
    #[error("the certificate has the fingerprint {fingerprint}, which is not the pinned one")]
    Untrusted {
        /// SHA-256 of what was shown.
        fingerprint: String,
    },
    /// An answer that is not Proxmox's: HTML, truncated or oversized JSON, wrong types.
    #[error("{0}")]
    Garbage(String),
}

impl PveError {
    /// Whether asking the same *question* again may go better.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::NotDelivered(_) | Self::Lost(_) | Self::Garbage(_) => true,
            Self::Refused(refusal) => refusal.kind == crate::pve::RefusalKind::Transient,
            Self::Unauthorized(_) | Self::Untrusted { .. } => false,
        }
    }
}

/// A page of a task log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The lines, in order, without the fake `no content`.
    pub lines: Vec<String>,
    /// What to ask for next (the last line's number).
    pub next: u64,
}

/// One installation's API, as one token sees it. Node names are Proxmox's exact ones.
#[async_trait]
pub trait PveApi: Send + Sync {
    /// `user@realm!token`: what a UPID of ours ends with.
    fn identity(&self) -> &str;

    /// `…/status/current`: the truth about one container.
    async fn current(&self, node: &str, vmid: Vmid) -> Result<Live, PveError>;

    /// `…/config?current=1`
    async fn config(&self, node: &str, vmid: Vmid) -> Result<Config, PveError>;

    /// Where a vmid lives now; None = the installation has no such guest (or it may not be seen).
    async fn locate(&self, vmid: Vmid) -> Result<Option<Placement>, PveError>;

    /// Tasks of one vmid on one node, running and archived, newest first.
    async fn tasks_of(&self, node: &str, vmid: Vmid) -> Result<Vec<TaskEntry>, PveError>;

    /// The active list of a node; what is missing has ended, what is there may have too.
    async fn active_tasks(&self, node: &str) -> Result<Vec<TaskEntry>, PveError>;

    /// How one task stands.
    async fn task_status(&self, upid: &Upid) -> Result<TaskStatus, PveError>;

    /// Lines of a task's log behind `start`.
    async fn task_log(&self, upid: &Upid, start: u64) -> Result<LogPage, PveError>;

    /// Sends one mutation, once, on a fresh connection, never retried. `Lost` means: adopt.
    async fn dispatch(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Upid, PveError>;

    /// Asks a task to end (TERM, KILL after 5 s).
    async fn stop_task(&self, upid: &Upid) -> Result<(), PveError>;

    /// Runtime addresses by interface, `lo` left out; empty when stopped.
    async fn interfaces(&self, node: &str, vmid: Vmid) -> Result<BTreeMap<String, Vec<String>>, PveError>;
}

/// Finds the API of an installation.
#[async_trait]
pub trait PveDirectory: Send + Sync {
    /// None when no remote of this installation is registered (any more).
    async fn api(&self, installation: &Installation) -> Option<Arc<dyn PveApi>>;
}

/// Time, injected.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Wall clock, for what people read.
    fn now(&self) -> Micros;

    /// CLOCK_BOOTTIME: never jumps, counts through suspend. For deadlines.
    fn boot(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

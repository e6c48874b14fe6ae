//! The only traits: what the engine needs from outside. Owns their contracts, in core's own types;
//! implementations live in lxcd (`pve`, `store`, `bus`, `ssh`) and in test doubles.

mod remote_job;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::ids::{ContainerId, DaemonId, Installation, Micros, OperationId, Vmid};
use crate::op::{Baseline, EventDraft, Operation};
use crate::pve::{Call, Config, Live, Placement, Refusal, TaskEntry, TaskStatus, Upid};
use crate::services::Services;
use crate::wake::Wake;

pub use remote_job::{JobError, RemoteJob};

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

    /// The same, where nobody asks what HA makes of it: that may be left out.
    async fn state(&self, node: &str, vmid: Vmid) -> Result<Live, PveError> {
        self.current(node, vmid).await
    }

    /// `…/config?current=1`
    async fn config(&self, node: &str, vmid: Vmid) -> Result<Config, PveError>;

    /// Where a vmid lives now; None = the installation has no such guest (or it may not be seen).
    async fn locate(&self, vmid: Vmid) -> Result<Option<Placement>, PveError>;

    /// Whether nobody in the installation has that number, seen by us or not. Holds nothing.
    async fn vmid_free(&self, vmid: Vmid) -> Result<bool, PveError>;

    /// The OS images on one storage of a node, as volumes: `local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst`.
    async fn images(&self, node: &str, storage: &str) -> Result<Vec<String>, PveError>;

    /// Tasks on one node that may be such a call's or about the same, running and archived, newest first.
    async fn tasks_of(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Vec<TaskEntry>, PveError>;

    /// The same, for what is about to be sent.
    async fn baseline(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Baseline, PveError> {
        Ok(Baseline::of(&self.tasks_of(node, vmid, call).await?, &call.subject(vmid)))
    }

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

    /// The same through somebody's own token. One that is gone by now is no reason to stop: the remote's
    /// takes its place, and what was begun is told by the identity that was recorded with it.
    async fn api_as(&self, installation: &Installation, login: Option<&str>) -> Option<Arc<dyn PveApi>> {
        let _ = login;
        self.api(installation).await
    }
}

/// Why the store cannot do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room: stop dispatching, keep watching.
    #[error("no room left: {0}")]
    Full(String),
    /// The file or its contents make no sense.
    #[error("damaged: {0}")]
    Corrupt(String),
    /// Anything else: away, read-only, a fault of ours.
    #[error("{0}")]
    Failed(String),
}

/// What a commit by an owner came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Written.
    Yes {
        /// Number of the last event now.
        last_seq: i64,
        /// A person asked to end it meanwhile.
        cancel: bool,
        /// … and to give up on its node.
        abandon: bool,
    },
    /// Somebody else owns the operation, or it has ended: write nothing, touch nothing.
    Fenced,
}

/// The engine's side of the database. Every write by an owner names its fence and writes nothing when
/// that is no longer the current one (ARCHITECTURE.md, rule 5).
#[async_trait]
pub trait OpStore: Send + Sync {
    /// Admits what may begin and takes over what nobody drives any more, all for daemon `me`.
    async fn claim(&self, me: DaemonId, now: Now) -> Result<Claims, StoreError>;

    /// What runs and is daemon `me`'s, whether or not anything there drives it.
    async fn owned(&self, me: DaemonId) -> Result<Vec<Operation>, StoreError>;

    /// Writes `op` as it is now, with the events of its last change and, when it has ended, everything
    /// that goes with that: container, audit, lock. One transaction.
    async fn commit(
        &self,
        op: &Operation,
        events: &[EventDraft],
        now: Micros,
    ) -> Result<Committed, StoreError>;

    /// What a piece of work of `op` reads, as it was when it was submitted; None = there is none.
    async fn work_input(&self, op: &Operation, step: usize) -> Result<Option<Vec<u8>>, StoreError>;

    /// The operations that this one takes up again: the one it is a retry of, what that one was a retry of, and so on.
    async fn earlier(&self, op: &Operation) -> Result<Vec<OperationId>, StoreError>;

    /// Holds a number for `op` beside the one it has, until its next commit. False = somebody has or holds it.
    async fn hold_vmid(&self, op: &Operation, vmid: Vmid, now: Micros) -> Result<bool, StoreError>;

    /// What people wished for it meanwhile: (cancel, abandon).
    async fn wishes(&self, id: OperationId) -> Result<(bool, bool), StoreError>;

    /// UPIDs that belong to other operations on that container; while its OS image is downloaded, on that installation.
    async fn taken_upids(&self, op: &Operation) -> Result<HashSet<Upid>, StoreError>;

    /// Whether an operation has ended, or is not known (any more).
    async fn over(&self, id: OperationId) -> Result<bool, StoreError>;

    /// Writes what was found in a container, and how it is reached by its own account, the primary address first.
    /// Answers whether a listing shows anything else now.
    async fn record_services(
        &self,
        installation: &Installation,
        id: ContainerId,
        services: &Services,
        addresses: &[IpAddr],
        now: Micros,
    ) -> Result<bool, StoreError>;

    /// What identifies the incarnation that was meant: hwaddrs and marker as recorded. None = its record
    /// is closed or gone: whatever has its vmid now is another container.
    async fn identity(&self, op: &Operation) -> Result<Option<Identity>, StoreError>;
}

/// What tells one incarnation of a container from the next (ARCHITECTURE.md, Identity).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// MAC addresses, upper case, sorted.
    pub hwaddrs: Vec<String>,
    /// The operation of ours that made it.
    pub marker: Option<String>,
}

impl Identity {
    /// Whether a container with this config may be the same: our marker equal, else a MAC in common,
    /// else (neither has any) nothing speaks against it.
    #[must_use]
    pub fn matches(&self, config: &Config) -> bool {
        let marker = config.marker().map(|marker| marker.to_string());
        let hwaddrs = config.hwaddrs();
        match (&self.marker, marker) {
            (Some(ours), Some(theirs)) => *ours == theirs,
            // Somebody may have written another description; nobody shares a MAC.
            (Some(_), None) => self.hwaddrs.iter().any(|mac| hwaddrs.contains(mac)),
            _ if self.hwaddrs.is_empty() && hwaddrs.is_empty() => true,
            _ if self.hwaddrs.is_empty() => true,
            _ => self.hwaddrs.iter().any(|mac| hwaddrs.contains(mac)),
        }
    }
}

/// What one pass of admission and claiming brought.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// Operations that are ours to drive now, with their new fence.
    pub ours: Vec<Operation>,
    /// Operations that ended in this pass: refused, or stopped with their batch.
    pub ended: Vec<OperationId>,
    /// When to look again although nobody says so: a lock deadline or a pause ends. None after a submit, which wakes
    /// the loop.
    pub wake_in: Option<Duration>,
}

/// Now, told twice: for what is written down, and for what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By the wall clock, which people read and which may be put forward or back.
    pub wall: Micros,
    /// By a clock that does not jump while a daemon runs: lock deadlines are set and compared on it.
    pub steady: Micros,
}

impl From<Micros> for Now {
    /// Where nobody has put the clock.
    fn from(at: Micros) -> Self {
        Self { wall: at, steady: at }
    }
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

/// What stands at a container's key in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Courtesy {
    /// Ours now.
    Taken,
    /// Somebody else's.
    Held {
        /// What they wrote there; an operation's id when it is one of ours.
        value: String,
        /// How long it still lives; None = for ever.
        left: Option<Duration>,
    },
    /// Nobody can tell; the lock in the database holds all the same.
    Away(String),
}

/// The lock beside ours that other people's scripts can see (ARCHITECTURE.md, rule 16).
#[async_trait]
pub trait CourtesyLock: Send + Sync {
    /// Takes or renews the key for `op`; one that `over` holds, which has ended, is taken over.
    async fn take(
        &self,
        installation: &Installation,
        vmid: Vmid,
        op: OperationId,
        over: Option<OperationId>,
        now: Micros,
    ) -> Courtesy;

    /// Who holds it, and for how long still; None = nobody. An error says why nobody can tell.
    async fn holder(
        &self,
        installation: &Installation,
        vmid: Vmid,
        now: Micros,
    ) -> Result<Option<(String, Option<Duration>)>, String>;

    /// Deletes the key if it has this value. True = it was there.
    async fn release(&self, installation: &Installation, vmid: Vmid, value: &str, now: Micros) -> bool;
}

/// Carries wake-ups to the other daemons of a database, and theirs here.
#[async_trait]
pub trait Relay: Send + Sync {
    /// What carries them.
    fn name(&self) -> &'static str;

    /// Tells the others; nothing at all is a sign of life. An error says why, in words without secrets.
    async fn send(&self, wakes: &[Wake]) -> Result<(), String>;

    /// What the others tell from now on; ends when the connection does. What we tell comes back without a wake, so
    /// that a connection that has died without a word is told from one on which nobody speaks.
    async fn listen(&self) -> Result<BoxStream<'static, Vec<Wake>>, String>;
}

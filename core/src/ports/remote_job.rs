//! The port for commands on nodes. Owns its contract and why a call may fail; implemented by lxcd's `ssh`.

use std::time::Duration;

use async_trait::async_trait;

use crate::ids::OperationId;
use crate::job::{Command, Job, JobId, JobReading, Node, Ran, Started};

/// Why a node was not asked, or what came of it. Exhaustive on purpose. None of them says that a job was not begun:
/// every call can be made again, and that is how to find out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// No access is set up for this node; nobody was asked.
    #[error("{0}")]
    NoAccess(String),
    /// No connection, after several attempts.
    #[error("{0}")]
    NotConnected(String),
    /// The log-in was refused; with what was offered, without secrets.
    #[error("{0}")]
    Refused(String),
    /// No key of this host is pinned yet; what it shows. Nothing was told to it, not even a user name.
    #[error("its host key {fingerprint} is not pinned")]
    HostKeyUnknown {
        /// `SHA256:…`, as ssh-keygen prints it.
        fingerprint: String,
    },
    /// It shows another key than the pinned one. Nothing was told to it.
    #[error("it shows the host key {fingerprint}, which is not the pinned one")]
    HostKeyChanged {
        /// `SHA256:…`, as ssh-keygen prints it.
        fingerprint: String,
    },
    /// The connection was lost, or nothing came for too long, after the request had left.
    #[error("{0}")]
    Lost(String),
    /// The node answered that it cannot, in words.
    #[error("{0}")]
    Failed(String),
}

impl JobError {
    /// Whether asking again may go better without anybody doing something about it.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Lost(_) => true,
            Self::NoAccess(_)
            | Self::Refused(_)
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::Failed(_) => false,
        }
    }
}

/// Jobs on nodes (ARCHITECTURE.md, rule 13). Every call may be made again, by anybody, after any error.
#[async_trait]
pub trait RemoteJob: Send + Sync {
    /// Starts a job, unless it has been started before: the same id never runs twice, whatever became of the first. Then
    /// reads it from its begin, as [`read`](Self::read) does. Who stops waiting may have started it all the same.
    async fn start(&self, node: &Node, job: &Job, wait: Duration) -> Result<(Started, JobReading), JobError>;

    /// What a job has said behind `offset`, at most 64 KiB of it; only the last 12 MiB are certain to be kept. Answers as soon as there is something or the job has
    /// ended, having gathered for up to 250 ms; else after `wait`, in which the node waits and nobody asks.
    async fn read(&self, node: &Node, id: JobId, offset: u64, wait: Duration)
    -> Result<JobReading, JobError>;

    /// Ends a job: TERM to its whole process group, KILL after 10 s. Answers at once; reading tells what came of it.
    /// One that has not begun never will; one that has ended stays as it is.
    async fn cancel(&self, node: &Node, id: JobId) -> Result<(), JobError>;

    /// Ends whatever still runs of these operations, and waits for that; false = something does not end.
    async fn end(&self, node: &Node, operations: &[OperationId]) -> Result<bool, JobError>;

    /// Runs a command that is soon over and may as well run twice. It ends with the connection, and neither it nor what it
    /// says leaves anything on the node.
    async fn run(&self, node: &Node, command: &Command) -> Result<Ran, JobError>;

    /// Removes what is left on the node of an operation's jobs, but for those that run.
    async fn forget(&self, node: &Node, operation: OperationId) -> Result<(), JobError>;

    /// Whether somebody can log in there and be root, and what that node lacks, each in words: the programs of
    /// this protocol and `programs`. Empty = nothing. Somebody waits for it: it is not tried again and again.
    async fn check(&self, node: &Node, programs: &[&str]) -> Result<Vec<String>, JobError>;
}

//! One connection per node, shared by everything that is asked there. Owns when to connect, how often to try and
//! how many commands run at once; must not know what they do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lxc_core::job::Node;
use lxc_core::ports::{Clock, JobError};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::access::{Access, AccessOf};
use super::exec::{Command, Fault, Output};
use super::session::Session;

/// Channels of one connection at a time; sshd takes 10 (MaxSessions), and people look too.
const CHANNELS: usize = 8;
/// How often a connection is tried.
pub(super) const ATTEMPTS: u32 = 5;
/// The pause after the first attempt; it doubles.
const PAUSE: Duration = Duration::from_secs(2);

/// The connections.
pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    access: AccessOf,
    attempts: u32,
    lines: Mutex<HashMap<Node, Arc<Line>>>,
}

/// The connection to one node, or what there is instead.
struct Line {
    open: tokio::sync::Mutex<Open>,
    /// How many rounds of attempts there were.
    rounds: AtomicU64,
    channels: Semaphore,
}

#[derive(Default)]
struct Open {
    session: Option<(Access, Arc<Session>)>,
    /// What the last round of attempts came to, for those who waited for it.
    failure: Option<JobError>,
}

impl Pool {
    pub(super) fn new(clock: Arc<dyn Clock>, access: AccessOf, attempts: u32) -> Self {
        Self { clock, access, attempts, lines: Mutex::default() }
    }

    /// Runs on a node what `command` makes for its access. Sent once more over a new connection when the old one turns
    /// out to be gone: everything that is asked here may be asked twice.
    pub(super) async fn run(
        &self,
        node: &Node,
        command: impl Fn(&Access) -> Command + Send + Sync,
    ) -> Result<Output, JobError> {
        let access = (self.access)(node.clone()).await?;
        let command = command(&access);
        let line = self.line(node);
        let _channel = line.channels.acquire().await.map_err(|error| JobError::Failed(error.to_string()))?;
        let mut again = true;
        loop {
            let session = self.session(&line, &access).await?;
            match session.run(&command).await {
                Ok(output) => return Ok(output),
                Err(Fault::Words(why)) => return Err(JobError::Failed(format!("no such command: {why}"))),
                Err(Fault::NoChannel(why)) => {
                    let why = format!("the SSH server of {access} opens no more sessions: {why}");
                    return Err(JobError::Failed(why));
                }
                Err(Fault::Lost(why)) => {
                    line.forget(&session).await;
                    if !again {
                        return Err(JobError::Lost(format!(
                            "the SSH connection to {access} was lost: {why}"
                        )));
                    }
                    again = false;
                }
            }
        }
    }

    fn line(&self, node: &Node) -> Arc<Line> {
        let new = || {
            let (open, rounds) = (tokio::sync::Mutex::default(), AtomicU64::new(0));
            Arc::new(Line { open, rounds, channels: Semaphore::new(CHANNELS) })
        };
        Arc::clone(self.lines.lock().entry(node.clone()).or_insert_with(new))
    }

    /// The open connection, or a new one after as many attempts as there may be.
    async fn session(&self, line: &Line, access: &Access) -> Result<Arc<Session>, JobError> {
        let seen = line.rounds.load(Ordering::Acquire);
        let mut open = line.open.lock().await;
        if let Some((theirs, session)) = &open.session
            && theirs == access
            && !session.0.is_closed()
        {
            return Ok(Arc::clone(session));
        }
        // Who waited while somebody else tried in vain need not try again.
        if line.rounds.load(Ordering::Acquire) != seen
            && let Some(failure) = &open.failure
        {
            return Err(failure.clone());
        }
        open.session = None;
        let result = self.connect(access).await;
        line.rounds.fetch_add(1, Ordering::AcqRel);
        open.failure = result.as_ref().err().cloned();
        let session = Arc::new(result?);
        open.session = Some((access.clone(), Arc::clone(&session)));
        Ok(session)
    }

    async fn connect(&self, access: &Access) -> Result<Session, JobError> {
        let mut pause = PAUSE;
        for _ in 1..self.attempts {
            match Session::connect(access).await {
                Err(JobError::NotConnected(why)) => tracing::info!(%access, why, "no SSH connection yet"),
                result => return result,
            }
            self.clock.sleep(pause).await;
            pause *= 2;
        }
        Session::connect(access).await
    }
}

impl Line {
    /// Drops a connection, unless there is another by now.
    async fn forget(&self, session: &Arc<Session>) {
        let mut open = self.open.lock().await;
        if open.session.as_ref().is_some_and(|(_, ours)| Arc::ptr_eq(ours, session)) {
            open.session = None;
        }
    }
}

//! One connection per node, shared by everything that is asked there. Owns when to connect, how often to try and
//! how much is asked at once; must not know what that is.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use lxc_core::job::Node;
use lxc_core::ports::{Clock, JobError};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore};

use super::access::{Access, AccessOf};
use super::exec::Fault;
use super::helper::Helper;
use super::session::Session;

/// What is asked of one node at a time, each a small process there while it is answered.
const AT_ONCE: usize = 32;
/// How often a connection is tried for who can wait.
const ATTEMPTS: u32 = 5;

/// The connections.
pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    access: AccessOf,
    pause: Duration,
    lines: Mutex<HashMap<Node, Arc<Line>>>,
}

/// The connection to one node, or what there is instead.
struct Line {
    open: tokio::sync::Mutex<Open>,
    /// How many rounds of attempts there were.
    rounds: AtomicU64,
    turns: Semaphore,
}

/// A connection that is logged in, and the helper at its other end.
pub(super) struct Connection {
    access: Access,
    pub(super) session: Session,
    helper: OnceCell<Helper>,
}

impl Connection {
    /// What makes a command root's.
    pub(super) fn root(&self) -> &'static [&'static str] {
        if self.access.user == "root" { &[] } else { &["sudo", "-n"] }
    }

    /// Where jobs lie on the node.
    pub(super) fn base(&self) -> &str {
        &self.access.job_dir
    }

    /// The helper, which begins when it is first needed.
    pub(super) async fn helper(&self) -> Result<&Helper, Fault> {
        self.helper.get_or_try_init(|| Helper::begin(&self.session, self.root(), self.base())).await
    }
}

#[derive(Default)]
struct Open {
    connection: Option<Arc<Connection>>,
    /// What the last round of attempts came to, for those who waited for it.
    failure: Option<JobError>,
}

impl Pool {
    /// `pause` comes after the first attempt; it doubles.
    pub(super) fn new(clock: Arc<dyn Clock>, access: AccessOf, pause: Duration) -> Self {
        Self { clock, access, pause, lines: Mutex::default() }
    }

    /// Does something over a node's connection. Once more over a new one when the old turns out to be gone: everything
    /// that is asked here may be asked twice.
    pub(super) async fn with<T>(
        &self,
        node: &Node,
        ask: impl for<'c> Fn(&'c Connection) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync,
    ) -> Result<T, JobError> {
        self.within(ATTEMPTS, node, ask).await
    }

    /// The same for somebody who waits for an answer: a connection that is not made is not tried again.
    pub(super) async fn at_once<T>(
        &self,
        node: &Node,
        ask: impl for<'c> Fn(&'c Connection) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync,
    ) -> Result<T, JobError> {
        self.within(1, node, ask).await
    }

    async fn within<T>(
        &self,
        attempts: u32,
        node: &Node,
        ask: impl for<'c> Fn(&'c Connection) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync,
    ) -> Result<T, JobError> {
        let access = (self.access)(node.clone()).await?;
        let line = self.line(node);
        let _turn = line.turns.acquire().await.map_err(|error| JobError::Failed(error.to_string()))?;
        let connection = self.connection(&line, &access, attempts).await?;
        let lost = match ask(&connection).await {
            Ok(answer) => return Ok(answer),
            Err(Fault::Lost(why)) => why,
            Err(fault) => return Err(told(node, &access, fault)),
        };
        line.forget(&connection).await;
        // Whatever goes wrong now, what was sent first may have had an effect.
        let lost = |again: String| {
            JobError::Lost(format!("the SSH connection to {access} was lost: {lost}; then: {again}"))
        };
        let connection =
            self.connection(&line, &access, attempts).await.map_err(|error| lost(error.to_string()))?;
        let answer = ask(&connection).await;
        if let Err(Fault::Lost(_)) = answer {
            line.forget(&connection).await;
        }
        answer.map_err(|fault| lost(told(node, &access, fault).to_string()))
    }

    fn line(&self, node: &Node) -> Arc<Line> {
        let new = || {
            let (open, rounds) = (tokio::sync::Mutex::default(), AtomicU64::new(0));
            Arc::new(Line { open, rounds, turns: Semaphore::new(AT_ONCE) })
        };
        Arc::clone(self.lines.lock().entry(node.clone()).or_insert_with(new))
    }

    /// The open connection, or a new one after as many attempts as there may be.
    async fn connection(
        &self,
        line: &Line,
        access: &Access,
        attempts: u32,
    ) -> Result<Arc<Connection>, JobError> {
        let seen = line.rounds.load(Ordering::Acquire);
        let mut open = line.open.lock().await;
        if let Some(connection) = &open.connection
            && connection.access == *access
            && !connection.session.0.is_closed()
        {
            return Ok(Arc::clone(connection));
        }
        // Who waited while somebody else tried in vain need not try again.
        if line.rounds.load(Ordering::Acquire) != seen
            && let Some(failure) = &open.failure
        {
            return Err(failure.clone());
        }
        open.connection = None;
        let result = self.connect(access, attempts).await;
        line.rounds.fetch_add(1, Ordering::AcqRel);
        open.failure = result.as_ref().err().cloned();
        let connection =
            Arc::new(Connection { access: access.clone(), session: result?, helper: OnceCell::new() });
        open.connection = Some(Arc::clone(&connection));
        Ok(connection)
    }

    async fn connect(&self, access: &Access, attempts: u32) -> Result<Session, JobError> {
        let mut pause = self.pause;
        for _ in 1..attempts {
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

/// What a fault is called.
fn told(node: &Node, access: &Access, fault: Fault) -> JobError {
    match fault {
        Fault::Words(why) => JobError::Failed(format!("no such command: {why}")),
        Fault::Failed(why) => JobError::Failed(format!("node {node} failed: {why}")),
        Fault::NoChannel(why) => {
            JobError::Failed(format!("the SSH server of {access} opens no more sessions: {why}"))
        }
        Fault::Lost(why) => JobError::Lost(format!("the SSH connection to {access} was lost: {why}")),
    }
}

impl Line {
    /// Drops a connection, unless there is another by now.
    async fn forget(&self, connection: &Arc<Connection>) {
        let mut open = self.open.lock().await;
        if open.connection.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, connection)) {
            open.connection = None;
        }
    }
}

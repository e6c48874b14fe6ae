//! Following tasks to their end with few requests: the first look comes when such a task usually ends,
//! many tasks on one node share one list. Only a `status` read ends a task (DESIGN.md, rule 12). Owns the
//! pacing; must not decide what an ending means.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lxc_core::ids::Installation;
use lxc_core::ports::{Clock, PveApi, PveError};
use lxc_core::pve::{TaskExit, TaskStatus, Upid};
use lxc_core::timing::Timing;
use parking_lot::Mutex;

/// From so many on, the tasks of one node are asked for in one list.
const SHARED_FROM: usize = 3;
/// How many lines of a log are kept when a task did not end OK.
const TAIL: usize = 20;
/// How many containers' durations are remembered.
const REMEMBERED: usize = 20_000;

/// Why following stopped.
#[derive(Debug)]
pub(super) enum Followed {
    /// The task has ended, so, with its last log lines unless it ended OK.
    Ended(TaskExit, Vec<String>),
    /// The time has come.
    Until,
    /// It runs; said only to who asked to be told once.
    Answered,
    /// The node cannot be asked.
    Trouble(PveError),
}

/// What of a task's time is over, and how long to stay with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Since its dispatch.
    pub(super) elapsed: Duration,
    /// Come back after this in any case.
    pub(super) left: Option<Duration>,
    /// Come back with the first answer, whatever it is.
    pub(super) once: bool,
}

type NodeKey = (Installation, String);

/// Shared by all drivers of a daemon.
pub(super) struct Follower {
    clock: Arc<dyn Clock>,
    timing: Timing,
    nodes: Mutex<HashMap<NodeKey, Arc<NodeWatch>>>,
    /// How long the last task of this type took on this container.
    took: Mutex<HashMap<(Installation, String, String), Duration>>,
}

/// The tasks followed on one node.
#[derive(Default)]
struct NodeWatch {
    followers: AtomicUsize,
    /// The last active list and when it was asked for. Held while asking: one asks, all read.
    list: tokio::sync::Mutex<Option<(Duration, Arc<HashSet<Upid>>)>>,
}

/// Counts a follower for as long as it follows.
struct Following(Arc<NodeWatch>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Follower {
    pub(super) fn new(clock: Arc<dyn Clock>, timing: Timing) -> Self {
        Self { clock, timing, nodes: Mutex::default(), took: Mutex::default() }
    }

    /// Follows `upid` until it ends or `span` says so.
    pub(super) async fn follow(
        &self,
        api: &dyn PveApi,
        installation: &Installation,
        upid: &Upid,
        span: Span,
    ) -> Followed {
        let key = (installation.clone(), upid.node.clone());
        let watch = self.nodes.lock().entry(key).or_default().clone();
        watch.followers.fetch_add(1, Ordering::AcqRel);
        let _following = Following(watch.clone());
        let took_key = (installation.clone(), upid.kind.clone(), upid.id.clone());
        let expected = self.expected(&took_key);
        let began = self.clock.boot();
        // All of it on the clock that does not jump.
        let passed = || self.clock.boot().saturating_sub(began);
        let mut pause = self.timing.poll.0;
        loop {
            let early = expected.saturating_sub(span.elapsed + passed());
            let due = passed() + if early.is_zero() { pause } else { early };
            let wake = span.left.map_or(due, |left| left.min(due));
            self.clock.sleep(wake.saturating_sub(passed())).await;
            if wake < due {
                return Followed::Until;
            }
            let overdue = span.elapsed + passed() > expected * 2;
            match self.ended(api, &watch, upid, overdue, pause).await {
                Err(trouble) => return Followed::Trouble(trouble),
                Ok(None) if span.once => return Followed::Answered,
                Ok(None) => {}
                Ok(Some(exit)) => {
                    self.remember(took_key, span.elapsed + passed());
                    let tail = if exit == TaskExit::Ok { Vec::new() } else { tail(api, upid).await };
                    return Followed::Ended(exit, tail);
                }
            }
            pause = (pause * 3 / 2).min(self.timing.poll.1);
        }
    }

    /// Whether the task has ended, asked as cheaply as it may be.
    async fn ended(
        &self,
        api: &dyn PveApi,
        watch: &NodeWatch,
        upid: &Upid,
        overdue: bool,
        age: Duration,
    ) -> Result<Option<TaskExit>, PveError> {
        let shared = watch.followers.load(Ordering::Acquire) >= SHARED_FROM;
        // A listed task may have ended all the same (the list lags), so an overdue one is asked itself.
        if shared && !overdue && self.active(api, watch, &upid.node, age).await?.contains(upid) {
            return Ok(None);
        }
        match api.task_status(upid).await? {
            TaskStatus::Running => Ok(None),
            TaskStatus::Ended(exit) => Ok(Some(exit)),
            TaskStatus::Unknown => Ok(Some(TaskExit::Vanished("no such task".to_owned()))),
        }
    }

    /// The node's active list, at most `age` old.
    async fn active(
        &self,
        api: &dyn PveApi,
        watch: &NodeWatch,
        node: &str,
        age: Duration,
    ) -> Result<Arc<HashSet<Upid>>, PveError> {
        let mut list = watch.list.lock().await;
        let now = self.clock.boot();
        if let Some((at, tasks)) = list.as_ref()
            && now.saturating_sub(*at) < age
        {
            return Ok(tasks.clone());
        }
        let tasks: HashSet<Upid> = api
            .active_tasks(node)
            .await?
            .into_iter()
            .filter(|task| task.exit.is_none())
            .map(|task| task.upid)
            .collect();
        let tasks = Arc::new(tasks);
        *list = Some((now, tasks.clone()));
        Ok(tasks)
    }

    /// How long such a task takes: as long as the last one on this container; nothing known, nothing
    /// expected.
    fn expected(&self, key: &(Installation, String, String)) -> Duration {
        self.took.lock().get(key).copied().unwrap_or_default()
    }

    fn remember(&self, key: (Installation, String, String), took: Duration) {
        let mut all = self.took.lock();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(key, took);
    }
}

/// The last lines of a task's log; a log that cannot be read is no reason to fail.
async fn tail(api: &dyn PveApi, upid: &Upid) -> Vec<String> {
    match api.task_log(upid, 0).await {
        Ok(page) => page.lines[page.lines.len().saturating_sub(TAIL)..].to_vec(),
        Err(error) => {
            tracing::debug!(%upid, %error, "cannot read the log");
            Vec::new()
        }
    }
}

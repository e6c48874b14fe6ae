//! Following tasks to their end with few requests: the first look comes when such a task usually ends,
//! many tasks on one node share one list, and only a task that lasts has its log read on the way. Only a
//! `status` read ends a task (ARCHITECTURE.md, rule 12). Must not decide what an ending means.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lxc_core::ids::Installation;
use lxc_core::ports::{Clock, LogPage, PveApi, PveError};
use lxc_core::pve::{TaskExit, TaskStatus, Upid};
use lxc_core::timing::Timing;
use parking_lot::Mutex;

use super::pace::Pace;

/// From so many on, the tasks of one node are asked for in one list.
const SHARED_FROM: usize = 3;
/// A task that runs for so long, in Proxmox's seconds, has its log read while it runs.
const LASTS: u32 = 5;
/// Lines of a log that are kept at its end.
const MOST_LINES: usize = 2_000;

/// Why following stopped.
#[derive(Debug)]
pub(super) enum Followed {
    /// The task has ended, so, with the rest of its log; a short one that ended OK has none read.
    Ended(TaskExit, Vec<String>),
    /// It runs, and has more to say.
    Log(LogPage),
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
    /// Where its log has been read up to.
    pub(super) log_next: u64,
}

type NodeKey = (Installation, String);

/// Shared by all drivers of a daemon.
pub(super) struct Follower {
    clock: Arc<dyn Clock>,
    timing: Timing,
    nodes: Mutex<HashMap<NodeKey, Arc<NodeWatch>>>,
    pace: Pace,
}

/// The tasks followed on one node.
#[derive(Default)]
struct NodeWatch {
    followers: AtomicUsize,
    /// Of each type of task, how long one of those followed here ran at least.
    lasting: Mutex<HashMap<String, Duration>>,
    /// The last active list and when it was asked for. Held while asking: one asks, all read.
    list: tokio::sync::Mutex<Option<(Duration, Arc<HashSet<Upid>>)>>,
}

/// As long as another that is found to be running: so near to it that nobody would notice.
const ALIKE: f64 = 0.9;

impl NodeWatch {
    /// One of that type runs after so long.
    fn lasts(&self, kind: &str, elapsed: Duration) {
        let mut lasting = self.lasting.lock();
        let known = lasting.entry(kind.to_owned()).or_default();
        *known = elapsed.max(*known);
    }

    /// One of that type has ended by then: nothing is known of how long the others last beyond it.
    fn ended(&self, kind: &str, elapsed: Duration) {
        self.lasting.lock().retain(|of, known| of != kind || *known < elapsed.mul_f64(ALIKE));
    }

    /// Whether one of that type was found running after about so long, and none has ended so soon: another like it
    /// most likely runs too.
    fn likely_lasts(&self, kind: &str, elapsed: Duration) -> bool {
        self.lasting.lock().get(kind).is_some_and(|known| elapsed.mul_f64(ALIKE) <= *known)
    }
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
        let pace = Pace::new(timing.pve_second);
        Self { clock, timing, nodes: Mutex::default(), pace }
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
        let expected = self.pace.expected(installation, upid);
        let began = self.clock.boot();
        // All of it on the clock that does not jump.
        let passed = || self.clock.boot().saturating_sub(began);
        let mut looks = 0;
        // The list lags, so from here on a listed task is asked itself, then again ever more seldom.
        let mut ask_itself = expected;
        loop {
            let elapsed = span.elapsed + passed();
            // The longer it lasts, the less a moment more matters.
            let pause = (elapsed / 10).clamp(self.timing.poll.0, self.timing.poll.1);
            let early = expected.saturating_sub(elapsed);
            let due = passed() + if early.is_zero() { pause } else { early };
            let wake = span.left.map_or(due, |left| left.min(due));
            self.clock.sleep(wake.saturating_sub(passed())).await;
            if wake < due {
                return Followed::Until;
            }
            looks += 1;
            let elapsed = span.elapsed + passed();
            let mut due = elapsed >= ask_itself;
            if due && watch.likely_lasts(&upid.kind, ask_itself) {
                // Several began together, and one of them has been asked: the list will do for the others.
                due = false;
                ask_itself = elapsed + elapsed / 4;
            }
            if due {
                ask_itself = elapsed + elapsed / 4;
            }
            match self.ended(api, &watch, upid, elapsed, due, pause).await {
                Err(trouble) => return Followed::Trouble(trouble),
                Ok(None) if span.once => return Followed::Answered,
                Ok(None) if elapsed > self.timing.pve(LASTS) => {
                    // A log that cannot be read is no reason to stop following.
                    if let Ok(page) = api.task_log(upid, span.log_next).await
                        && !page.lines.is_empty()
                    {
                        return Followed::Log(page);
                    }
                }
                Ok(None) => {}
                Ok(Some(exit)) => {
                    // What ended while nobody looked teaches nothing about how long such tasks take.
                    if span.elapsed <= expected || looks > 1 {
                        self.pace.learn(installation, upid, elapsed, looks == 1);
                    }
                    let wanted = exit != TaskExit::Ok || span.log_next > 0;
                    let rest = if wanted { rest_of_log(api, upid, span.log_next).await } else { Vec::new() };
                    return Followed::Ended(exit, rest);
                }
            }
        }
    }

    /// Whether the task has ended, asked as cheaply as it may be.
    async fn ended(
        &self,
        api: &dyn PveApi,
        watch: &NodeWatch,
        upid: &Upid,
        elapsed: Duration,
        due: bool,
        age: Duration,
    ) -> Result<Option<TaskExit>, PveError> {
        let shared = watch.followers.load(Ordering::Acquire) >= SHARED_FROM;
        if shared && !due && self.active(api, watch, &upid.node, age).await?.contains(upid) {
            return Ok(None);
        }
        let exit = match api.task_status(upid).await? {
            TaskStatus::Running => {
                watch.lasts(&upid.kind, elapsed);
                return Ok(None);
            }
            TaskStatus::Ended(exit) => exit,
            TaskStatus::Unknown => TaskExit::Vanished("no such task".to_owned()),
        };
        watch.ended(&upid.kind, elapsed);
        Ok(Some(exit))
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
}

/// The lines of a log behind `next`, the last ones if there are very many; a log that cannot be read is
/// no reason to fail.
async fn rest_of_log(api: &dyn PveApi, upid: &Upid, mut next: u64) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match api.task_log(upid, next).await {
            Ok(page) if page.lines.is_empty() || page.next <= next => break,
            Ok(page) => {
                next = page.next;
                lines.extend(page.lines);
                let over = lines.len().saturating_sub(MOST_LINES);
                lines.drain(..over);
            }
            Err(error) => {
                tracing::debug!(%upid, %error, "cannot read the log");
                break;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn what_one_task_was_found_to_last_holds_for_others_until_one_ends_sooner() {
        let watch = NodeWatch::default();
        assert!(!watch.likely_lasts("vzstart", S));
        watch.lasts("vzstart", S);
        // The others come to the same moment a little earlier or later.
        assert!(watch.likely_lasts("vzstart", S * 105 / 100));
        assert!(!watch.likely_lasts("vzstop", S));
        assert!(!watch.likely_lasts("vzstart", S * 2), "nobody has been asked after so long");
        watch.ended("vzstart", S * 2);
        assert!(watch.likely_lasts("vzstart", S), "it ended much later");
        watch.lasts("vzstart", S * 2);
        watch.ended("vzstop", S);
        watch.ended("vzstart", S * 2);
        assert!(!watch.likely_lasts("vzstart", S * 2), "from here on each has to be asked");
    }
}

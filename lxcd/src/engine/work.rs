//! Work in a container: starts the job of a step, reads what it says, ends it. Each call may be made again by whoever
//! drives the operation next (ARCHITECTURE.md, rule 13); must not decide what an end means.

use std::time::Duration;

use lxc_core::create::Part;
use lxc_core::job::{JobExit, JobId, JobReading, JobState, Node};
use lxc_core::op::{Change, StepKind};
use lxc_core::ports::{JobError, RemoteJob, StoreError};
use lxc_core::{provision, services};

use super::driver::{Driver, Written};
use crate::failpoint;

/// How long the node is asked to wait for more output: as long as nobody wishes anything.
const WAIT: Duration = Duration::from_secs(20);
/// Bytes of what is gathered.
const LARGEST: usize = 1 << 20;

/// What a job says from `all` on to its end, in one piece; the rest of what is too long is left, and what is behind a gap
/// too: nobody can tell what it belongs to.
async fn gather(
    jobs: &dyn RemoteJob,
    node: &Node,
    id: JobId,
    mut all: JobReading,
) -> Result<JobReading, JobError> {
    if all.skipped > 0 {
        all.output.clear();
    }
    while matches!(all.state, JobState::Running) {
        let more = jobs.read(node, id, all.next, WAIT).await?;
        all.skipped += more.skipped;
        if all.skipped == 0 && all.output.len() < LARGEST {
            all.output.extend_from_slice(&more.output);
        }
        (all.next, all.state) = (more.next, more.state);
    }
    Ok(all)
}

impl Driver {
    fn node(&self, name: String) -> Node {
        Node { installation: self.op.target.installation.clone(), name }
    }

    /// Starts the job unless it is known to have begun, and reads on.
    pub(super) async fn work(&mut self, step: usize, node: String, next: u64) -> bool {
        if self.inner.draining.is_cancelled() {
            return false;
        }
        let node = self.node(node);
        let id = JobId { operation: self.op.id, step };
        let inner = self.inner.clone();
        let jobs = &*inner.parts.jobs;
        // What has said something has begun.
        let begun = self.started == Some(step) || next > 0;
        let first = if begun {
            self.hear(step, &node, jobs.read(&node, id, next, WAIT)).await
        } else {
            self.begin(step, &node).await
        };
        let whole = self.op.kind.part(self.op.steps[step].kind) == Some(&Part::Discover);
        let reading = match first {
            Ok(first) if whole => self.hear(step, &node, gather(jobs, &node, id, first)).await,
            first => first,
        };
        let reading = match reading {
            Ok(reading) => reading,
            Err(going_on) => return going_on,
        };
        self.facts.now = self.now();
        if whole && let Err(error) = self.record(&reading).await {
            return self.store_fails(&error).await;
        }
        self.facts.reading = Some(reading);
        true
    }

    /// What a node answers, unless somebody wishes anything meanwhile or the engine drains: what was asked may then arrive
    /// all the same. An error is what [`Driver::work`] has to answer.
    async fn hear<T>(
        &mut self,
        step: usize,
        node: &Node,
        asked: impl Future<Output = Result<T, JobError>>,
    ) -> Result<T, bool> {
        let inner = self.inner.clone();
        let going_on = tokio::select! {
            answer = asked => return answer.map_err(|error| self.not_reached(node, step, error)),
            () = self.nudge.notified() => true,
            () = inner.draining.cancelled() => false,
        };
        self.untouched = None;
        if going_on {
            self.read_wishes().await;
        }
        Err(going_on)
    }

    /// Starts the job of a step, which may be started already, and reads its begin. An error is what [`Driver::work`] has
    /// to answer.
    async fn begin(&mut self, step: usize, node: &Node) -> Result<JobReading, bool> {
        let inner = self.inner.clone();
        let (store, jobs) = (&inner.parts.store, &inner.parts.jobs);
        let input = match store.work_input(&self.op, step).await {
            Ok(input) => input.unwrap_or_default(),
            Err(error) => return Err(self.store_fails(&error).await),
        };
        let Some(job) = provision::job(&self.op, step, input, inner.parts.timing.reach) else {
            tracing::error!(op = %self.op.id, step, "a step without any work; leaving the operation alone");
            return Err(false);
        };
        // What this one takes up again may have left a job behind that still runs.
        let earlier = match store.earlier(&self.op).await {
            Ok(earlier) => earlier,
            Err(error) => return Err(self.store_fails(&error).await),
        };
        if !earlier.is_empty() {
            match jobs.end(node, &earlier).await {
                Ok(true) => {}
                Ok(false) => {
                    let why = format!("what an earlier attempt has begun on {node} does not end");
                    return Err(self.not_reached(node, step, JobError::Lost(why)));
                }
                Err(error) => return Err(self.not_reached(node, step, error)),
            }
        }
        // Whoever was driving before may still be about to start it: that is the same job.
        if self.permit().is_none() {
            let until = self.now().saturating_add(lxc_core::timing::micros(inner.parts.timing.heartbeat));
            return Err(self.wait_until(until).await);
        }
        let start = async {
            failpoint::hit("job", "before").await;
            let started = jobs.start(node, &job, WAIT).await;
            failpoint::hit("job", "after").await;
            started
        };
        let (_, reading) = self.hear(step, node, start).await?;
        self.started = Some(step);
        self.untouched = None;
        Ok(reading)
    }

    /// Writes what was found to run there: before the step is done, so that whoever sees it done sees that too.
    async fn record(&self, reading: &JobReading) -> Result<(), StoreError> {
        if reading.state != JobState::Ended(JobExit::Code(0)) {
            return Ok(());
        }
        let found = services::read(&reading.output);
        let target = &self.op.target;
        let store = &self.inner.parts.store;
        let judged = services::judge(&found);
        store
            .record_services(&target.installation, target.container_id, &judged, &found.addresses, self.now())
            .await
            .map(|_| ())
    }

    /// Takes what the jobs of an operation that has ended left on its node away, behind its back: nobody reads it any
    /// more. What stays when this fails is swept by the helper there in time.
    pub(super) fn tidy(&self) {
        if !self.op.steps.iter().any(|step| matches!(step.kind, StepKind::Part(_)) && step.started.is_some())
        {
            return;
        }
        let (node, id, inner) = (self.node(self.op.target.node.clone()), self.op.id, self.inner.clone());
        self.inner.tracker.spawn(async move {
            if let Err(error) = inner.parts.jobs.forget(&node, id).await {
                tracing::debug!(op = %id, %node, %error, "what its jobs left stays on the node");
            }
        });
    }

    /// Asks the node to end it; what came of that is read like any end.
    pub(super) async fn stop_work(&mut self, step: usize, node: String) -> bool {
        let node = self.node(node);
        let id = JobId { operation: self.op.id, step };
        if let Err(error) = self.inner.parts.jobs.cancel(&node, id).await {
            return self.not_reached(&node, step, error);
        }
        self.facts.now = self.now();
        self.commit(Change::StopRequested(step)).await == Written::Yes
    }

    /// A job that has certainly not begun cannot be had; any other may go on, whatever the error.
    fn not_reached(&mut self, node: &Node, step: usize, error: JobError) -> bool {
        tracing::warn!(op = %self.op.id, %node, %error, "cannot work on the node");
        self.started = None;
        self.facts.now = self.now();
        if matches!(error, JobError::Lost(_)) {
            self.untouched = None;
        }
        if self.untouched == Some(step) && !error.passes() {
            self.facts.no_access = Some(error);
        } else {
            self.facts.unreached = Some(error);
        }
        true
    }
}

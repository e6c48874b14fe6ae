//! One operation, driven to its end: observe, let `plan` decide, execute, again. The same loop drives new,
//! crashed and handed-over work. Owns the commit of each change; must not decide.

use std::sync::Arc;
use std::time::Duration;

use lxc_core::ids::{Micros, OperationId};
use lxc_core::op::{Change, Facts, Found, Next, Operation, apply, plan};
use lxc_core::ports::{Committed, PveApi};
use tokio::sync::Notify;

use super::courtesy;
use super::timeline::Timeline;
use super::{Engine, Inner};
use crate::bus::Ended;
use crate::failpoint;

/// What became of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// Not ours any more, or over: touch nothing.
    Over,
}

pub(super) struct Driver {
    pub(super) inner: Arc<Inner>,
    pub(super) op: Operation,
    pub(super) facts: Facts,
    pub(super) nudge: Arc<Notify>,
    pub(super) timeline: Timeline,
    /// The step whose job this driver knows to be started.
    pub(super) started: Option<usize>,
    /// The step whose job has certainly not begun: this driver decided that it shall, and nothing that it sent since can
    /// have arrived.
    pub(super) untouched: Option<usize>,
}

impl Engine {
    /// Drives an operation in a task of its own. Each claim has a fence of its own, so a driver that is
    /// still here from an earlier claim is fenced out by itself: the newer one takes its place.
    pub(super) fn drive(&self, mut op: Operation) {
        let nudge = Arc::new(Notify::new());
        let id = op.id;
        self.inner.drivers.lock().insert(id, nudge.clone());
        let inner = self.inner.clone();
        self.inner.tracker.spawn(async move {
            let guard = Registered { inner: inner.clone(), id, nudge: nudge.clone() };
            let renewing = courtesy::renew(inner.clone(), &op);
            let clock = &*inner.parts.clock;
            let timeline = Timeline::of(&op, clock);
            // From here on everything about it is in this driver's time; a commit does not write it.
            op.lock_deadline =
                op.lock_deadline.map(|stored| timeline.deadline(stored, &inner.parts.steady, clock));
            let mut driver = Driver {
                inner,
                op,
                facts: Facts::default(),
                nudge,
                timeline,
                started: None,
                untouched: None,
            };
            driver.run().await;
            drop(renewing);
            driver.give_back().await;
            drop(guard);
        });
    }
}

/// Takes the driver off the list, however it ended.
struct Registered {
    inner: Arc<Inner>,
    id: OperationId,
    nudge: Arc<Notify>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        {
            let mut drivers = self.inner.drivers.lock();
            if drivers.get(&self.id).is_some_and(|nudge| Arc::ptr_eq(nudge, &self.nudge)) {
                drivers.remove(&self.id);
            }
        }
        self.inner.parts.bus.queue_moved();
    }
}

impl Driver {
    async fn run(&mut self) {
        let id = self.op.id;
        tracing::debug!(op = %id, verb = self.op.kind.verb(), target = %self.op.target.path(), "driving");
        loop {
            self.facts.now = self.now();
            self.facts.jitter = jitter(id, self.facts.now);
            let next = plan(&self.op, &self.facts, &self.inner.parts.timing);
            tracing::trace!(op = %id, ?next, "next");
            let going_on = match next {
                Next::Idle => return,
                Next::Commit(change) => self.commit(change).await == Written::Yes,
                Next::Wait { until } => self.wait_until(until).await,
                Next::Look { config, ha } => {
                    self.with_api(move |driver, api| Box::pin(driver.look(api, config, ha))).await
                }
                Next::LookForImage { node, storage, volume } => {
                    self.with_api(move |driver, api| {
                        Box::pin(driver.look_for_image(api, node, storage, volume))
                    })
                    .await
                }
                Next::Search { silent } => {
                    // Whatever comes of it, it was tried: the next turn waits.
                    self.facts.found = Some(Found::Nowhere);
                    self.with_api(move |driver, api| Box::pin(driver.search(api, silent))).await
                }
                Next::Dispatch { step, call, node, ha } => {
                    self.with_api(move |driver, api| Box::pin(driver.dispatch(api, step, call, node, ha)))
                        .await
                }
                Next::List { call, node, at } => {
                    self.sleep_until(at).await;
                    self.with_api(move |driver, api| Box::pin(driver.list(api, node, call))).await
                }
                Next::Follow { upid, until, since, log_next } => {
                    self.with_api(move |driver, api| {
                        Box::pin(driver.follow(api, upid, until, since, log_next))
                    })
                    .await
                }
                Next::TakeVmid { above } => {
                    self.with_api(move |driver, api| Box::pin(driver.take_vmid(api, above))).await
                }
                Next::Work { step, node, next } => self.work(step, node, next).await,
                Next::StopWork { step, node } => self.stop_work(step, node).await,
                Next::StopTask { step, upid } => {
                    self.with_api(move |driver, api| Box::pin(driver.stop_task(api, step, upid))).await
                }
            };
            if !going_on {
                return;
            }
        }
    }

    /// This operation's time (see [`Timeline`]).
    pub(super) fn now(&self) -> Micros {
        self.timeline.now(&*self.inner.parts.clock)
    }

    /// Runs something that needs Proxmox; a remote that was removed meanwhile is trouble like any other.
    async fn with_api<F>(&mut self, run: F) -> bool
    where
        F: for<'a> FnOnce(&'a mut Self, Arc<dyn PveApi>) -> futures::future::BoxFuture<'a, bool>,
    {
        match self.inner.parts.pve.api_as(&self.op.target.installation, self.op.login.as_deref()).await {
            Some(api) => run(self, api).await,
            None => {
                let gone = format!("the remote {} is not registered any more", self.op.target.remote);
                self.facts.trouble = Some(lxc_core::ports::PveError::NotDelivered(gone));
                true
            }
        }
    }

    /// Applies a change, writes it with its events, and forgets what this turn had learned. A store that
    /// fails is asked again until it answers: what Proxmox has done cannot be undone by forgetting it.
    pub(super) async fn commit(&mut self, change: Change) -> Written {
        let parts = &self.inner.parts;
        let now = self.facts.now;
        let mut next = self.op.clone();
        let place = place(&change);
        let begins = if let Change::Working { step, .. } = &change { Some(*step) } else { None };
        let events = match apply(&mut next, change, now, &parts.timing) {
            Ok(events) => events,
            Err(misfit) => {
                tracing::error!(op = %self.op.id, %misfit, "a change that cannot be; leaving the operation alone");
                return Written::Over;
            }
        };
        let over = next.outcome().is_some();
        failpoint::hit(place, "before").await;
        let (first, longest) = parts.timing.trouble;
        let mut pause = first;
        loop {
            match parts.store.commit(&next, &events, now).await {
                Ok(Committed::Yes { last_seq, cancel, abandon }) => {
                    (next.last_seq, next.cancel, next.abandon) = (last_seq, cancel, abandon);
                    break;
                }
                Ok(Committed::Fenced) => {
                    tracing::warn!(op = %self.op.id, "fenced out; another daemon drives it now");
                    return Written::Over;
                }
                Err(error) => {
                    tracing::error!(op = %self.op.id, %error, "cannot write; trying again");
                    parts.clock.sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
            }
        }
        failpoint::hit(place, "after").await;
        self.op = next;
        self.untouched = begins.or(self.untouched);
        self.facts = Facts { now, ..Facts::default() };
        parts.bus.operation_moved(self.op.id);
        if over {
            tracing::info!(op = %self.op.id, verb = self.op.kind.verb(), target = %self.op.target.path(),
                state = self.op.state.name(), "ended");
            parts.bus.operation_ended(ended(&self.op));
            self.tidy();
        }
        if over || events.iter().any(|event| !event.kind.is_detail()) {
            parts.bus.container_moved(&self.op.target.installation, self.op.target.vmid);
        }
        Written::Yes
    }

    /// Waits; what was learned is stale afterwards. False = the engine drains.
    pub(super) async fn wait_until(&mut self, until: Micros) -> bool {
        if self.inner.draining.is_cancelled() {
            return false;
        }
        let pause = self.timeline.until(until, &*self.inner.parts.clock);
        tokio::select! {
            () = self.inner.parts.clock.sleep(pause) => {}
            () = self.nudge.notified() => self.read_wishes().await,
            () = self.inner.draining.cancelled() => return false,
        }
        self.facts = Facts::default();
        true
    }

    /// Sleeps without forgetting; a lost task has to be found even while the engine drains.
    async fn sleep_until(&mut self, at: Micros) {
        let pause = self.timeline.until(at, &*self.inner.parts.clock);
        tokio::select! {
            () = self.inner.parts.clock.sleep(pause) => {}
            () = self.nudge.notified() => self.read_wishes().await,
            () = self.inner.draining.cancelled() => {}
        }
    }

    pub(super) async fn read_wishes(&mut self) {
        match self.inner.parts.store.wishes(self.op.id).await {
            Ok((cancel, abandon)) => (self.op.cancel, self.op.abandon) = (cancel, abandon),
            Err(error) => tracing::error!(op = %self.op.id, %error, "cannot read what was wished"),
        }
    }
}

fn ended(op: &Operation) -> Ended {
    let between = |from: Option<Micros>, to: Option<Micros>| {
        let micros = from.zip(to).map_or(0, |(from, to)| to.saturating_sub(from));
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    Ended {
        verb: op.kind.verb().to_owned(),
        state: op.state.name(),
        waited: between(Some(op.created), op.started),
        took: between(op.started, op.finished),
    }
}

/// What a commit commits, as the crash tests name it.
fn place(change: &Change) -> &'static str {
    match change {
        Change::Dispatching(..) => "record",
        Change::Watching { .. } => "upid",
        Change::Log { .. } => "log",
        Change::TaskEnded { .. } => "ended",
        Change::Working { .. } => "work",
        Change::StepDone { .. } | Change::Worked { .. } => "done",
        Change::Finish(_) => "terminal",
        Change::Admitted
        | Change::NotSent { .. }
        | Change::Renumbered { .. }
        | Change::Again(_)
        | Change::GraceOver { .. }
        | Change::StopRequested(_)
        | Change::Output { .. }
        | Change::CleanUp { .. }
        | Change::Degraded(_)
        | Change::Recovered
        | Change::Moved { .. } => "other",
    }
}

/// Spreads retries; need not be random, only different for different operations and moments.
fn jitter(id: OperationId, now: i64) -> f64 {
    let mixed = (id.0.as_u128() as u64 ^ now.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

//! The operation engine: admits, drives and ends operations, whatever crashes in between. Decides
//! nothing itself: `lxc_core::op` does. Must see only core's ports: no SQL, no HTTP, no gRPC.

mod admission;
mod courtesy;
mod driver;
mod execute;
mod follow;
mod lease;
mod observe;
mod pace;
mod timeline;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use lxc_core::ids::{DaemonId, OperationId};
use lxc_core::op::Operation;
use lxc_core::ports::{Clock, CourtesyLock, Now, OpStore, PveDirectory, RemoteJob};
use lxc_core::timing::Timing;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Bus;
pub use lease::Lease;
pub use observe::{Blind, Sight, observe};
pub use timeline::Steady;

/// What the engine needs from outside.
pub struct Parts {
    /// The database.
    pub store: Arc<dyn OpStore>,
    /// Proxmox.
    pub pve: Arc<dyn PveDirectory>,
    /// Jobs on nodes.
    pub jobs: Arc<dyn RemoteJob>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Time constants.
    pub timing: Timing,
    /// Wake-ups.
    pub bus: Arc<Bus>,
    /// The lock beside ours that other people's scripts see, where there is one.
    pub courtesy: Option<Arc<dyn CourtesyLock>>,
    /// What stored deadlines go by.
    pub steady: Steady,
    /// This run.
    pub me: DaemonId,
    /// What lets this run dispatch.
    pub lease: Arc<Lease>,
}

/// Drives the operations this daemon has claimed. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    follower: follow::Follower,
    /// Operations driven here, and how to wake their drivers.
    drivers: Mutex<HashMap<OperationId, Arc<Notify>>>,
    tracker: TaskTracker,
    /// No more admissions, no more dispatches.
    draining: CancellationToken,
    /// Why everything is handed over, once that has begun.
    handing_over: Mutex<Option<String>>,
}

impl Engine {
    /// An engine at rest; [`Self::run`] sets it going.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let follower = follow::Follower::new(parts.clock.clone(), parts.timing.clone());
        Self {
            inner: Arc::new(Inner {
                parts,
                follower,
                drivers: Mutex::default(),
                tracker: TaskTracker::new(),
                draining: CancellationToken::new(),
                handing_over: Mutex::default(),
            }),
        }
    }

    /// Starts drivers for operations that were claimed in a submit.
    pub fn take(&self, ours: Vec<Operation>) {
        for op in ours {
            self.drive(op);
        }
    }

    /// Something was wished for an operation; its driver, wherever it is, looks again.
    pub fn nudge(&self, id: OperationId) {
        self.inner.parts.bus.wished(id);
        self.inner.parts.bus.queue_moved();
    }

    /// Wakes the drivers of operations that something is wished of, until the engine drains.
    pub async fn hear_wishes(&self) {
        let mut wishes = self.inner.parts.bus.wishes();
        loop {
            let wished = tokio::select! {
                wished = wishes.next() => wished,
                () = self.inner.draining.cancelled() => return,
            };
            let drivers = self.inner.drivers.lock();
            let all = drivers.iter().filter(|(id, _)| wished.is_none_or(|wished| wished == **id));
            all.for_each(|(_, driver)| driver.notify_one());
        }
    }

    /// Now, for what is written down and for what is measured.
    #[must_use]
    pub fn now(&self) -> Now {
        self.inner.parts.steady.now(&*self.inner.parts.clock)
    }

    /// Begins nothing from now on, and leaves what runs to others. False = that has begun before.
    pub fn hand_over(&self, why: &str) -> bool {
        let first = self.inner.handing_over.lock().replace(why.to_owned()).is_none();
        self.stop_dispatching();
        first
    }

    /// What was to be said to the others was not: the next one to hand over says it.
    pub fn hand_over_again(&self) {
        *self.inner.handing_over.lock() = None;
    }

    /// Why nothing is begun here, though this lxcd goes on.
    #[must_use]
    pub fn handed_over(&self) -> Option<String> {
        self.inner.handing_over.lock().clone()
    }

    /// Waits until nothing is driven here any more.
    pub async fn at_rest(&self) {
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
    }

    fn stop_dispatching(&self) {
        self.inner.draining.cancel();
        for driver in self.inner.drivers.lock().values() {
            driver.notify_one();
        }
    }

    /// How many operations are driven here.
    #[must_use]
    pub fn driving(&self) -> usize {
        self.inner.drivers.lock().len()
    }

    /// Stops admitting and dispatching, and waits until every driver has reached a boundary, at most for
    /// the drain time. Tasks on Proxmox go on and are picked up again.
    pub async fn drain(&self) {
        self.stop_dispatching();
        let parts = &self.inner.parts;
        tokio::select! {
            () = self.at_rest() => {}
            () = parts.clock.sleep(parts.timing.drain) => {
                tracing::warn!("some operations did not reach a boundary in time; they will be taken up again");
            }
        }
    }
}

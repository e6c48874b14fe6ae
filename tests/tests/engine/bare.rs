//! Engines without a daemon around them, on one store and a fake Proxmox. Owns their making and their clock;
//! must not claim anything of them.

use lxc_core::record::{ContainerRecord, DaemonRecord};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lxc_core::actor::Actor;
use lxc_core::ids::{ContainerId, DaemonId, Installation, OperationId, RequestId};
use lxc_core::job::{Command, Job, JobId, JobReading, Node, Ran, Started};
use lxc_core::op::{Kind, Operation, Target};
use lxc_core::ports::{Clock, JobError, PveApi, PveDirectory, RemoteJob};
use lxc_core::pve::{Live, Power};
use lxc_core::timing::Timing;
use lxcd::bus::Bus;
use lxcd::clock::SystemClock;
use lxcd::engine::{Engine, Lease, Parts, Steady};
use lxcd::failpoint::Scope;
use lxcd::store::{NewRequest, Store};

use super::client::PATIENCE;
use super::fake::Fake;
use super::lab::SPEED;

/// The real clock, until the machine is suspended for an hour, somebody puts its hands, or it leaps.
#[derive(Default)]
pub(crate) struct Hands {
    /// Microseconds it may leap: until then every sleep is over at once, and has taken its time. 0 = never; what
    /// sleeps once they are used up sleeps on.
    pub(crate) leap: AtomicI64,
    leapt: AtomicI64,
    pub(crate) suspended: AtomicBool,
    /// What the wall clock is ahead, in microseconds.
    pub(crate) ahead: AtomicI64,
}

impl Hands {
    /// How far it has leapt.
    pub(crate) fn leapt(&self) -> i64 {
        self.leapt.load(Ordering::Acquire)
    }
}

#[async_trait]
impl Clock for Hands {
    fn now(&self) -> i64 {
        SystemClock.now() + self.ahead.load(Ordering::Acquire) + self.leapt()
    }
    fn boot(&self) -> Duration {
        let slept =
            if self.suspended.load(Ordering::Acquire) { Duration::from_secs(3600) } else { Duration::ZERO };
        SystemClock.boot() + slept + Duration::from_micros(self.leapt().unsigned_abs())
    }
    async fn sleep(&self, duration: Duration) {
        match self.leap.load(Ordering::Acquire) {
            0 => tokio::time::sleep(duration).await,
            _ => {
                while self.leapt() >= self.leap.load(Ordering::Acquire) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                self.leapt.fetch_add(duration.as_micros() as i64, Ordering::AcqRel);
                tokio::task::yield_now().await;
            }
        }
    }
}

struct OneRemote(Arc<Fake>);

#[async_trait]
impl PveDirectory for OneRemote {
    async fn api(&self, _: &Installation) -> Option<Arc<dyn PveApi>> {
        Some(self.0.clone())
    }
}

/// One daemon's engine, on a runtime of its own.
pub(crate) struct Daemon {
    pub(crate) id: DaemonId,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<Hands>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) scope: Scope,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Daemon {
    /// Drives these.
    pub(crate) fn take(&self, ours: Vec<Operation>) {
        let _inside = self.runtime.as_ref().unwrap().enter();
        self.engine.take(ours);
    }

    /// Admits and claims from now on.
    pub(crate) fn run(&self) {
        let engine = self.engine.clone();
        self.runtime.as_ref().unwrap().spawn(async move { engine.run().await });
    }

    /// Hears what is wished from now on.
    pub(crate) fn hear(&self) {
        let engine = self.engine.clone();
        self.runtime.as_ref().unwrap().spawn(async move { engine.hear_wishes().await });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) async fn daemon(store: &Store, pve: &Arc<Fake>, state: &str, lease_us: i64) -> Daemon {
    daemon_with(store, pve, state, lease_us, Timing::scaled(SPEED)).await
}

/// The same in a time of its own.
pub(crate) async fn daemon_with(
    store: &Store,
    pve: &Arc<Fake>,
    state: &str,
    lease_us: i64,
    timing: Timing,
) -> Daemon {
    let (scope, clock, lease) = (Scope::default(), Arc::new(Hands::default()), Arc::new(Lease::default()));
    let row = DaemonRecord {
        id: DaemonId::generate(),
        host: "host".to_owned(),
        pid: 1,
        state_id: state.to_owned(),
        version: "0.1.0".to_owned(),
        started: clock.now(),
    };
    store.register_daemon(&row, row.started + lease_us).await.unwrap();
    let entered = scope.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .on_thread_start(move || entered.enter())
        .build()
        .unwrap();
    // A lease of its own length, so that the local one holds for as long as nobody suspends the machine.
    let timing = Timing { lease: Duration::from_secs(600), ..timing };
    lease.extend(clock.boot(), &timing);
    let bus = Arc::new(Bus::default());
    let engine = Engine::new(Parts {
        store: Arc::new(store.clone()),
        pve: Arc::new(OneRemote(pve.clone())),
        jobs: Arc::new(NoJobs),
        clock: clock.clone(),
        timing,
        courtesy: None,
        bus: bus.clone(),
        steady: Steady::new(clock.now(), &*clock),
        me: row.id,
        lease: lease.clone(),
    });
    Daemon { id: row.id, engine, clock, lease, bus, scope, runtime: Some(runtime) }
}

/// No node can be worked on: the verbs need none.
struct NoJobs;

impl NoJobs {
    fn never<T>() -> Result<T, JobError> {
        Err(JobError::NoAccess("no SSH here".to_owned()))
    }
}

#[async_trait]
impl RemoteJob for NoJobs {
    async fn start(&self, _: &Node, _: &Job, _: Duration) -> Result<(Started, JobReading), JobError> {
        Self::never()
    }

    async fn read(&self, _: &Node, _: JobId, _: u64, _: Duration) -> Result<JobReading, JobError> {
        Self::never()
    }

    async fn cancel(&self, _: &Node, _: JobId) -> Result<(), JobError> {
        Self::never()
    }

    async fn end(&self, _: &Node, _: &[OperationId]) -> Result<bool, JobError> {
        Self::never()
    }

    async fn run(&self, _: &Node, _: &Command) -> Result<Ran, JobError> {
        Self::never()
    }

    async fn forget(&self, _: &Node, _: OperationId) -> Result<(), JobError> {
        Self::never()
    }

    async fn check(&self, _: &Node, _: &[&str]) -> Result<Vec<String>, JobError> {
        Self::never()
    }
}

/// The container as the inventory has recorded it; the engine sends nothing to one it does not know.
pub(crate) fn record_of(target: &Target) -> ContainerRecord {
    let live = Live::bare(target.vmid, Power::Stopped);
    ContainerRecord {
        id: target.container_id,
        power: None,
        ..ContainerRecord::seen(&target.installation, &target.node, live, 0)
    }
}

pub(crate) fn start_of_104() -> NewRequest {
    let (id, now) = (RequestId::generate(), SystemClock.now());
    let target = Target {
        installation: Installation("ab".repeat(32)),
        vmid: 104,
        container_id: ContainerId::generate(),
        remote: "lab".to_owned(),
        name: None,
        node: "pve1".to_owned(),
    };
    let op = Operation::queued(id, Kind::Start, target, "alice", now);
    let actor: Actor = serde_json::from_value(serde_json::json!({
        "name": "alice", "uid": 1000, "domain": "host", "pid": 1, "process": "lxcctl", "tty": "",
        "login_uid": null, "sudo_uid": null,
    }))
    .unwrap();
    NewRequest {
        made: None,
        inputs: Vec::new(),
        id,
        digest: "digest".to_owned(),
        actor,
        verb: "start".to_owned(),
        options: "{}".to_owned(),
        selector_text: "104".to_owned(),
        max_parallel: 1,
        max_per_node: 0,
        on_error_stop: false,
        pause: 0,
        created: now,
        steady: now,
        operations: vec![op],
    }
}

pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !done().await {
        assert!(tokio::time::Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

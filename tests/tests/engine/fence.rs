//! Two daemons, one operation: a driver that was paused past the end of its lease wakes up while another has
//! long finished its work. Both engines run on one store; only what the database and the lease say keeps them
//! apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lxc_core::actor::Actor;
use lxc_core::ids::{ContainerId, DaemonId, Installation, OperationId, RequestId};
use lxc_core::op::{Kind, Operation, State, Step, StepState, Target};
use lxc_core::ports::{Clock, PveApi, PveDirectory};
use lxc_core::pve::{Live, Power, Usage};
use lxc_core::timing::Timing;
use lxcd::bus::Bus;
use lxcd::clock::SystemClock;
use lxcd::engine::{Engine, Lease, Parts};
use lxcd::failpoint::{Action, Scope};
use lxcd::store::{ContainerRow, DaemonRow, NewRequest, Store, Submitted};

use super::client::PATIENCE;
use super::fake::Fake;
use super::lab::SPEED;

/// The real clock, until it is put forward as a suspend does.
#[derive(Default)]
struct Suspended(AtomicBool);

#[async_trait]
impl Clock for Suspended {
    fn now(&self) -> i64 {
        SystemClock.now()
    }
    fn boot(&self) -> Duration {
        let slept = if self.0.load(Ordering::Acquire) { Duration::from_secs(3600) } else { Duration::ZERO };
        SystemClock.boot() + slept
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
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
struct Daemon {
    id: DaemonId,
    engine: Engine,
    clock: Arc<Suspended>,
    lease: Arc<Lease>,
    scope: Scope,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn daemon(store: &Store, pve: &Arc<Fake>, state: &str, lease_us: i64) -> Daemon {
    let (scope, clock, lease) =
        (Scope::default(), Arc::new(Suspended::default()), Arc::new(Lease::default()));
    let row = DaemonRow {
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
    let timing = Timing { lease: Duration::from_secs(600), ..Timing::scaled(SPEED) };
    lease.extend(clock.boot(), &timing);
    let engine = Engine::new(Parts {
        store: Arc::new(store.clone()),
        pve: Arc::new(OneRemote(pve.clone())),
        clock: clock.clone(),
        timing,
        bus: Arc::new(Bus::default()),
        me: row.id,
        lease: lease.clone(),
    });
    Daemon { id: row.id, engine, clock, lease, scope, runtime: Some(runtime) }
}

/// The container as the inventory has recorded it; the engine sends nothing to one it does not know.
fn record_of(target: &Target) -> ContainerRow {
    ContainerRow {
        id: target.container_id,
        installation: target.installation.clone(),
        vmid: target.vmid,
        name: None,
        node: target.node.clone(),
        power: None,
        lifecycle: "ready".to_owned(),
        live: Live {
            vmid: target.vmid,
            name: None,
            power: Power::Stopped,
            lock: None,
            template: false,
            ha: None,
            tags: Vec::new(),
            usage: Usage::default(),
        },
        config: None,
        hwaddrs: Vec::new(),
        marker: None,
        pool: None,
        ips: Vec::new(),
        template: None,
        attention: None,
        error_op: None,
        first_seen: 0,
        observed: 0,
        gone_since: None,
    }
}

fn start_of_104() -> NewRequest {
    let (id, now) = (RequestId::generate(), SystemClock.now());
    let op = Operation {
        id: OperationId::generate(),
        request_id: id,
        kind: Kind::Start,
        target: Target {
            installation: Installation("ab".repeat(32)),
            vmid: 104,
            container_id: ContainerId::generate(),
            remote: "lab".to_owned(),
            name: None,
            node: "pve1".to_owned(),
        },
        state: State::Queued,
        steps: vec![Step {
            kind: Kind::Start.steps()[0],
            state: StepState::NEW,
            started: None,
            finished: None,
        }],
        if_needed: false,
        lock_deadline: None,
        cancel: false,
        abandon: false,
        fence: 0,
        degraded_since: None,
        created: now,
        started: None,
        finished: None,
        last_seq: 1,
        retry_of: None,
        actor: "alice".to_owned(),
        warnings: Vec::new(),
    };
    let actor: Actor = serde_json::from_value(serde_json::json!({
        "name": "alice", "uid": 1000, "domain": "host", "pid": 1, "process": "lxcctl", "tty": "",
        "login_uid": null, "sudo_uid": null,
    }))
    .unwrap();
    NewRequest {
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
        operations: vec![op],
    }
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !done().await {
        assert!(tokio::time::Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The first daemon is paused at `place` past its lease; the second takes over and finishes; then the first
/// wakes up, renews its lease at once, and goes on as if nothing had been. Calls that reached Proxmox.
async fn paused_at(place: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
    let pve = Arc::new(Fake::default());
    // In the database its lease is over already, as it is for everybody else once it is paused.
    let first = daemon(&store, &pve, "first", -1).await;
    first.scope.arm(place, Action::Pause);
    let request = start_of_104();
    let id = request.operations[0].id;
    store.record_containers(&[record_of(&request.operations[0].target)], &[], &[], 0).await.unwrap();
    let Submitted::New(claims) = store.submit(&request, first.id).await.unwrap() else { panic!("new") };
    let begin = |daemon: &Daemon, ours| {
        let _inside = daemon.runtime.as_ref().unwrap().enter();
        daemon.engine.take(ours);
    };
    begin(&first, claims.ours);
    tokio::time::timeout(PATIENCE, first.scope.reached()).await.unwrap();

    let second = daemon(&store, &pve, "second", 3_600_000_000).await;
    let engine = second.engine.clone();
    second.runtime.as_ref().unwrap().spawn(async move { engine.run().await });
    until("the second ends it", async || store.operation(id).await.unwrap().unwrap().outcome().is_some())
        .await;
    let ended = store.operation(id).await.unwrap().unwrap();

    first.clock.0.store(true, Ordering::Release);
    first.lease.extend(first.clock.boot(), &Timing::default());
    first.scope.resume();
    until("the first gives up", async || first.engine.driving() == 0).await;

    assert_eq!(store.operation(id).await.unwrap().unwrap(), ended, "nothing was written by the first");
    assert_eq!((ended.state.name(), ended.fence), ("succeeded", 2));
    let events = store.operation_events(id, 0, 1000).await.unwrap();
    let seqs: Vec<i64> = events.iter().map(|event| event.operation.unwrap().1).collect();
    assert_eq!(seqs, (1..=ended.last_seq).collect::<Vec<_>>());
    assert!(store.held_locks().await.unwrap().is_empty());
    assert!(pve.runs());
    pve.calls()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_before_the_record() {
    assert_eq!(paused_at("record.before").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_after_the_record_sends_nothing_any_more() {
    assert_eq!(paused_at("record.after").await, 1, "a lease renewed too late is another lease");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_after_the_call_its_task_is_adopted() {
    assert_eq!(paused_at("sent.after").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_before_the_end() {
    assert_eq!(paused_at("terminal.before").await, 1);
}

/// Nobody can help the one that is paused between its last check and the wire. Proxmox refuses its late call,
/// or takes it as it takes any second start; the end state is right all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_in_the_very_call_the_end_state_is_right() {
    assert_eq!(paused_at("sent.before").await, 2);
}

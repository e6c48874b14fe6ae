//! Requests, operations, containers and remotes to store. Owns plausible values, and how one is stored that moves on.

use lxc_core::actor::Actor;
use lxc_core::ids::{ContainerId, DaemonId, Installation, Micros, RequestId, Vmid};
use lxc_core::op::{Change, Dispatch, EventDraft, Kind, Operation, Target, apply};
use lxc_core::ports::{Claims, Committed, OpStore as _};
use lxc_core::pve::{Call, Live, Power, Upid};
use lxc_core::record::{AuditRecord, ContainerRecord, DaemonRecord, RemoteRecord};
use lxc_core::timing::Timing;
use lxcd::store::{NewRequest, Store, Submitted};

/// A point in time; tests count from here.
pub(crate) const T0: Micros = 1_700_000_000_000_000;
/// A second.
pub(crate) const S: Micros = 1_000_000;

pub(crate) fn installation() -> Installation {
    Installation("ab".repeat(32))
}

pub(crate) fn actor() -> Actor {
    Actor {
        name: "alice".to_owned(),
        uid: 1000,
        domain: "host".to_owned(),
        pid: 42,
        process: "lxcctl".to_owned(),
        tty: "pts/0".to_owned(),
        login_uid: None,
        sudo_uid: Some(1000),
    }
}

/// The record of something alice did at once, on `lab`.
pub(crate) fn audit(verb: &str) -> AuditRecord {
    AuditRecord {
        id: 0,
        time: T0,
        actor: actor(),
        verb: verb.to_owned(),
        target: "lab".to_owned(),
        operation_id: None,
        request_id: None,
        result: Some("succeeded".to_owned()),
        code: None,
        ended: Some(T0),
        detail: String::new(),
    }
}

pub(crate) fn operation(kind: Kind, vmid: Vmid) -> Operation {
    let target = Target {
        installation: installation(),
        vmid,
        container_id: ContainerId::generate(),
        remote: "lab".to_owned(),
        name: None,
        node: "pve1".to_owned(),
    };
    Operation::queued(RequestId::generate(), kind, target, "alice", T0)
}

/// A batch of these, as one request.
pub(crate) fn request(mut operations: Vec<Operation>) -> NewRequest {
    let id = RequestId::generate();
    for op in &mut operations {
        op.request_id = id;
    }
    NewRequest {
        id,
        digest: "digest".to_owned(),
        actor: actor(),
        verb: operations.first().map_or("start", |op| op.kind.verb()).to_owned(),
        options: "{}".to_owned(),
        selector_text: "104".to_owned(),
        max_parallel: 8,
        max_per_node: 0,
        on_error_stop: false,
        pause: 0,
        created: T0,
        steady: T0,
        operations,
        made: None,
        inputs: Vec::new(),
    }
}

/// Registers a daemon whose lease lasts for so long.
pub(crate) async fn daemon(store: &Store, state_id: &str, lease: Micros) -> DaemonId {
    let row = DaemonRecord {
        id: DaemonId::generate(),
        host: "host".to_owned(),
        pid: 1,
        state_id: state_id.to_owned(),
        version: "0.1.0".to_owned(),
        started: T0,
    };
    store.register_daemon(&row, T0 + lease).await.unwrap();
    row.id
}

/// Submits, and expects it to be new.
pub(crate) async fn submit(store: &Store, me: DaemonId, request: &NewRequest) -> Claims {
    match store.submit(request, me).await.unwrap() {
        Submitted::New(claims) => claims,
        other => panic!("not new: {other:?}"),
    }
}

/// Submits one start and expects it to be admitted.
pub(crate) async fn admitted(store: &Store, me: DaemonId, vmid: Vmid) -> Operation {
    let claims = submit(store, me, &request(vec![operation(Kind::Start, vmid)])).await;
    claims.ours.into_iter().next().unwrap()
}

/// The operation after a change, with the events it makes.
pub(crate) fn after(op: &Operation, change: Change, now: Micros) -> (Operation, Vec<EventDraft>) {
    let mut op = op.clone();
    let events = apply(&mut op, change, now, &Timing::default()).unwrap();
    (op, events)
}

/// Commits a change and answers the operation as it is then.
pub(crate) async fn advance(store: &Store, op: &Operation, change: Change, now: i64) -> Operation {
    let (mut op, events) = after(op, change, now);
    match store.commit(&op, &events, now).await.unwrap() {
        Committed::Yes { last_seq, cancel, abandon } => {
            (op.last_seq, op.cancel, op.abandon) = (last_seq, cancel, abandon);
        }
        Committed::Fenced => panic!("fenced"),
    }
    op
}

pub(crate) fn dispatch() -> Dispatch {
    Dispatch {
        call: Call::Start,
        node: "pve1".to_owned(),
        identity: "lxcd@pve!cli".to_owned(),
        baseline: Vec::new(),
        newest_start: 0,
        at: T0,
        ha: false,
    }
}

pub(crate) fn upid(start: u32, vmid: Vmid) -> Upid {
    format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:vzstart:{vmid}:lxcd@pve!cli:").parse().unwrap()
}

pub(crate) fn container(vmid: Vmid) -> ContainerRecord {
    ContainerRecord {
        name: Some(format!("ct{vmid}")),
        hwaddrs: vec!["BC:24:11:00:00:01".to_owned()],
        ..ContainerRecord::seen(&installation(), "pve1", Live::bare(vmid, Power::Stopped), T0)
    }
}

pub(crate) fn remote(name: &str) -> RemoteRecord {
    RemoteRecord {
        name: name.to_owned(),
        installation: installation(),
        urls: vec!["https://pve1:8006".to_owned()],
        token_id: "lxcd@pve!cli".to_owned(),
        token_secret: "ciphertext".to_owned(),
        ca_pem: None,
        owner: "alice".to_owned(),
        people: Default::default(),
        is_default: true,
        pve_version: None,
        cluster: None,
        created: T0,
        pins: Vec::new(),
        ssh: None,
    }
}

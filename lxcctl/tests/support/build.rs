//! Short ways to wire messages, so that a test reads like what it is about.

use lxc_proto::v1 as pb;

use super::{Script, Step};

/// 2026-11-21 14:02:11 UTC
pub(crate) const BEGUN: i64 = 1_795_269_731_000_000;

/// That many seconds in microseconds.
pub(crate) fn secs(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

/// Microseconds since the epoch, now.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

pub(crate) fn container_ref(target: &str, name: &str, status: &str, node: &str) -> pb::ContainerRef {
    let (remote, vmid) = target.split_once('/').unwrap();
    pb::ContainerRef {
        installation: "i".into(),
        vmid: vmid.parse().unwrap(),
        container_id: "c".into(),
        remote: remote.into(),
        name: name.into(),
        node: node.into(),
        status: status.into(),
        disk_bytes: 8 << 30,
        ..Default::default()
    }
}

/// A resolve that finds these.
pub(crate) fn found(refs: Vec<pb::ContainerRef>, by_pattern: bool, typed: &[&str]) -> pb::ResolveReply {
    let typed = if typed.is_empty() {
        vec![String::new(); refs.len()]
    } else {
        typed.iter().map(ToString::to_string).collect()
    };
    pb::ResolveReply { refs, by_pattern, typed }
}

/// A running operation whose id ends in those eight digits.
pub(crate) fn operation(short: &str, verb: &str, target: &pb::ContainerRef) -> pb::Operation {
    pb::Operation {
        id: format!("01a1fe6a-2384-7b31-9c44-a1d2{short}"),
        request_id: "01a1fe6a-2384-7b31-9c44-a1d2ba7c4000".into(),
        verb: verb.into(),
        target: Some(target.clone()),
        state: "running".into(),
        created_us: BEGUN,
        started_us: Some(BEGUN),
        ..Default::default()
    }
}

/// The same operation, succeeded after so many seconds.
pub(crate) fn succeeded(op: &pb::Operation, result: &str, seconds: f64) -> pb::Operation {
    pb::Operation {
        state: "succeeded".into(),
        result: result.into(),
        changed: result != "unchanged",
        finished_us: Some(op.created_us + secs(seconds)),
        ..op.clone()
    }
}

/// The same operation, failed or refused.
pub(crate) fn failed(op: &pb::Operation, result: &str, seconds: f64, error: pb::Error) -> pb::Operation {
    pb::Operation {
        state: "failed".into(),
        result: result.into(),
        error: Some(error),
        finished_us: Some(op.created_us + secs(seconds)),
        ..op.clone()
    }
}

pub(crate) fn error(code: &str, message: &str, why: &[&str], tries: &[(&str, &str)]) -> pb::Error {
    let tries =
        tries.iter().map(|(command, note)| pb::Try { command: (*command).into(), note: (*note).into() });
    pb::Error {
        code: code.into(),
        message: message.into(),
        why: why.iter().map(ToString::to_string).collect(),
        tries: tries.collect(),
        ..Default::default()
    }
}

pub(crate) fn submitted(operations: Vec<pb::Operation>) -> pb::SubmitReply {
    let request_id = operations.first().map(|op| op.request_id.clone()).unwrap_or_default();
    pb::SubmitReply { request_id, operations, replayed: false }
}

/// A progress event of an operation, so many seconds in.
pub(crate) fn progress(op: &pb::Operation, seq: i64, seconds: f64, message: &str) -> pb::Event {
    let target = op.target.as_ref().unwrap();
    pb::Event {
        cursor: 100 + seq,
        time_us: op.created_us + secs(seconds),
        r#type: "progress".into(),
        target: format!("{}/{}", target.remote, target.vmid),
        name: Some(target.name.clone()),
        operation_id: Some(op.id.clone()),
        seq: Some(seq),
        message: message.into(),
        ..Default::default()
    }
}

pub(crate) fn seen(event: pb::Event) -> Step<pb::WatchReply> {
    Step::Say(pb::WatchReply { item: Some(pb::watch_reply::Item::Event(event)) })
}

pub(crate) fn snapshot(op: &pb::Operation) -> Step<pb::WatchReply> {
    Step::Say(pb::WatchReply { item: Some(pb::watch_reply::Item::Snapshot(op.clone())) })
}

pub(crate) fn ended(op: pb::Operation) -> Step<pb::WatchReply> {
    Step::Say(pb::WatchReply { item: Some(pb::watch_reply::Item::Result(op)) })
}

/// `homelab/104 (web-1)`
pub(crate) fn web_1() -> pb::ContainerRef {
    container_ref("homelab/104", "web-1", "stopped", "pve1")
}

/// One target, one operation, one watch.
pub(crate) fn one(
    target: &pb::ContainerRef,
    typed: &str,
    op: &pb::Operation,
    watch: Vec<Step<pb::WatchReply>>,
) -> Script {
    Script {
        resolve: Some(Ok(found(vec![target.clone()], false, &[typed]))),
        submit: Some(Ok(submitted(vec![op.clone()]))),
        watches: [watch].into(),
        ..Script::default()
    }
}

pub(crate) fn start_104() -> (pb::Operation, Vec<Step<pb::WatchReply>>) {
    let op = operation("c81f03d7", "start", &web_1());
    let watch = vec![
        snapshot(&op),
        seen(progress(&op, 1, 0.02, "op c81f03d7")),
        seen(progress(&op, 2, 0.14, "task on pve1")),
        ended(succeeded(&op, "started", 2.2)),
    ];
    (op, watch)
}

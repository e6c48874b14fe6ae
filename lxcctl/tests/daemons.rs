//! `daemon ls` and `daemon drain`: their tables, their JSON, what reaches the daemon.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{now, secs};
use support::{Fake, Script};

const ID: &str = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b";

fn entry(host: &str, status: &str) -> pb::DaemonEntry {
    pb::DaemonEntry {
        id: ID.into(),
        host: host.into(),
        pid: 42,
        version: "0.1.0".into(),
        started_us: now() - secs(7200.0),
        heartbeat_age_us: secs(3.0),
        lease_left_us: secs(27.0),
        status: status.into(),
        operations: 2,
        polls: vec!["edge".into(), "homelab".into()],
        self_: host == "box1",
    }
}

#[test]
fn a_list_says_who_drives_and_who_polls() {
    let gone = pb::DaemonEntry { polls: Vec::new(), lease_left_us: -secs(60.0), ..entry("box2", "gone") };
    let items = vec![gone, entry("box1", "ok")];
    let fake = Fake::start(Script { daemons: Some(Ok(pb::ListDaemonsReply { items })), ..Script::default() });
    let run = fake.run("lxcctl daemon ls");
    assert_eq!(
        run.out,
        "DAEMON               HOST  PID  VERSION  STATUS  STARTED  HEARTBEAT  OPERATIONS  POLLS\n\
         4f9c2e1b (this one)  box1   42  0.1.0    ok      2h ago   3s ago              2  edge, homelab\n\
         4f9c2e1b             box2   42  0.1.0    gone    2h ago   3s ago              2  -\n"
    );
    assert!(fake.run("lxcctl daemon ls -o wide").out.contains("27s"));
    assert_eq!(fake.run("lxcctl daemon ls -o name").out, format!("{ID}\n{ID}\n"));
    let json: serde_json::Value = serde_json::from_str(&fake.run("lxcctl daemon ls -o json").out).unwrap();
    assert_eq!(json["kind"], "DaemonList");
    assert_eq!((&json["items"][0]["self"], &json["items"][1]["status"]), (&true.into(), &"gone".into()));
    assert_eq!(json["items"][1]["lease_left_seconds"], 0.0);
}

#[test]
fn a_drained_one_is_named_and_a_lone_one_warned_about() {
    let reply = pb::DrainReply { daemon: Some(entry("box1", "draining")), others: 0 };
    let fake = Fake::start(Script { drain: Some(Ok(reply)), ..Script::default() });
    let run = fake.run("lxcctl daemon drain 4f9c2e1b");
    assert_eq!((run.out.as_str(), run.code), ("✓ 4f9c2e1b  draining  box1, pid 42\n", 0));
    assert!(run.err.starts_with("warning: no other lxcd"), "{}", run.err);
    fake.run("lxcctl daemon drain");
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked.drains.iter().map(|drain| drain.id.as_str()).collect::<Vec<_>>(), ["4f9c2e1b", ""]);
}

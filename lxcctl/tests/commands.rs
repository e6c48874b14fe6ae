//! Commands the guide has no example of: their tables, their JSON, their exit codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{BEGUN, error, failed, now, operation, secs, succeeded, web_1};
use support::{Fake, Script, Step};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

#[test]
fn show_and_summary() {
    let container = pb::Container {
        remote: "homelab".into(),
        vmid: 104,
        name: Some("web-1\u{1b}[2J".into()),
        status: "running".into(),
        lifecycle: "ready".into(),
        node: Some("pve1".into()),
        uptime_seconds: Some(6 * 86400 + 4 * 3600),
        memory_bytes: Some(412 << 20),
        memory_max_bytes: Some(2 << 30),
        config: [("arch".to_owned(), "amd64".to_owned())].into(),
        ..Default::default()
    };
    let show = pb::ShowContainerReply { container: Some(container), ..Default::default() };
    let summary = pb::SummaryReply { total: 3, running: 2, stopped: 1, ..Default::default() };
    let fake = Fake::start(Script { show: Some(Ok(show)), summary: Some(Ok(summary)), ..Script::default() });
    let run = fake.run("lxcctl show 104");
    assert_eq!(
        run.out,
        "homelab/104 (web-1\\u{1b}[2J)  running  6d 4h\n\
         \x20 node    pve1\n\
         \x20 ip      -\n\
         \x20 memory  412Mi / 2.0Gi\n\
         CONFIG  VALUE\n\
         arch    amd64\n"
    );
    let shown = json(&fake.run("lxcctl show 104 -o json").out);
    assert_eq!(
        (shown["kind"].as_str(), shown["config"]["arch"].as_str()),
        (Some("Container"), Some("amd64"))
    );
    assert_eq!(
        fake.run("lxcctl summary").out,
        "TOTAL  RUNNING  STOPPED  CREATING  DELETING  ERROR  UNKNOWN\n    3        2        1         0         0      0        0\n"
    );
}

#[test]
fn nodes_and_remotes() {
    let node = pb::Node {
        remote: "homelab".into(),
        name: "pve1".into(),
        status: "online".into(),
        cpu: Some(0.07),
        memory_bytes: Some(11 << 30),
        memory_max_bytes: Some(32 << 30),
        uptime_seconds: Some(41 * 86400),
        pve_version: Some("9.2.11".into()),
        containers: 9,
        running: 7,
        ..Default::default()
    };
    let remote = pb::Remote {
        name: "homelab".into(),
        urls: vec!["https://pve1.lan:8006".into()],
        token_id: "lxcd@pve!cli".into(),
        owner: "ops".into(),
        is_default: true,
        pve_version: Some("9.2.11".into()),
        nodes: vec!["pve1".into()],
        containers: 24,
        status: "ok".into(),
        ..Default::default()
    };
    let check = |name: &str, result: &str, code: &str| pb::RemoteCheck {
        name: name.into(),
        result: result.into(),
        detail: "x".into(),
        latency_ms: 38,
        code: code.into(),
    };
    let checks = vec![check("api", "ok", ""), check("token", "failed", "LXC0603")];
    let fake = Fake::start(Script {
        nodes: Some(Ok(pb::ListNodesReply { items: vec![node], warnings: Vec::new() })),
        remotes: Some(Ok(pb::ListRemotesReply { items: vec![remote] })),
        test: Some(Ok(pb::TestRemoteReply { checks, remote: None })),
        ..Script::default()
    });
    assert_eq!(
        fake.run("lxcctl node").out,
        "NODE          STATUS  CPU       MEMORY  UPTIME  RUNNING  CONTAINERS  PVE\n\
         homelab/pve1  online   7%  11Gi / 32Gi     41d        7           9  9.2.11\n"
    );
    assert_eq!(
        fake.run("lxcctl remote ls").out,
        "NAME               URL                    STATUS  PVE     NODES  CONTAINERS  TOKEN         OWNER\n\
         homelab (default)  https://pve1.lan:8006  ok      9.2.11      1          24  lxcd@pve!cli  ops\n"
    );
    assert_eq!(json(&fake.run("lxcctl remote -o json").out)["kind"], "RemoteList");
    assert_eq!(fake.run("lxcctl remote show nowhere").code, 3);
    assert!(fake.run("lxcctl remote show homelab").out.starts_with("homelab (default)  ok\n  url "));
    assert_eq!(fake.run("lxcctl remote test homelab").code, 6);
    assert_eq!(fake.run("lxcctl remote remove homelab").code, 2, "a question, and no terminal");
    assert_eq!(fake.run("lxcctl remote set homelab").code, 2, "nothing to change");
}

#[test]
fn a_changed_certificate_is_shown_and_can_be_taken() {
    let certificate = pb::Certificate { fingerprint: "BB".into(), ..Default::default() };
    let item = pb::TrustItem {
        url: "https://pve1.lan:8006".into(),
        old_fingerprint: "AA".into(),
        certificate: Some(certificate),
        changed: true,
        ..Default::default()
    };
    let trust = pb::TrustReply { items: vec![item], remote: None };
    let fake = Fake::start(Script { trust: Some(Ok(trust)), ..Script::default() });
    let run = fake.run("lxcctl remote trust homelab");
    assert!(run.code == 7 && run.err.contains("lxcctl remote trust homelab --rotate"), "{run:?}");
    let run = fake.run("lxcctl remote trust homelab --rotate");
    assert!(run.code == 2 && run.err.contains("now BB"), "{run:?}");
    assert_eq!(fake.run("lxcctl remote trust homelab --rotate --yes").code, 0);
}

#[test]
fn operations_are_listed_logged_and_cancelled() {
    let op = operation("5d1e77a0", "start", &web_1());
    let task =
        error("LXC0101", "start of homelab/104 (web-1) failed", &["bridge 'vmbr9' does not exist"], &[]);
    let mut done = failed(&op, "failed", 1.9, task);
    done.actor = Some(pb::Actor { name: "ops".into(), ..Default::default() });
    let mut going = operation("4f9c2e1b", "restart", &web_1());
    (going.created_us, going.started_us) = (now() - secs(90.0), Some(now() - secs(61.0)));
    going.cancel_requested = true;
    let line = |kind: &str, text: &str| pb::Event {
        time_us: BEGUN,
        message: text.into(),
        r#type: kind.into(),
        ..Default::default()
    };
    let log = vec![line("step", "dispatching"), line("log", "TASK ERROR: bridge 'vmbr9' does not exist")];
    let notes = vec!["ends at the next step boundary".into()];
    let fake = Fake::start(Script {
        operations: Some(Ok(pb::ListOperationsReply { items: vec![going.clone(), done.clone()] })),
        get: Some(Ok(pb::GetOperationReply { operations: vec![done], log })),
        cancel: Some(Ok(pb::OperationsReply { operations: vec![going], notes })),
        ..Script::default()
    });
    let run = fake.run("lxcctl op ls --columns op,verb,target,result,took,code,detail");
    assert_eq!(
        run.out,
        "OP        VERB     TARGET       RESULT      TOOK  CODE     DETAIL\n\
         4f9c2e1b  restart  homelab/104  restarting     -  -        -\n\
         5d1e77a0  start    homelab/104  failed      1.9s  LXC0101  bridge 'vmbr9' does not exist\n"
    );
    assert_eq!(fake.run("lxcctl op").code, 0);
    assert_eq!(fake.run("lxcctl op ls --state runing").code, 2);
    assert_eq!(
        fake.run("lxcctl op log 5d1e77a0").out,
        "2026-11-21 14:02:11  calling Proxmox\n\
         2026-11-21 14:02:11  TASK ERROR: bridge 'vmbr9' does not exist\n"
    );
    assert!(fake.run("lxcctl op log 5d1e77a0 -o jsonl").out.contains("\"time\":\"2026-11-21T14:02:11Z\""));
    let run = fake.run("lxcctl op cancel 4f9c2e1b");
    assert!(run.out.contains("cancelling  1m 1s  ends at the next step boundary"), "{}", run.out);
    assert!(fake.run("lxcctl op show 5d1e77a0").out.contains("error[LXC0101]"));
}

#[test]
fn the_journal_the_audit_and_the_daemon() {
    let event = pb::Event {
        cursor: 1,
        time_us: 1_795_269_743_000_000,
        r#type: "stopped".into(),
        target: "edge/201".into(),
        name: Some("web-1".into()),
        actor: Some("ops".into()),
        how: Some("forced".into()),
        ..Default::default()
    };
    let record = pb::AuditRecord {
        time_us: 1_795_269_743_000_000,
        actor: Some(pb::Actor { name: "deploy".into(), ..Default::default() }),
        verb: "delete".into(),
        target: "edge/201".into(),
        result: Some("refused".into()),
        code: Some("LXC0601".into()),
        ..Default::default()
    };
    let actor = pb::Actor { name: "ops".into(), uid: 1003, domain: "box".into(), ..Default::default() };
    let roles = vec![pb::RemoteRole {
        remote: "edge".into(),
        role: "operator".into(),
        because: "group operators".into(),
    }];
    let me = pb::WhoAmIReply {
        actor: Some(actor),
        role: "operator".into(),
        because: "group operators".into(),
        remotes: roles,
    };
    let status = pb::StatusReply {
        version: "0.1.0".into(),
        pid: 7,
        started_us: now() - secs(7200.0),
        status: "ok".into(),
        problems: vec!["homelab was not asked for 3m".into()],
        ..Default::default()
    };
    let fake = Fake::start(Script {
        events: vec![Step::Say(pb::ListEventsReply { items: vec![event] })],
        audit: Some(Ok(pb::ListAuditReply { items: vec![record] })),
        whoami: Some(Ok(me)),
        status: Some(Ok(status)),
        ..Script::default()
    });
    assert_eq!(
        fake.run("lxcctl events 201").out,
        "TIME                 TARGET    NAME   EVENT    BY   OP  DETAIL\n\
         2026-11-21 14:02:23  edge/201  web-1  stopped  ops  -   forced\n"
    );
    // What --after takes.
    assert!(fake.run("lxcctl events 201 -o wide").out.starts_with("CURSOR  TIME "));
    assert!(
        fake.run("lxcctl events 201 -o wide --no-headers").out.starts_with("1  2026-11-21 14:02:23  edge")
    );
    assert_eq!(
        fake.run("lxcctl audit --failed").out,
        "TIME                 ACTOR   VERB    TARGET    OP  RESULT   CODE\n\
         2026-11-21 14:02:23  deploy  delete  edge/201  -   refused  LXC0601\n"
    );
    assert_eq!(
        fake.run("lxcctl whoami").out,
        "ops (uid 1003) on box  operator (group operators)\nREMOTE  ROLE      BECAUSE\nedge    operator  group operators\n"
    );
    let run = fake.run("lxcctl daemon");
    assert!(run.out.starts_with("lxcd 0.1.0  ok  up 2h\n  pid         7\n"), "{}", run.out);
    assert_eq!(run.err, "warning: homelab was not asked for 3m\n");
}

#[test]
fn the_shell_gets_live_names() {
    let item = pb::Container {
        remote: "homelab".into(),
        vmid: 104,
        name: Some("web-1".into()),
        status: "running".into(),
        ..Default::default()
    };
    let list = pb::ListContainersReply { items: vec![item], remotes: 1, ..Default::default() };
    let fake = Fake::start(Script { list: Some(Ok(list)), ..Script::default() });
    let ask = |socket: &std::path::Path| {
        let mut command = support::command(socket, "lxcctl -- lxcctl start ''");
        command.env("COMPLETE", "fish").env("_CLAP_COMPLETE_INDEX", "2");
        support::finish(&mut command)
    };
    let run = ask(&fake.socket());
    assert!(run.out.contains("homelab/104") && run.out.contains("web-1"), "{run:?}");
    let run = ask(std::path::Path::new("/nowhere"));
    assert!(!run.out.contains("homelab") && run.err.is_empty(), "{run:?}");
}

#[test]
fn warnings_make_a_mark_and_count_only_when_asked_for() {
    let op = operation("c81f03d7", "start", &web_1());
    let warned =
        pb::Operation { warnings: vec!["TASK WARNINGS: 1".into()], ..succeeded(&op, "started", 2.2) };
    let script = || support::build::one(&web_1(), "104", &op, vec![support::build::ended(warned.clone())]);
    let run = Fake::start(script()).run("lxcctl start 104");
    assert_eq!((run.out.as_str(), run.code), ("! homelab/104  web-1  started  2.2s  TASK WARNINGS: 1\n", 0));
    assert_eq!(Fake::start(script()).run("lxcctl start 104 --fail-on-warnings").code, 12);
}

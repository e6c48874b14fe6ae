//! The guide's examples of many containers: rows, questions, dry runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{
    container_ref, ended, error, failed, found, now, operation, secs, submitted, succeeded,
};
use support::guide::{assert_like, example};
use support::pty::{Terminal, screen};
use support::{Fake, Script};

#[test]
fn many_that_end_differently() {
    let target = |vmid: u32, name: &str| container_ref(&format!("homelab/{vmid}"), name, "stopped", "pve1");
    let op = |short: &str, vmid, name: &str| operation(short, "start", &target(vmid, name));
    let (a, b, c) =
        (op("00000001", 104, "web-1"), op("00000002", 105, "web-2"), op("5d1e77a0", 108, "web-3"));
    let (d, e) = (op("00000004", 110, "web-4"), op("00000005", 112, "web-5"));
    let task = error(
        "LXC0101",
        "start of homelab/108 (web-3) failed",
        &["bridge 'vmbr9' does not exist"],
        &[("lxcctl op log 5d1e77a0", "")],
    );
    let lock = error(
        "LXC0402",
        "Proxmox holds the lock 'backup'",
        &["homelab/112 (web-5) is locked by Proxmox itself: a backup is running"],
        &[("lxcctl start {target} --wait-lock 10m", "")],
    );
    let all = vec![a.clone(), b.clone(), c.clone(), d.clone(), e.clone()];
    // They end in another order than they are shown in.
    let watch = vec![
        ended(failed(&e, "refused", 0.1, lock)),
        ended(pb::Operation { detail: "already running".into(), ..succeeded(&a, "unchanged", 0.1) }),
        ended(failed(&c, "failed", 1.9, task)),
        ended(succeeded(&b, "started", 2.4)),
        ended(succeeded(&d, "started", 3.1)),
    ];
    let refs = all.iter().map(|op| op.target.clone().unwrap()).collect();
    let fake = Fake::start(Script {
        resolve: Some(Ok(found(refs, true, &[]))),
        submit: Some(Ok(submitted(all))),
        watches: [watch].into(),
        ..Script::default()
    });
    let line = "lxcctl start -l 'tag=web,remote=homelab' --if-needed";
    assert_like(&fake.run(line), line, 0);
}

fn two_to_delete() -> (Vec<pb::ContainerRef>, Script) {
    let hour = 3600.0;
    let mut refs = vec![
        container_ref("homelab/131", "ci-31", "stopped", "pve1"),
        container_ref("homelab/132", "ci-32", "running", "pve2"),
    ];
    refs[0].created_us = now() - secs(12.0 * 24.0 * hour + 60.0);
    refs[1].created_us = now() - secs(2.0 * hour + 60.0);
    refs[1].disk_bytes = 16 << 30;
    let (a, b) = (operation("00000131", "delete", &refs[0]), operation("00000132", "delete", &refs[1]));
    let watch = vec![ended(succeeded(&a, "deleted", 1.1)), ended(succeeded(&b, "deleted", 2.0))];
    let script = Script {
        resolve: Some(Ok(found(refs.clone(), true, &[]))),
        submit: Some(Ok(submitted(vec![a, b]))),
        watches: [watch].into(),
        ..Script::default()
    };
    (refs, script)
}

#[test]
fn delete_of_several_wants_their_number() {
    let line = "lxcctl delete -l 'tag=ci'";
    let (_, script) = two_to_delete();
    let fake = Fake::start(script);
    let mut terminal = Terminal::run(&fake.socket(), line);
    terminal.wait_for("Type 2 to go on: ");
    terminal.type_in("2\n");
    let (shown, code) = terminal.end();
    let want = example(line, 0);
    assert_eq!((screen(&shown), code), (format!("{}{}", want.err, want.out), want.code));
}

#[test]
fn another_answer_than_the_number_is_a_no() {
    let (_, script) = two_to_delete();
    let fake = Fake::start(script);
    let mut terminal = Terminal::run(&fake.socket(), "lxcctl delete -l 'tag=ci'");
    terminal.wait_for("Type 2 to go on: ");
    terminal.type_in("y\n");
    let (shown, code) = terminal.end();
    assert_eq!(code, 2);
    assert!(shown.contains("error[LXC0209]"), "{shown}");
    assert!(fake.asked.lock().unwrap().submits.is_empty());
}

#[test]
fn delete_without_a_terminal_wants_yes() {
    let ci = container_ref("homelab/131", "ci-31", "stopped", "pve1");
    let fake =
        Fake::start(Script { resolve: Some(Ok(found(vec![ci], false, &["131"]))), ..Script::default() });
    assert_like(&fake.run("lxcctl delete 131"), "lxcctl delete 131", 0);
}

#[test]
fn a_dry_run() {
    let refs = vec![
        container_ref("homelab/104", "web-1", "running", "pve1"),
        container_ref("homelab/109", "db-1", "unknown", "pve3"),
    ];
    let away = error("LXC0702", "pve3 is unreachable since 14:01", &["595 No route to host"], &[]);
    let items = vec![
        pb::DryRunItem {
            target: Some(refs[0].clone()),
            calls: vec!["POST …/104/status/shutdown timeout=30 forceStop=1".into()],
            verdict: "would stop".into(),
            changed: true,
            ..Default::default()
        },
        pb::DryRunItem {
            target: Some(refs[1].clone()),
            verdict: "would refuse".into(),
            error: Some(away),
            ..Default::default()
        },
    ];
    let fake = Fake::start(Script {
        resolve: Some(Ok(found(refs, false, &["104", "109"]))),
        dry_run: Some(Ok(pb::DryRunReply { items })),
        ..Script::default()
    });
    let line = "lxcctl shutdown 104 109 --dry-run";
    assert_like(&fake.run(line), line, 0);
    assert!(fake.asked.lock().unwrap().submits.is_empty());
}

//! The guide's examples of verbs, held against the real binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{
    BEGUN, container_ref, ended, error, failed, found, now, operation, progress, secs, seen, snapshot,
    submitted, succeeded,
};
use support::guide::example;
use support::pty::{Terminal, screen};
use support::{Fake, Run, Script, Step};

fn assert_like(run: &Run, line: &str, number: usize) {
    let want = example(line, number);
    assert_eq!(run.out, want.out, "stdout of {line}\nstderr was {}", run.err);
    assert_eq!(run.err, want.err, "stderr of {line}");
    assert_eq!(run.code, want.code, "exit of {line}");
}

fn web_1() -> pb::ContainerRef {
    container_ref("homelab/104", "web-1", "stopped", "pve1")
}

/// One target, one operation, one watch.
fn one(
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

fn start_104() -> (pb::Operation, Vec<Step<pb::WatchReply>>) {
    let op = operation("c81f03d7", "start", &web_1());
    let watch = vec![
        snapshot(&op),
        seen(progress(&op, 1, 0.02, "op c81f03d7")),
        seen(progress(&op, 2, 0.14, "task on pve1")),
        ended(succeeded(&op, "started", 2.2)),
    ];
    (op, watch)
}

#[test]
fn start_in_cron() {
    let (op, watch) = start_104();
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    assert_like(&fake.run("lxcctl start 104"), "lxcctl start 104", 1);
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked.submits[0].verb, "start");
    assert_eq!(asked.submits[0].refs, [web_1()], "the list that was shown is the list that runs");
    assert_eq!(asked.resolves[0].selection.as_ref().unwrap().targets, ["104"]);
}

#[test]
fn start_on_a_terminal_moves_and_leaves_only_the_row() {
    let (mut op, _) = start_104();
    op.created_us = now() - secs(1.0);
    let watch = vec![seen(progress(&op, 1, 0.1, "task on pve1")), Step::Hang];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let terminal = Terminal::run(&fake.socket(), "lxcctl start 104");
    terminal.wait_for("homelab/104  web-1  starting  task on pve1   ");
    terminal.signal(nix::sys::signal::Signal::SIGTERM);
    let (shown, code) = terminal.end();
    assert_eq!(code, 143);
    let moving = shown.split("\x1b[K").find(|frame| frame.contains("task on pve1")).unwrap();
    let moving = moving.rsplit('\r').next().unwrap().trim_start_matches(['\n']);
    let want = example("lxcctl start 104", 0).err;
    assert_eq!(moving.chars().count(), want.trim_end().chars().count(), "{moving:?}");
    assert!(screen(&shown).starts_with("→ homelab/104  web-1  detached  "), "{:?}", screen(&shown));
}

#[test]
fn start_of_a_running_one() {
    let op = operation("c81f03d7", "start", &web_1());
    let already = error(
        "LXC0501",
        "homelab/104 (web-1) is already running",
        &["on pve1, for 6d 4h"],
        &[("lxcctl start {target} --if-needed", "nothing to do is then a success")],
    );
    let watch = vec![ended(failed(&op, "refused", 0.1, already))];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    assert_like(&fake.run("lxcctl start 104"), "lxcctl start 104", 2);
}

#[test]
fn start_if_needed() {
    let op = operation("c81f03d7", "start", &web_1());
    let unchanged = pb::Operation { detail: "already running".into(), ..succeeded(&op, "unchanged", 0.1) };
    let script = || one(&web_1(), "104", &op, vec![ended(unchanged.clone())]);
    let fake = Fake::start(script());
    assert_like(&fake.run("lxcctl start 104 --if-needed"), "lxcctl start 104 --if-needed", 0);
    let fake = Fake::start(script());
    let run = fake.run("lxcctl start 104 --if-needed -o json");
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (answer["kind"].as_str(), answer["items"][0]["result"].as_str()),
        (Some("OperationList"), Some("unchanged"))
    );
    assert_eq!((answer["items"][0]["changed"].as_bool(), run.err.as_str()), (Some(false), ""));
}

#[test]
fn shutdown_that_proxmox_forces() {
    let db_2 = container_ref("homelab/106", "db-2", "running", "pve1");
    let op = operation("90ab77e2", "shutdown", &db_2);
    let forced = pb::Operation { how: Some("forced".into()), ..succeeded(&op, "stopped", 31.2) };
    let watch = vec![
        seen(progress(&op, 1, 0.03, "op 90ab77e2, grace 30s")),
        seen(progress(&op, 2, 30.1, "grace is over, Proxmox kills it")),
        ended(forced),
    ];
    let fake = Fake::start(one(&db_2, "106", &op, watch.clone()));
    assert_like(&fake.run("lxcctl shutdown 106"), "lxcctl shutdown 106", 0);
    let fake = Fake::start(one(&db_2, "106", &op, watch));
    assert_eq!(fake.run("lxcctl shutdown 106 --fail-on-warnings").code, 12);
}

#[test]
fn an_ambiguous_name() {
    let fault = error(
        "LXC0202",
        "web-1 is the name of 2 containers",
        &["edge/201     web-1  error    edge1", "homelab/104  web-1  running  pve1"],
        &[("lxcctl stop homelab/104", "")],
    );
    let fake = Fake::start(Script { resolve: Some(Err(fault)), ..Script::default() });
    assert_like(&fake.run("lxcctl stop web-1"), "lxcctl stop web-1", 0);
}

#[test]
fn a_locked_one() {
    let fault = error(
        "LXC0401",
        "homelab/104 (web-1) is locked",
        &["ops restarts it since 14:02:11, 9s ago (op 4f9c2e1b, step 1/2)"],
        &[("lxcctl stop {target} --wait-lock 60s", ""), ("lxcctl op watch 4f9c2e1b", "or watch")],
    );
    let resolve = found(vec![web_1()], false, &["104"]);
    let fake =
        Fake::start(Script { resolve: Some(Ok(resolve)), submit: Some(Err(fault)), ..Script::default() });
    assert_like(&fake.run("lxcctl stop 104"), "lxcctl stop 104", 0);
}

#[test]
fn a_denied_one() {
    let edge = container_ref("edge/201", "web-1", "error", "edge1");
    let mut fault = error(
        "LXC0601",
        "deploy may not delete edge/201 (web-1)",
        &["deploy is operator on edge (group operators); delete needs admin"],
        &[("ask ops, the owner of edge", "")],
    );
    fault.target = "edge/201".into();
    let resolve = found(vec![edge], false, &["edge/201"]);
    let fake =
        Fake::start(Script { resolve: Some(Ok(resolve)), submit: Some(Err(fault)), ..Script::default() });
    assert_like(&fake.run("lxcctl delete edge/201 --yes"), "lxcctl delete edge/201 --yes", 0);
    let line = "lxcctl delete edge/201 --yes -o json";
    let run = fake.run(line);
    let want = example(line, 0);
    assert!(run.err.starts_with(want.err.trim_end().trim_end_matches("…}")), "{}", run.err);
    assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (want.code, "", 1));
}

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
    let refs = vec![web_1(), container_ref("homelab/109", "db-1", "unknown", "pve3")];
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

#[test]
fn ctrl_c_detaches_and_says_how_to_come_back() {
    let mut op = operation("4f9c2e1b", "restart", &web_1());
    op.created_us = now() - secs(9.0);
    let mut stopping = progress(&op, 2, 0.1, "1/2 stopping, grace 30s");
    stopping.forced_at_us = Some(op.created_us + secs(30.0));
    let watch = vec![seen(stopping), Step::Hang];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let terminal = Terminal::run(&fake.socket(), "lxcctl restart 104");
    terminal.wait_for("homelab/104  web-1  restarting  1/2 stopping, forced in ");
    terminal.signal(nix::sys::signal::Signal::SIGINT);
    let (shown, code) = terminal.end();
    let want = example("lxcctl restart 104", 0);
    assert_eq!(code, want.code);
    let left = screen(&shown);
    let (row, hint) = left.trim_end().split_once('\n').unwrap();
    let time = row.rsplit("  ").next().unwrap();
    assert_eq!(row.replace(time, "9.4s"), want.out.trim_end());
    assert_eq!(hint, want.err.trim_end().lines().last().unwrap());
}

#[test]
fn op_watch_replays_and_follows() {
    let op = operation("4f9c2e1b", "restart", &web_1());
    let how = Some("graceful".to_owned());
    let watch = vec![
        snapshot(&op),
        seen(progress(&op, 1, 0.01, "op 4f9c2e1b")),
        seen(progress(&op, 2, 0.13, "1/2 stopping, grace 30s")),
        seen(progress(&op, 5, 12.7, "2/2 starting, task on pve1")),
        ended(pb::Operation { how, ..succeeded(&op, "restarted", 14.8) }),
    ];
    let get = pb::GetOperationReply { operations: vec![op], log: Vec::new() };
    let fake = Fake::start(Script { get: Some(Ok(get)), watches: [watch].into(), ..Script::default() });
    let line = "lxcctl op watch 4f9c2e1b";
    assert_like(&fake.run(line), line, 0);
}

#[test]
fn a_lost_connection_is_taken_up_again_and_no_event_is_seen_twice() {
    let (op, _) = start_104();
    let first = vec![
        seen(progress(&op, 1, 0.02, "op c81f03d7")),
        seen(progress(&op, 2, 0.14, "task on pve1")),
        Step::Break,
    ];
    let again = vec![
        // A daemon may replay more than it was asked for.
        seen(progress(&op, 2, 0.14, "task on pve1")),
        ended(succeeded(&op, "started", 2.2)),
    ];
    let mut script = one(&web_1(), "104", &op, first);
    script.watches.push_back(again);
    let fake = Fake::start(script);
    assert_like(&fake.run("lxcctl start 104"), "lxcctl start 104", 1);
    let watches = &fake.asked.lock().unwrap().watches;
    assert_eq!((watches[0].after_seq.as_slice(), watches[1].after_seq.as_slice()), (&[0][..], &[2][..]));
}

#[test]
fn patience_ends_with_ten_and_the_operation_goes_on() {
    let (op, mut watch) = start_104();
    watch.truncate(3);
    watch.push(Step::Hang);
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let run = fake.run("lxcctl start 104 --timeout 200ms -q");
    assert_eq!(run.code, 10);
    assert_eq!(
        run.err,
        "error[LXC1001]: gave up after 0.2s: homelab/104 (web-1) is still starting\n\
         \x20 why:  op c81f03d7: task on pve1\n\
         \x20 try:  lxcctl op watch c81f03d7        (it goes on without you)\n"
    );
}

#[test]
fn detach_and_jsonl_and_quiet() {
    let (op, watch) = start_104();
    let fake = Fake::start(one(&web_1(), "104", &op, watch.clone()));
    let run = fake.run("lxcctl start 104 --detach");
    assert_eq!(run.code, 0);
    assert!(run.out.starts_with("→ homelab/104  web-1  detached  "), "{}", run.out);
    assert!(run.err.starts_with("op c81f03d7 goes on.  watch: lxcctl op watch c81f03d7"), "{}", run.err);

    let fake = Fake::start(one(&web_1(), "104", &op, watch.clone()));
    let run = fake.run("lxcctl start 104 -o jsonl");
    let kinds: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = kinds.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds, run.err.as_str()), (vec!["Event", "Event", "Operation"], ""));

    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let run = fake.run("lxcctl start 104 -q");
    assert_eq!((run.out.as_str(), run.err.as_str(), run.code), ("", "", 0));
}

#[test]
fn op_show() {
    let target = web_1();
    let mut op = operation("4f9c2e1b", "restart", &target);
    let begun = now() - secs(200.0);
    op.created_us = begun;
    op = pb::Operation { how: Some("graceful".into()), ..succeeded(&op, "restarted", 14.8) };
    op.actor = Some(pb::Actor {
        name: "ops".into(),
        pid: 8812,
        process: "lxcctl".into(),
        tty: "pts/3".into(),
        ..Default::default()
    });
    let step = |name: &str, from: f64, took: f64, upid: &str| pb::Step {
        name: name.into(),
        state: "done".into(),
        outcome: Some("OK".into()),
        upid: Some(upid.into()),
        started_us: Some(begun + secs(from)),
        finished_us: Some(begun + secs(from + took)),
    };
    op.steps = vec![
        step("shutdown", 0.1, 12.6, "UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzshutdown:104:lxcd@pve!cli:"),
        step("start", 12.7, 2.1, "UPID:pve1:0003A20B:01F0C8A6:6B01A470:vzstart:104:lxcd@pve!cli:"),
    ];
    let get = pb::GetOperationReply { operations: vec![op], log: Vec::new() };
    let fake = Fake::start(Script { get: Some(Ok(get)), ..Script::default() });
    let line = "lxcctl op show 4f9c2e1b";
    let mut run = fake.run(line);
    let clock = jiff::Timestamp::from_microsecond(begun).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string();
    run.out = run.out.replace(&clock, "2026-11-21 14:02:11");
    assert_like(&run, line, 0);
    assert_eq!(BEGUN, 1_795_269_731_000_000);
}

#[test]
fn nothing_to_do_is_a_success_only_if_needed() {
    let fault = || error("LXC0304", "no container matches tag=nothing", &["…"], &[]);
    let fake = Fake::start(Script { resolve: Some(Err(fault())), ..Script::default() });
    assert_eq!(fake.run("lxcctl start -l tag=nothing").code, 3);
    assert_eq!(fake.run("lxcctl start -l tag=nothing --if-needed").code, 0);
    let run = fake.run("lxcctl start");
    assert!(run.code == 2 && run.err.starts_with("error[LXC0205]"), "{run:?}");
    assert_eq!(fake.run("lxcctl start ''").code, 2);
}

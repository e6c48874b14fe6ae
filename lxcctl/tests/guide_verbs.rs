//! The guide's examples of verbs, held against the real binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{
    container_ref, ended, error, failed, found, now, one, operation, progress, secs, seen, start_104,
    succeeded, web_1,
};
use support::guide::{assert_like, example};
use support::pty::{Terminal, screen};
use support::{Fake, Script, Step};

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
    (op.created_us, op.started_us) = (now() - secs(1.0), Some(now() - secs(1.0)));
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
fn what_waits_says_so_and_the_time_it_takes_begins_later() {
    let queued = pb::Operation { state: "queued".into(), started_us: None, ..start_104().0 };
    let begun = pb::Operation { started_us: Some(queued.created_us + secs(20.0)), ..queued.clone() };
    let watch = vec![
        seen(progress(&queued, 1, 0.0, "op c81f03d7")),
        seen(progress(&queued, 2, 20.1, "task on pve1")),
        ended(succeeded(&begun, "started", 22.2)),
    ];
    let fake = Fake::start(one(&web_1(), "104", &queued, watch));
    let run = fake.run("lxcctl start 104 --wait-lock 60s");
    assert_eq!(
        run.err,
        "  0.0s  homelab/104  web-1  waiting  op c81f03d7\n \
         20.1s  homelab/104  web-1  starting  task on pve1\n"
    );
    assert_eq!(run.out, "✓ homelab/104  web-1  started  2.2s\n");
    // What has not begun after a moment waits, whatever for.
    let (op, _) = start_104();
    let watch = vec![seen(progress(&op, 1, 0.0, "op c81f03d7")), Step::Hang];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let run = fake.run("lxcctl start 104 --timeout 1500ms");
    assert!(run.err.contains("s  homelab/104  web-1  waiting  op c81f03d7\n"), "{}", run.err);
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
    // What was asked for is told only once it is known that it begins.
    let watch = vec![seen(progress(&op, 1, 0.0, "op c81f03d7")), ended(failed(&op, "refused", 0.1, already))];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    assert_like(&fake.run("lxcctl start 104"), "lxcctl start 104", 2);
}

#[test]
fn start_if_needed() {
    let op = operation("c81f03d7", "start", &web_1());
    let unchanged = pb::Operation { detail: "already running".into(), ..succeeded(&op, "unchanged", 0.1) };
    let watch = vec![seen(progress(&op, 1, 0.0, "op c81f03d7")), ended(unchanged)];
    let script = || one(&web_1(), "104", &op, watch.clone());
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
    // The task of a lone shutdown has no line of its own: the first one is told as it begins.
    let task = pb::Event { r#type: "step".into(), step: Some(0), ..progress(&op, 2, 0.1, "watching") };
    let watch = vec![seen(progress(&op, 1, 0.03, "op 90ab77e2, grace 30s")), seen(task), Step::Hang];
    let fake = Fake::start(one(&db_2, "106", &op, watch));
    let run = fake.run("lxcctl shutdown 106 --timeout 200ms");
    assert!(
        run.err.starts_with("  0.0s  homelab/106  db-2  stopping  op 90ab77e2, grace 30s\n"),
        "{}",
        run.err
    );
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
fn nothing_to_do_is_a_success_only_if_needed() {
    let fault = || error("LXC0304", "no container matches tag=nothing", &["…"], &[]);
    let fake = Fake::start(Script { resolve: Some(Err(fault())), ..Script::default() });
    assert_eq!(fake.run("lxcctl start -l tag=nothing").code, 3);
    assert_eq!(fake.run("lxcctl start -l tag=nothing --if-needed").code, 0);
    let run = fake.run("lxcctl start");
    assert!(run.code == 2 && run.err.starts_with("error[LXC0205]"), "{run:?}");
    assert_eq!(fake.run("lxcctl start ''").code, 2);
}

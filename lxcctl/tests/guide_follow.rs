//! The guide's examples of letting go and coming back, and what happens when the connection breaks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{
    ended, now, one, operation, progress, secs, seen, snapshot, start_104, succeeded, web_1,
};
use support::guide::{assert_like, example};
use support::pty::{Terminal, screen};
use support::{Fake, Script, Step};

#[test]
fn ctrl_c_detaches_and_says_how_to_come_back() {
    let mut op = operation("4f9c2e1b", "restart", &web_1());
    (op.created_us, op.started_us) = (now() - secs(9.0), Some(now() - secs(9.0)));
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
    (op.created_us, op.started_us) = (begun, Some(begun));
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
}

#[test]
fn retry_makes_a_new_operation_and_follows_it() {
    let (op, watch) = start_104();
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let run = fake.run("lxcctl op retry 7d20c4aa");
    assert_eq!((run.out.as_str(), run.code), ("✓ homelab/104  web-1  started  2.2s\n", 0), "{run:?}");
    assert!(run.err.contains("starting  task on pve1"), "{}", run.err);
    let asked = std::mem::take(&mut fake.asked.lock().unwrap().retries);
    assert_eq!(asked[0].id, "7d20c4aa");
    assert!(uuid_like(&asked[0].request_id), "{asked:?}");

    let key = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b";
    let run = fake.run(&format!("lxcctl op retry 7d20c4aa --detach --request-id {key}"));
    assert!(run.code == 0 && run.out.starts_with("→ homelab/104  web-1  detached  "), "{run:?}");
    assert_eq!(fake.asked.lock().unwrap().retries[0].request_id, key);
}

fn uuid_like(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

#[test]
fn resolve_takes_a_persons_word() {
    let op = pb::Operation {
        state: "needs_attention".into(),
        result: "unknown".into(),
        ..succeeded(&operation("4f9c2e1b", "start", &web_1()), "unknown", 90.0)
    };
    let resolved = pb::Operation { state: "failed".into(), result: "failed".into(), ..op };
    let cancel = pb::OperationsReply { operations: vec![resolved], notes: Vec::new() };
    let fake = Fake::start(Script { cancel: Some(Ok(cancel)), ..Script::default() });
    let run = fake.run("lxcctl op resolve 4f9c2e1b --as failed");
    assert!(run.code == 0 && run.out.starts_with("✗ homelab/104  web-1  failed  1m 30s"), "{run:?}");
    let asked = &fake.asked.lock().unwrap().resolutions;
    assert_eq!((asked[0].id.as_str(), asked[0].r#as.as_str()), ("4f9c2e1b", "failed"));
    let run = fake.run("lxcctl op resolve 4f9c2e1b --as maybe");
    assert!(run.code == 2 && run.err.starts_with("error[LXC0214]: maybe is no value for --as"), "{run:?}");
    assert!(fake.run("lxcctl op resolve 4f9c2e1b").err.contains("lxcctl op resolve needs --as OUTCOME"));
}

//! Events, help, wrong usage and daemons that do not fit.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::error;
use support::guide::example;
use support::pty::Terminal;
use support::{Fake, Script, Step};

#[test]
fn events_follow_as_jsonl_until_they_are_interrupted() {
    let event = |cursor: i64, time_us: i64, kind: &str| pb::Event {
        cursor,
        time_us,
        r#type: kind.into(),
        target: "edge/201".into(),
        ..Default::default()
    };
    let first = event(48212, 1_795_269_743_000_000, "stopped");
    let second = event(48215, 1_795_269_746_000_000, "started");
    let items = vec![first, second];
    let events = vec![Step::Say(pb::ListEventsReply { items }), Step::Hang];
    let fake = Fake::start(Script { events, ..Script::default() });
    let line = "lxcctl events edge/201 --follow --after 48211 -o jsonl";
    let terminal = Terminal::run(&fake.socket(), line);
    terminal.wait_for("48215");
    terminal.signal(nix::sys::signal::Signal::SIGINT);
    let (shown, code) = terminal.end();
    let want = example(line, 0);
    assert_eq!(code, want.code);
    for (got, want) in shown.lines().zip(want.out.lines()) {
        assert!(got.starts_with(want.trim_end_matches("…}")), "{got}\n{want}");
    }
    assert_eq!(fake.asked.lock().unwrap().events[0].after, Some(48211));
    let run = fake.run("lxcctl events --follow -o json");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("-o jsonl") || run.err.contains("jsonl"), "{}", run.err);
}

#[test]
fn an_older_daemon_and_one_that_refuses_are_told_apart() {
    let fake = Fake::start(Script {
        list: Some(Err(error(
            "LXC0802",
            "lxcctl 0.1 and lxcd 0.9 do not understand each other",
            &["x"],
            &[],
        ))),
        ..Script::default()
    });
    let run = fake.run("lxcctl ls");
    assert_eq!(run.code, 8);
    assert!(run.err.starts_with("error[LXC0802]: lxcctl 0.1"), "{}", run.err);
    let run = fake.run("lxcctl whoami");
    assert_eq!(run.code, 8, "{}", run.err);
    assert!(run.err.contains("does not know this call"), "{}", run.err);
}

#[test]
fn help_and_errors_of_usage() {
    let fake = Fake::start(Script::default());
    let help = fake.run("lxcctl --help");
    assert!(
        help.out.starts_with("Manage LXC containers on Proxmox VE.\n\nLook       ls  show"),
        "{}",
        help.out
    );
    assert_eq!(fake.run("lxcctl help").out, help.out);
    assert_eq!(fake.run("lxcctl help selectors").code, 0);
    assert_eq!(fake.run("lxcctl help nonsense").code, 3);
    assert!(fake.run("lxcctl explain lxc0401").out.starts_with("# LXC0401: "));
    assert_eq!(fake.run("lxcctl explain LXC9999").code, 3);
    assert_eq!(fake.run("lxcctl").code, 2);
    let run = fake.run("lxcctl strat 104 -o json");
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with(r#"{"api_version":"v1","kind":"Error","code":"LXC0201""#), "{}", run.err);
    let long = format!("/tmp/{}", "x".repeat(120));
    let run = support::run(std::path::Path::new(&long), "lxcctl ls");
    assert!(run.code == 8 && run.err.starts_with("error[LXC0803]"), "{run:?}");
}

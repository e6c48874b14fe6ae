//! Letting go, coming back, looking back: signals, `op`, `events`, `audit`.

use lxc_tests::harness::{World, ct, running, until};
use lxc_tests::pvesim::{CtChange, CtSpec};
use nix::sys::signal::Signal;
use serde_json::Value;

fn slow_world() -> World {
    World::with([CtSpec { start_seconds: Some(600.0), ..ct(104, "web-1") }, running(105, "web-2")])
}

fn hurry(world: &World) {
    let quick = CtChange { start_seconds: Some(0.1), ..CtChange::default() };
    world.sim.control().change_container(104, &quick).expect("changed");
}

#[test]
fn a_signal_lets_go_and_nothing_else() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let world = slow_world();
        let mut starting = world.begin("start 104");
        starting.wait_for("task on pve1").signal(signal);
        let run = starting.end();
        run.exits(code).prints("→ homelab/104  web-1  detached").says("goes on without you");
        let id = run.operation();
        assert_eq!(
            world.listed("homelab/104").expect("listed")["operation_id"]
                .as_str()
                .map(|id| id[28..].to_owned()),
            Some(id.clone())
        );
        world.ctl(&format!("op cancel {id}")).exits(0);
        world.ctl(&format!("op wait {id}")).exits(1);
    }
}

#[test]
fn ctrl_c_on_a_terminal() {
    let world = slow_world();
    let mut terminal = world.terminal("start 104");
    terminal.wait_for("task on pve1").signal(Signal::SIGINT);
    let run = terminal.end();
    run.exits(130).prints("detached").prints("lxcctl op watch");
}

#[test]
fn a_killed_client_changes_nothing() {
    let world = World::with([CtSpec { start_seconds: Some(20.0), ..ct(104, "web-1") }]);
    let mut starting = world.begin("start 104");
    starting.wait_for("task on pve1").signal(Signal::SIGKILL);
    assert_eq!(starting.end().code, 137);
    world.wait_listed("homelab/104", "running", |item| item["status"] == "running");
}

#[test]
fn watching_from_elsewhere_sees_everything_once() {
    let world = World::with([CtSpec { start_seconds: Some(60.0), ..ct(104, "web-1") }]);
    let id = world.ctl("start 104 --detach").exits(0).operation();
    let run = world.ctl(&format!("op watch {id}"));
    run.exits(0).prints("started").says(&format!("op {id}")).says("task on pve1");
    let again = world.ctl(&format!("op watch {id}"));
    again.exits(0).prints("started");
    let json = world.ctl(&format!("op show {id} -o json")).exits(0).json();
    assert!(json["id"].as_str().is_some_and(|full| full.ends_with(&id)), "{json}");
    world
        .ctl(&format!("op show {id}"))
        .exits(0)
        .prints("start homelab/104 (web-1)  succeeded")
        .prints("UPID:pve1:")
        .prints("by   ");
    // Who asked is known in full wherever an operation is told.
    let done = world.ctl("stop 104 -o json").exits(0).json();
    let listed = world.ctl("op ls -n 1 -o json").exits(0).json();
    for told in [&done, &listed] {
        let actor = &told["items"][0]["actor"];
        assert_eq!(actor["process"], "lxcctl", "{told}");
        assert!(actor["pid"].as_u64().is_some_and(|pid| pid > 0) && actor["domain"] != "", "{told}");
    }
    world.ctl(&format!("op log {id}")).exits(0);
    world.ctl("op show 00000000").fails("LXC0303");
    world.ctl("op show zz").fails("LXC0303");
}

#[test]
fn operations_are_listed_retried_and_resolved() {
    let world = World::with([ct(104, "web-1"), ct(105, "web-2")]);
    world.sim.control().add_fault("task-fail:start:104:disk is on fire").expect("fault");
    let failed = world.ctl("start 104");
    failed.fails("LXC0101").says("disk is on fire");
    let id = failed.operation();
    world.ctl("start 105").exits(0);
    world.ctl("op ls").exits(0).prints(&id).prints("homelab/105");
    world.ctl("op").exits(0).prints(&id);
    let only = world.ctl("op ls --state failed -o json").exits(0).json();
    assert_eq!(only["items"].as_array().map(Vec::len), Some(1), "{only}");
    world.ctl("op ls 105 -o name").exits(0);
    assert!(!world.ctl("op ls 105").out.contains(&id));
    world.ctl(&format!("op cancel {id}")).fails("LXC0508");
    world.ctl(&format!("op resolve {id} --as succeeded")).fails("LXC0508");
    world.ctl(&format!("op retry {id}")).exits(0).prints("started");
    let newest = world.ctl("op ls -n 1 -o json").exits(0).json();
    let retry_of = newest["items"][0]["retry_of"].as_str().map(str::to_owned);
    assert!(retry_of.is_some_and(|of| of.ends_with(&id)), "{newest}");
    let done = newest["items"][0]["id"].as_str().expect("an id").to_owned();
    world.ctl(&format!("op retry {done}")).fails("LXC0508");
}

#[test]
fn what_nobody_knows_asks_for_a_person() {
    let world = World::with([ct(104, "web-1")]);
    world.sim.control().add_fault("task-hang:start:104").expect("fault");
    let id = world.ctl("start 104 --detach").exits(0).operation();
    until("the task", || if world.calls().is_empty() { Err("none".to_owned()) } else { Ok(()) });
    world.sim.control().node("pve1", "daemon-down").expect("down");
    let mut watching = world.begin(&format!("op watch {id}"));
    watching.wait_for("op ");
    world.ctl(&format!("op cancel {id} --abandon")).exits(0);
    watching.end().fails("LXC1101").says(&format!("lxcctl op resolve {id} --as"));
    world.sim.control().node("pve1", "daemon-up").expect("up");
    world.ctl("ls").exits(0);
    world.ctl(&format!("op resolve {id} --as failed")).exits(0);
    let item = world.listed("homelab/104").expect("listed");
    assert_eq!(item["attention"], Value::Null, "{item}");
    world.ctl("audit ls").exits(0).prints("resolve");
}

#[test]
fn events_go_on_where_they_were_left() {
    let world = World::with([ct(104, "web-1"), ct(105, "web-2")]);
    let mut following = world.begin("events homelab/104 --follow -o jsonl");
    world.ctl("start 104").exits(0);
    world.ctl("start 105").exits(0);
    world.ctl("stop 104").exits(0);
    following.wait_for("\"type\":\"stopped\"");
    following.signal(Signal::SIGINT);
    let run = following.end();
    run.exits(130);
    let lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().all(|event| event["target"] == "homelab/104"), "{run}");
    let cursors: Vec<i64> = lines.iter().map(|event| event["cursor"].as_i64().expect("a cursor")).collect();
    assert!(cursors.windows(2).all(|pair| pair[0] < pair[1]), "each once, in order: {cursors:?}");
    let types = |run: &lxc_tests::harness::Run| -> Vec<String> {
        run.out
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok()?["type"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(types(&run), ["started", "stopped"]);
    let after = world.ctl(&format!("events 104 --after {} -o jsonl", cursors[0]));
    assert_eq!(types(&after), ["stopped"]);
    let mut following = world.begin(&format!("events --follow --after {} -o jsonl", cursors[0]));
    following.wait_for("\"target\":\"homelab/105\"").wait_for("\"type\":\"stopped\"");
    world.ctl("events --follow -o json").exits(2);
    world.ctl("events --type nonsense").exits(2);
    world.ctl("events --since 10m --type started").exits(0).prints("web-1").prints("web-2");
    world.ctl("events --actor nobody-else -o jsonl").exits(0);
}

#[test]
fn the_last_ones_are_the_last_ones_of_what_is_asked_for() {
    let world = World::with([ct(104, "web-1"), ct(105, "web-2")]);
    world.ctl("start 104").exits(0);
    world.ctl("start 105").exits(0);
    world.ctl("stop 105").exits(0);
    for line in
        ["op ls 104 -n 1 -o json", "events 104 -n 1 -o json", "audit ls --target homelab/104 -n 1 -o json"]
    {
        world.ctl(line).exits(0).prints("homelab/104");
    }
    let all = world.ctl("op ls --remote homelab -n 2 -o json").exits(0).json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(2), "{all}");
    // Of a remote, also what is told of containers that are gone, and by its earlier name.
    world.ctl("delete 104 --yes").exits(0);
    world.ctl("events --remote homelab --type deleted -o json").exits(0).prints("homelab/104");
    world.ctl("remote set homelab --name home").exits(0);
    world.ctl("op ls --remote home -o json").exits(0).prints("homelab/104");
}

#[test]
fn the_audit_knows_who_and_how_it_ended() {
    let world = World::with([ct(104, "web-1")]);
    world.ctl("start 104").exits(0);
    world.ctl("start 104").exits(5);
    world.ctl("delete 104 --yes").exits(0);
    let all = world.ctl("audit ls -o json").exits(0).json();
    let items = all["items"].as_array().expect("a list");
    let verbs: Vec<&str> = items.iter().filter_map(|item| item["verb"].as_str()).collect();
    assert_eq!(verbs, ["remote add", "start", "start", "delete"], "{all}");
    let me = world.ctl("whoami -o json").exits(0).json();
    assert_eq!(items[1]["actor"]["name"], me["actor"]["name"], "{all} {me}");
    assert_eq!(items[2]["code"], "LXC0501");
    let failed = world.ctl("audit ls --failed -o json").exits(0).json();
    assert_eq!(failed["items"].as_array().map(Vec::len), Some(1), "{failed}");
    world.ctl("audit ls --target homelab/104").exits(0).prints("delete");
    world.ctl("audit ls --verb start -n 1").exits(0);
    world.ctl("whoami").exits(0).prints("admin");
}

#[test]
fn a_watcher_outlives_the_daemon() {
    let mut world = slow_world();
    let mut starting = world.begin("start 104 --timeout 0");
    starting.wait_for("task on pve1");
    world.daemon.stop();
    world.daemon.start();
    hurry(&world);
    let id = world.listed("homelab/104").expect("listed")["operation_id"].as_str().expect("held").to_owned();
    world.ctl(&format!("op cancel {id}")).exits(0);
    let run = starting.end();
    run.fails("LXC0102");
    let lines: Vec<&str> = run.err.lines().filter(|line| line.contains("task on pve1")).collect();
    assert_eq!(lines.len(), 1, "each step is told once: {run}");
}

#[test]
fn a_stream_from_a_cursor_has_no_holes() {
    let world = World::with([ct(104, "web-1")]);
    for verb in ["start", "stop", "start", "stop"] {
        world.ctl(&format!("{verb} 104")).exits(0);
    }
    let all = world.ctl("events --after 0 -o jsonl");
    let last = all.out.lines().last().expect("events").to_owned();
    let mut following = world.begin("events --after 0 -n 2 --follow -o jsonl");
    following.wait_for(&last);
    following.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(following.end().out, all.out);
}

//! Many containers at once: selecting, asking, pacing, and one exit code for all.

use lxc_tests::harness::{SCALE, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;
use lxc_tests::pvesim::model::Record;
use serde_json::json;

fn fleet() -> World {
    let tagged = |spec: CtSpec, tag: &str| CtSpec { tags: vec![tag.to_owned()], ..spec };
    World::with([
        tagged(running(104, "web-1"), "web"),
        tagged(ct(105, "web-2"), "web"),
        tagged(CtSpec { lock: Some("backup".into()), ..ct(106, "web-3") }, "web"),
        tagged(ct(110, "db-1"), "db"),
        tagged(CtSpec { fails_start: true, ..ct(111, "db-2") }, "db"),
        tagged(ct(112, "ci-1"), "ci"),
        tagged(ct(113, "ci-2"), "ci"),
    ])
}

#[test]
fn one_row_each_and_one_exit_code() {
    let world = fleet();
    let run = world.ctl("start -l tag=web --if-needed");
    run.exits(9)
        .prints("· homelab/104  web-1  unchanged")
        .prints("✓ homelab/105  web-2  started")
        .prints("✗ homelab/106  web-3  refused")
        .prints("LXC0402")
        .says("3 targets: 1 started, 1 unchanged, 1 refused")
        .says("LXC0402  lxcctl start homelab/106 --wait-lock");
    world.ctl("start 104 105").exits(5);
    world.ctl("start 104 106").exits(1);
    world.ctl("start 104 111").exits(1);
    let json = world.ctl("start ci-1 ci-2 -o json").exits(0).json();
    assert_eq!((&json["kind"], json["items"].as_array().map(Vec::len)), (&json!("OperationList"), Some(2)));
    let lines = world.ctl("stop ci-1 ci-2 -o jsonl").exits(0).out.clone();
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    world.ctl("start ci-1 ci-2 -o name").exits(0);
    // All the same way, and a bad one: it is said all the same, with one line to type for both.
    world
        .ctl("start ci-1 ci-2")
        .exits(5)
        .says("2 targets: 2 refused\n  LXC0501  lxcctl start homelab/112 homelab/113 --if-needed\n");
}

#[test]
fn nothing_is_everything_only_when_said() {
    let world = fleet();
    for line in ["stop", "stop -l ''", "stop ''", "stop -l tag=", "stop --all -l ''"] {
        let run = world.ctl(line);
        assert_eq!(run.code, 2, "{run}");
    }
    world.ctl("stop -l 'stauts=running'").fails("LXC0203").says("^^^^^^ status?");
    world.ctl("stop -l 'tag'").exits(2);
    world.ctl("start -l tag=nope").fails("LXC0304").says("lxcctl start -l tag=nope --if-needed");
    world.ctl("start -l tag=nope --if-needed").exits(0);
    world.ctl("start -l tag=nope --if-needed -o json").exits(0).prints("\"items\": []");
    world.ctl("start 999").fails("LXC0301");
    world.ctl("start nowhere/104").exits(3);
    world.ctl("start -l tag=ci --at-most 1").fails("LXC0207").says("lxcctl start -l tag=ci --at-most 2");
    world.ctl("start -l tag=ci --at-most 2").exits(0);
    let other = world.another_sim(|mut config| {
        config.population = Some(vec![ct(104, "web-1"), ct(300, "edge-1")]);
        config
    });
    world.add("edge", &other).exits(0);
    world
        .ctl("start web-1")
        .fails("LXC0202")
        .says("edge/104")
        .says("homelab/104")
        .says("lxcctl start homelab/104");
    world.ctl("start 104").fails("LXC0202");
    world.ctl("stop --all --yes").fails("LXC0210");
    world.ctl("stop '*' --yes").fails("LXC0210");
    world.ctl("start 104 --remote edge").exits(0).prints("edge/104");
    world.ctl("remote set homelab --default").exits(0);
    world.ctl("start 104 --if-needed").exits(0).prints("homelab/104");
    let cli = world.cli.clone().env("LXCCTL_REMOTE", "edge");
    cli.run("stop 104").exits(0).prints("edge/104");
}

#[test]
fn what_is_asked_before_something_is_lost() {
    let world = fleet();
    world.ctl("stop -l tag=web").fails("LXC0206").says("--yes");
    world.ctl("stop 'web-*'").fails("LXC0206");
    let mut terminal = world.terminal("delete -l tag=ci");
    terminal
        .wait_for("homelab/112")
        .wait_for("Deletes 2 containers with their disks and snapshots, for good");
    terminal.wait_for("Type 2 to go on:").answer("y");
    terminal.end().prints("LXC0209").exits(2);
    assert_eq!(world.calls(), [""; 0]);
    let mut terminal = world.terminal("delete -l tag=ci");
    terminal.wait_for("Type 2 to go on:").answer("2");
    terminal.end().exits(0).prints("homelab/112  ci-1  deleted");
    let mut terminal = world.terminal("delete 110");
    terminal.wait_for("Deletes homelab/110 (db-1)").wait_for("[y/N]").answer("");
    terminal.end().exits(2);
    // Named one by one, a stop is meant.
    world.ctl("stop 104").exits(0);
    world.ctl("start 104 105").exits(0);
    world.ctl("stop 104 105").exits(0);
}

/// The most tasks of that kind that ran side by side while `act` ran.
fn side_by_side(world: &World, kind: &str, act: impl FnOnce()) -> usize {
    let before = world.sim.ledger().len();
    act();
    let (mut now, mut most) = (0_usize, 0);
    for entry in world.sim.ledger().into_iter().skip(before) {
        match entry.record {
            Record::TaskStart { upid } if upid.contains(kind) => now += 1,
            Record::TaskEnd { upid, .. } if upid.contains(kind) => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    most
}

#[test]
fn so_many_at_once_and_no_more() {
    let slow = |vmid| CtSpec {
        start_seconds: Some(10.0),
        tags: vec!["web".into()],
        ..ct(vmid, &format!("web-{vmid}"))
    };
    let world = World::with((104..112).map(slow));
    let run = |line: &str| {
        world.ctl(line).exits(0);
    };
    assert_eq!(side_by_side(&world, "vzstart", || run("start -l tag=web --max-parallel 3")), 3);
    assert_eq!(side_by_side(&world, "vzstart", || run("restart -l tag=web --yes --max-parallel 1")), 1);
    run("stop -l tag=web --yes");
    assert_eq!(side_by_side(&world, "vzstart", || run("start -l tag=web --max-per-node 2")), 2);
}

#[test]
fn the_first_failure_stops_the_rest() {
    let world = World::with([CtSpec { fails_start: true, ..ct(104, "a") }, ct(105, "b"), ct(106, "c")]);
    let run = world.ctl("start 104 105 106 --max-parallel 1 --on-error stop");
    run.exits(1).prints("· homelab/105  b  refused").prints("LXC0111  was not begun");
    assert_eq!(world.calls().len(), 1, "{:?}", world.calls());
    world.ctl("start 104 105 106 --max-parallel 1").exits(9);
}

#[test]
fn a_batch_is_watched_and_cancelled_as_one() {
    let slow = |vmid| CtSpec { start_seconds: Some(600.0), ..ct(vmid, &format!("web-{vmid}")) };
    let world = World::with((104..107).map(slow));
    let run = world.ctl("start 104 105 106 --max-parallel 2 --detach");
    run.exits(0).says("3 operations go on").prints("→");
    let batch = run
        .err
        .split("op watch ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("an id")
        .to_owned();
    let watching = world.begin(&format!("op watch {batch}"));
    let waiting = world.begin(&format!("op wait {batch} -q"));
    world.ctl(&format!("op wait {batch} --timeout 1")).exits(10);
    world.ctl(&format!("op cancel {batch}")).exits(0);
    watching.end().exits(1).prints("homelab/106");
    waiting.end().exits(1);
    until("no lock", || match world.ctl("ls -o json").out.contains("\"operation_id\": \"") {
        true => Err("held".to_owned()),
        false => Ok(()),
    });
}

#[test]
fn the_same_request_twice_is_one() {
    let world = fleet();
    let id = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b";
    world.ctl(&format!("start 105 --request-id {id}")).exits(0).prints("started");
    let calls = world.calls().len();
    world.ctl(&format!("start 105 --request-id {id}")).exits(0).prints("started");
    assert_eq!(world.calls().len(), calls, "it was not done again");
    world.ctl(&format!("start 105 --request-id {id} --if-needed")).fails("LXC0211");
    world.ctl(&format!("stop 105 --request-id {id}")).fails("LXC0211");
    world.ctl(&format!("start 104 --request-id {id}")).fails("LXC0211");
    world.ctl("start 105 --request-id 17").fails("LXC0214");
}

#[test]
fn the_same_request_is_itself_though_its_targets_are_not_what_they_were() {
    let world = fleet();
    let id = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1c";
    let delete = format!("delete 110 --yes --request-id {id}");
    world.ctl(&delete).exits(0).prints("deleted");
    let calls = world.calls().len();
    // Gone, and not found again by its number.
    world.ctl("delete 110 --yes").fails("LXC0301");
    world.ctl(&delete).exits(0).prints("deleted");
    let again = world.ctl(&format!("{delete} -o json")).exits(0).json();
    assert_eq!(again["items"][0]["request_id"], id, "{again}");
    world.ctl(&format!("start 110 --request-id {id}")).fails("LXC0211");
    // Picked by what has changed since: nothing matches any more, or other containers would.
    let id = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1d";
    let start = format!("start -l tag=ci,status=stopped --request-id {id}");
    world.ctl(&start).exits(0);
    world.ctl(&start).exits(0).prints("homelab/112").prints("homelab/113");
    assert_eq!(world.calls().len(), calls + 2, "{:?}", world.calls());
    // A retry is a request like any other.
    world.ctl("start 111").exits(1);
    let op =
        world.ctl("op ls 111 -o json").exits(0).json()["items"][0]["id"].as_str().expect("an id").to_owned();
    let retry = format!("op retry {op} --request-id 01a1fe6a-2384-7b31-9c44-a1d24f9c2e1e");
    world.ctl(&retry).exits(1);
    world.ctl("delete 111 --yes").exits(0);
    let calls = world.calls().len();
    world.ctl(&retry).exits(1);
    assert_eq!(world.calls().len(), calls, "{:?}", world.calls());
}

#[test]
fn a_pause_between_two_is_kept() {
    let world = World::with([ct(104, "a"), ct(105, "b"), ct(106, "c")]);
    world.ctl("start 104 105 106 --pause 1s").exits(0);
    let began: Vec<u64> = world
        .sim
        .ledger()
        .into_iter()
        .filter_map(|entry| matches!(entry.record, Record::TaskStart { .. }).then_some(entry.at_ms))
        .collect();
    // The simulator's clock runs as much faster; a second less what the first one took to begin.
    let least = 700 * u64::from(SCALE);
    assert!(began.len() == 3 && began.windows(2).all(|pair| pair[1] - pair[0] >= least), "{began:?}");
}

//! One verb on one container: every refusal in its own words, every way to be done
//! (docs/proxmox.md).

use lxc_tests::harness::{Setup, World, ct, running, until};
use lxc_tests::pvesim::{CtChange, CtSpec};
use serde_json::{Value, json};

fn change(world: &World, vmid: u32, change: &CtChange) {
    world.sim.control().change_container(vmid, change).expect("changed");
}

fn option(key: &str, value: &str) -> CtChange {
    CtChange { config: [(key.to_owned(), value.to_owned())].into(), ..CtChange::default() }
}

fn fault(world: &World, spec: &str) {
    world.sim.control().add_fault(spec).expect("fault");
}

#[test]
fn the_five_verbs() {
    let world = World::with([ct(104, "web-1")]);
    world.ctl("start 104").exits(0).prints("✓ homelab/104  web-1  started");
    world.ctl("start 104").fails("LXC0501").says("is already running").says("--if-needed");
    world.ctl("start 104 --if-needed").exits(0).prints("· homelab/104  web-1  unchanged");
    world.ctl("shutdown web-1").exits(0).prints("stopped");
    world.ctl("shutdown 104").fails("LXC0502");
    world.ctl("stop 104").fails("LXC0502").says("is not running");
    world.ctl("restart 104").exits(0).prints("restarted");
    world.ctl("restart homelab/104").exits(0).prints("restarted");
    world.ctl("stop homelab/web-1").exits(0).prints("stopped");
    world.ctl("delete 104").fails("LXC0206");
    world.ctl("delete 104 --yes").exits(0).prints("deleted");
    world.ctl("delete 104 --yes").fails("LXC0301");
    world.ctl("delete 104 --yes --if-needed").exits(0);
    assert_eq!(world.sim.control().containers().len(), 0);
    assert_eq!(world.calls().len(), 7, "one call per step: {:?}", world.calls());
    assert_eq!(world.ctl("ls -o name").out, "");
}

#[test]
fn a_shutdown_says_how_it_went() {
    let world = World::with([running(104, "polite"), CtSpec { stubborn: true, ..running(105, "stubborn") }]);
    let run = world.ctl("shutdown 104 -o json").exits(0).json();
    assert_eq!(run["items"][0]["how"], "graceful", "{run}");
    // On a machine that is busy enough nobody looks in the moment of the kill; then it is `unobserved`.
    let killed = |line: &str| {
        until("a kill that was seen", || {
            let run = world.ctl(line);
            if run.out.contains("(forced)") {
                return Ok(run);
            }
            world.ctl("start 105").exits(0);
            Err(run.to_string())
        })
    };
    killed("shutdown 105").exits(0).prints("stopped (forced)").says("was killed after 30s of grace");
    world.ctl("start 105").exits(0);
    killed("shutdown 105 --fail-on-warnings").exits(12);
    world.ctl("start 105").exits(0);
    world.ctl("shutdown 105 --no-force").fails("LXC0106").says("lxcctl stop");
    assert_eq!(world.listed("homelab/105").expect("listed")["status"], "running");
    world.ctl("shutdown 105 --grace 0").exits(2);
    world.ctl("events 105 --type stopped -o json").exits(0).prints("forced");
}

#[test]
fn proxmoxs_own_lock_is_honoured() {
    let world = World::with([CtSpec { lock: Some("backup".into()), ..running(104, "mail") }]);
    let run = world.ctl("stop 104");
    run.fails("LXC0402").says("holds the lock 'backup'").says("--wait-lock");
    assert_eq!(world.calls(), [""; 0], "nothing is called");
    world.ctl("stop 104 --wait-lock 1s").fails("LXC0402").says("waited 1s for it");
    let mut waiting = world.begin("stop 104 --wait-lock 10m");
    waiting.wait_for("op ");
    change(&world, 104, &CtChange { lock: Some(String::new()), ..CtChange::default() });
    waiting.end().exits(0).prints("stopped");
    // The lock comes between the look and the call: the task fails in the same words.
    world.ctl("start 104").exits(0);
    fault(&world, "task-fail:stop:104:CT is locked (snapshot)");
    world.ctl("stop 104").fails("LXC0402").says("snapshot");
}

#[test]
fn our_own_lock_names_its_holder() {
    let world = World::with([CtSpec { start_seconds: Some(600.0), ..ct(104, "slow") }]);
    let id = world.ctl("start 104 --detach").exits(0).prints("detached").operation();
    let run = world.ctl("stop 104");
    run.fails("LXC0401").says("starts it since").says(&format!("lxcctl op watch {id}"));
    let run = world.ctl("stop 104 -o json");
    run.exits(4);
    assert_eq!(run.json()["items"][0]["error"]["code"], "LXC0401");
    let mut waiting = world.begin("start 104 --wait-lock 0 --if-needed");
    waiting.wait_for("op ");
    world.ctl(&format!("op cancel {id}")).exits(0);
    world.ctl(&format!("op wait {id}")).fails("LXC0102");
    change(&world, 104, &CtChange { start_seconds: Some(0.1), ..CtChange::default() });
    let run = waiting.end();
    assert!(matches!(run.code, 0), "{run}");
}

#[test]
fn what_may_not_be_deleted_or_started() {
    let world = World::with([
        CtSpec { protection: true, ..running(104, "vault") },
        CtSpec { template: true, ..ct(105, "base") },
    ]);
    world.ctl("delete 104 --yes").fails("LXC0503").says("protection: 1").says("pct set 104 --protection 0");
    world.ctl("start 105").fails("LXC0505").says("template");
    assert_eq!(world.calls(), [""; 0]);
    change(&world, 104, &option("protection", ""));
    world.ctl("delete 104 --yes").exits(0);
}

#[test]
fn a_moved_container_is_found_again() {
    let world = Setup::default().nodes(&["pve1", "pve2"]).containers([ct(104, "web-1")]).start();
    change(&world, 104, &CtChange { node: Some("pve2".into()), ..CtChange::default() });
    world.ctl("start 104").exits(0);
    assert!(
        world.calls().iter().any(|call| call.contains("/nodes/pve2/lxc/104/status/start")),
        "{:?}",
        world.calls()
    );
}

#[test]
fn removed_behind_our_back() {
    let world = World::with([ct(104, "web-1"), ct(105, "web-2"), running(106, "web-3")]);
    world.sim.control().remove_container(104).expect("removed");
    let run = world.ctl("start 104");
    assert_eq!(run.code, 3, "{run}");
    // Accepted, and then gone before the task looks.
    fault(&world, "task-fail:start:105:Configuration file 'nodes/pve1/lxc/105.conf' does not exist");
    world.ctl("start 105").exits(3);
    // Gone already is what a delete wants.
    world.sim.control().remove_container(106).expect("removed");
    world.ctl("delete 106 --yes").exits(0);
    assert_eq!(world.listed("homelab/106"), None);
}

#[test]
fn a_busy_config_file_is_tried_again() {
    let world = World::with([ct(104, "web-1")]);
    fault(&world, "lock-timeout:104:2");
    world.ctl("start 104").exits(0).prints("started");
    fault(&world, "lock-timeout:104:9");
    world.ctl("stop 104").fails("LXC0403").says("config file");
    world.sim.control().clear_faults();
    world.ctl("stop 104").exits(0);
}

#[test]
fn a_task_that_fails_says_why() {
    let world = World::with([
        CtSpec { bridge: Some("vmbr9".into()), ip: Some("dhcp".into()), ..ct(104, "orphan") },
        CtSpec { warns: true, ..ct(105, "old") },
        CtSpec { fails_start: true, ..ct(106, "broken") },
    ]);
    world.ctl("start 104").fails("LXC0101").says("bridge 'vmbr9' does not exist").says("lxcctl op log");
    world.ctl("start 106").fails("LXC0101");
    let run = world.ctl("start 105");
    run.exits(0).prints("Proxmox warns: ");
    assert!(run.out.starts_with('!'), "{run}");
    world.ctl("stop 105").exits(0);
    world.ctl("start 105 --fail-on-warnings").exits(12);
    let shown = world.ctl("op ls -o json").exits(0).json();
    let states: Vec<&Value> =
        shown["items"].as_array().expect("list").iter().map(|op| &op["state"]).collect();
    assert_eq!(
        states,
        [&json!("succeeded"), &json!("succeeded"), &json!("succeeded"), &json!("failed"), &json!("failed")]
    );
}

#[test]
fn a_token_without_the_right_is_named() {
    let world = Setup::default()
        .containers([ct(104, "web-1")])
        .sim(|mut config| {
            config.tokens.clear();
            config.token(&format!("lxcd@pve!cli={}:PVEAuditor", lxc_tests::harness::SECRET))
        })
        .start();
    world.ctl("start 104").fails("LXC0602").says("VM.PowerMgmt");
    world.ctl("delete 104 --yes").fails("LXC0602").says("VM.Allocate");
}

#[test]
fn under_high_availability() {
    let world = Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([CtSpec { ha: Some("started".into()), ..running(104, "ha-web") }])
        .start();
    world.ctl("stop 104").exits(0).prints("stopped");
    world.ctl("start 104").exits(0).prints("started");
    let run = world.ctl("shutdown 104 --dry-run");
    run.exits(0);
    assert!(format!("{}{}", run.out, run.err).contains("HA"), "{run}");
    world.ctl("shutdown 104").exits(0);
    change(&world, 104, &CtChange { ha: Some("error".into()), ..CtChange::default() });
    world.ctl("start 104").fails("LXC0105").says("ha-manager set ct:104 --state disabled");
}

#[test]
fn a_shutdown_that_ha_cannot_force() {
    let world = Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([CtSpec { ha: Some("started".into()), stubborn: true, ..running(104, "ha-web") }])
        .start();
    world.ctl("shutdown 104 --timeout 0").fails("LXC0105").says("ha-manager");
}

#[test]
fn a_dry_run_calls_nothing_and_ends_as_the_real_run() {
    let world = World::with([
        ct(104, "web-1"),
        running(105, "web-2"),
        CtSpec { lock: Some("backup".into()), ..ct(106, "mail") },
        CtSpec { protection: true, ..ct(107, "vault") },
    ]);
    world
        .ctl("start 104 --dry-run")
        .exits(0)
        .prints("would start")
        .prints("POST")
        .says("dry run: nothing was called");
    world.ctl("start 105 --dry-run").exits(5).prints("LXC0501");
    world.ctl("start 105 --dry-run --if-needed").exits(0);
    world.ctl("start 106 --dry-run").exits(4);
    world.ctl("delete 107 --dry-run").exits(5);
    world.ctl("start 104 105 --dry-run").exits(9);
    world.ctl("restart 104 --dry-run").exits(0).prints("status/start");
    world.ctl("restart 105 --dry-run").exits(0).prints("status/shutdown").prints("status/start");
    world.ctl("delete 105 --dry-run").exits(0).prints("DELETE").prints("force=1");
    let json = world.ctl("start 104 --dry-run -o json").exits(0).json();
    assert_eq!(json["items"][0]["kind"], "DryRun");
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(world.ctl("op ls -o json").exits(0).json()["items"], json!([]), "no operation is left behind");
    // An operation of ours holds it.
    change(&world, 104, &CtChange { start_seconds: Some(600.0), ..CtChange::default() });
    let id = world.ctl("start 104 --detach").exits(0).operation();
    world.ctl("stop 104 --dry-run").exits(4).prints("LXC0401");
    world.ctl(&format!("op cancel {id}")).exits(0);
}

#[test]
fn patience_ends_before_the_operation() {
    let world = World::with([CtSpec { start_seconds: Some(600.0), ..ct(104, "slow") }]);
    let run = world.ctl("start 104 --timeout 1");
    run.fails("LXC1001").says("is still starting").says("lxcctl op watch");
    let id = run.operation();
    world.ctl(&format!("op show {id}")).exits(0).prints("running");
    world.ctl(&format!("op cancel {id}")).exits(0);
    until("its end", || {
        let run = world.ctl(&format!("op show {id}"));
        if run.out.contains("cancelled") { Ok(()) } else { Err(run.out) }
    });
}

#[test]
fn a_delete_that_reaches_nobody_offers_to_forget() {
    let world = World::with([ct(104, "web-1")]);
    let before = world.listed("homelab/104").expect("listed");
    world.sim.control().node("pve1", "daemon-down").expect("down");
    world.ctl("delete 104 --yes").exits(7).says("lxcctl forget");
    let mut terminal = world.terminal("delete homelab/104");
    terminal.wait_for("[y/N]").answer("y");
    terminal.wait_for("forget").wait_for("Forget it instead?").answer("y");
    terminal.end().exits(0);
    assert_eq!(world.calls(), [""; 0]);
    world.sim.control().node("pve1", "daemon-up").expect("up");
    let new = |item: &Value| item["status"] == "stopped" && item["id"] != before["id"];
    world.wait_listed("homelab/104", "back, as a new record", new);
}

#[test]
fn names_are_those_the_next_command_may_go_on_with() {
    let world = World::with([running(104, "web-1"), ct(105, "web-2")]);
    let run = world.ctl("start 104 105 -o name");
    run.exits(9).says("error[LXC0501]");
    assert_eq!(run.out, "homelab/105\n");
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let world = World::with([running(104, "web-1")]);
    for line in ["ls", "ls -o json", "show 104", "restart 104 -o json"] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux");
        let output = world.cli.command(line).stdout(full).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}: {said}");
        assert!(said.contains("LXC0113") && said.contains("No space left"), "{line}: {said}");
    }
}

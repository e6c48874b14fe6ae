//! What is out there, and how far the listing can be believed (ARCHITECTURE.md, Identity).

use lxc_tests::harness::{Setup, World, ct, running, until};
use lxc_tests::pvesim::{CtChange, CtSpec};
use serde_json::{Value, json};
use sqlx::Connection as _;

fn events_of(world: &World, target: &str) -> Vec<String> {
    let run = world.ctl(&format!("events {target} -n 100 -o json"));
    let items = run.exits(0).json()["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_comes_and_goes_on_proxmox_is_seen() {
    let world = World::with([running(104, "web-1")]);
    assert_eq!(events_of(&world, "104"), [""; 0], "a first import is no news");

    world.sim.control().add_container(&running(105, "web-2")).expect("added");
    world.wait_listed("homelab/105", "listed", |item| item["status"] == "running");
    until("its discovery", || match events_of(&world, "105").as_slice() {
        [one] if one == "discovered" => Ok(()),
        other => Err(format!("{other:?}")),
    });

    world
        .sim
        .control()
        .change_container(105, &CtChange { running: Some(false), ..CtChange::default() })
        .expect("changed");
    world.wait_listed("homelab/105", "stopped", |item| item["status"] == "stopped");
    assert_eq!(events_of(&world, "105"), ["discovered", "stopped"]);

    world.sim.control().remove_container(105).expect("removed");
    let gone = world.wait_listed("homelab/105", "gone", |item| !item["gone_since"].is_null());
    assert_eq!(
        (&gone["status"], &gone["power"], &gone["lifecycle"]),
        (&json!("unknown"), &Value::Null, &json!("ready"))
    );
    assert_eq!(events_of(&world, "homelab/105"), ["discovered", "stopped", "vanished"]);
    // Verbs skip it; only delete and forget still mean it.
    world.ctl("start homelab/105").exits(3);
    world.ctl("start 'web-*' --if-needed -o json").exits(0);
    let mut terminal = world.terminal("forget homelab/105");
    terminal.wait_for("it comes back if Proxmox still has it").answer("y");
    terminal.end().exits(0);
    assert_eq!(world.listed("homelab/105"), None);
}

#[test]
fn forgetting_what_is_still_there_brings_it_back() {
    let world = World::with([running(104, "web-1")]);
    let before = world.listed("homelab/104").expect("listed")["id"].clone();
    world.ctl("forget 104 --yes").exits(0);
    let after = world.wait_listed("homelab/104", "back", |item| item["status"] == "running");
    assert_ne!(before, after["id"], "it is a new record");
    assert!(!world.calls().iter().any(|call| call.contains("104")), "Proxmox is not touched");
}

#[test]
fn a_used_number_inherits_nothing() {
    let world = World::with([CtSpec { hwaddr: Some("BC:24:11:00:00:01".into()), ..ct(104, "web-1") }]);
    // Nobody knows how this start ended: the container carries a mark.
    world.sim.control().add_fault("task-hang:start:104").expect("fault");
    let id = world.ctl("start 104 --detach").exits(0).operation();
    until("the task", || if world.calls().is_empty() { Err("none".to_owned()) } else { Ok(()) });
    world.sim.control().node("pve1", "daemon-down").expect("down");
    world.ctl(&format!("op cancel {id} --abandon")).exits(0);
    world.ctl(&format!("op wait {id}")).fails("LXC1101");
    world.sim.control().node("pve1", "daemon-up").expect("up");
    world.wait_listed("homelab/104", "marked", |item| {
        !item["attention"].is_null() && item["status"] != "unknown"
    });
    let old = world.listed("homelab/104").expect("listed");

    world
        .sim
        .control()
        .add_container(&CtSpec { hwaddr: Some("BC:24:11:00:00:02".into()), ..ct(104, "other") })
        .expect("replaced");
    let new = world.wait_listed("homelab/104", "another", |item| item["id"] != old["id"]);
    assert_eq!(
        (&new["name"], &new["attention"], &new["template"]),
        (&json!("other"), &Value::Null, &Value::Null)
    );
}

#[test]
fn an_offline_node_hurts_nobody_else() {
    let on = |node: &str, spec: CtSpec| CtSpec { node: Some(node.into()), ..spec };
    let world = Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([on("pve1", running(104, "web-1")), on("pve2", running(105, "web-2"))])
        .start();
    world.sim.control().node("pve2", "offline").expect("offline");
    let item = world.wait_listed("homelab/105", "unknown", |item| item["status"] == "unknown");
    assert_eq!(
        (&item["power"], &item["cpu"], &item["freshness"]),
        (&Value::Null, &Value::Null, &json!("stale"))
    );
    assert_eq!(world.listed("homelab/104").expect("listed")["status"], "running");
    let run = world.ctl("ls");
    run.exits(0).says("warning: homelab/pve2 is unreachable since").says("1 row is unknown");
    let answer = world.ctl("ls -o json --strict");
    answer.exits(9);
    assert_eq!(answer.json()["warnings"][0]["code"], "LXC0702");
    world.ctl("ls --strict").fails("LXC0902");
    // A list that has nothing on that node is complete; one that asks for a state is not.
    world.ctl("ls -l name=web-1 --strict").exits(0);
    world.ctl("ls -l status=running --strict").fails("LXC0902").says("1 row is unknown");
    assert_eq!(answer.json()["warnings"][0]["unknown_rows"], 1);
    world.ctl("start 105").fails("LXC0702").exits(7);
    let nodes = world.ctl("node ls -o json").exits(0).json();
    let version = |node: usize| nodes["items"][node]["pve_version"].as_str().map(str::to_owned);
    assert!(version(0).is_some_and(|version| version.starts_with("9.")), "{nodes}");
    assert_eq!(version(1), None, "nobody can ask a node that is off: {nodes}");
    world.ctl("summary -o json").exits(0);

    // A strict list asks, so it is true the moment after.
    world.sim.control().node("pve2", "online").expect("online");
    world.wait_listed("homelab/105", "back", |item| {
        item["status"] == "running" && item["freshness"] == "live"
    });
    world.ctl("ls --strict").exits(0);
}

#[test]
fn a_dead_remote_hurts_nobody_else() {
    let world = World::with([running(104, "web-1")]);
    let edge = world.another_sim(|mut config| {
        config.population = Some(vec![running(201, "edge-1")]);
        config
    });
    world.add("edge", &edge).exits(0);
    world.ctl("ls -o name").exits(0).prints("edge/201").prints("homelab/104");
    edge.stop();
    world.wait_listed("edge/201", "unknown", |item| item["status"] == "unknown");
    let run = world.ctl("ls");
    run.exits(0).says("edge is unreachable since");
    assert_eq!(world.listed("homelab/104").expect("listed")["freshness"], "live");
    world.ctl("start edge/201").exits(7);
    // It is not asked for by name: nothing is missing then.
    world.ctl("ls --remote homelab --strict").exits(0);
    world.ctl("ls --remote nowhere").fails("LXC0302");
    // All of its records go on request, though nobody can ask it.
    world.ctl("forget edge/201 --yes").exits(0);
}

#[test]
fn a_passing_failure_of_a_list_changes_nothing() {
    let world = World::with([running(104, "web-1")]);
    world
        .sim
        .control()
        .add_fault("http500:GET:/nodes/*/lxc:failed to read from command socket: Connection reset by peer")
        .expect("fault");
    let run = world.ctl("ls --fresh --strict");
    run.exits(0).prints("running");
    world
        .sim
        .control()
        .add_fault("http500#9:GET:/nodes/*/lxc:failed to read from command socket: Connection reset by peer")
        .expect("fault");
    let run = world.ctl("ls --fresh -o json").exits(0).json();
    assert_eq!((&run["items"][0]["status"], &run["warnings"]), (&json!("running"), &json!([])), "{run}");
    assert_eq!(events_of(&world, "104"), [""; 0]);
}

#[test]
fn taking_rights_away_deletes_nothing() {
    let world = World::with([running(104, "web-1")]);
    world.sim.world(|w| {
        w.access.acl.clear();
        w.access.grant("/", "user", "lxcd@pve", "Sys.Audit", true);
    });
    world.wait_listed("homelab/104", "unknown", |item| item["status"] == "unknown");
    // Round after round.
    let asked = world.asked();
    until("some more rounds", || if world.asked() > asked + 40 { Ok(()) } else { Err(world.ctl("ls").out) });
    let item = world.listed("homelab/104").expect("listed");
    assert_eq!((&item["gone_since"], &item["freshness"]), (&Value::Null, &json!("stale")), "{item}");
    assert_eq!(events_of(&world, "homelab/104"), [""; 0]);
    world.ctl("ls").says("VM.Audit");
}

#[test]
fn the_address_of_a_dhcp_container_is_found() {
    let world = World::with([
        CtSpec { ip: Some("dhcp".into()), ..running(104, "web-1") },
        CtSpec { ip: Some("dhcp".into()), ..ct(105, "web-2") },
        running(106, "web-3"),
        CtSpec { ip: Some("dhcp".into()), no_lease: true, ..running(107, "web-4") },
    ]);
    let found = |item: &Value| item["ip"].as_str().is_some_and(|ip| ip.starts_with("10.67."));
    world.wait_listed("homelab/104", "addressed", found);
    assert_eq!(world.listed("homelab/106").expect("listed")["ip"], "10.66.0.106");
    assert_eq!(world.listed("homelab/105").expect("listed")["ip"], Value::Null);
    assert_eq!(world.listed("homelab/107").expect("listed")["ip"], Value::Null);
    world.ctl("start 105").exits(0);
    world.wait_listed("homelab/105", "addressed", found);
    world.ctl("stop 105").exits(0);
    assert_eq!(world.listed("homelab/105").expect("listed")["ip"], Value::Null, "a stopped one has none");
}

#[test]
fn a_change_of_the_config_is_seen_in_the_end() {
    let world = World::with([ct(104, "web-1")]);
    let change =
        CtChange { config: [("protection".to_owned(), "1".to_owned())].into(), ..CtChange::default() };
    world.sim.control().change_container(104, &change).expect("changed");
    world.wait_listed("homelab/104", "protected", |item| item["protected"] == true);
}

#[test]
fn what_was_known_is_shown_at_once_after_a_restart() {
    let mut world = World::with([running(104, "web-1")]);
    world.daemon.stop();
    world.sim.control().add_container(&ct(105, "web-2")).expect("added");
    world.sim.control().add_fault("slow#*:GET:*:60s").expect("fault");
    world.daemon.start();
    let run = world.ctl("ls -o json").exits(0).json();
    assert_eq!(
        (&run["items"][0]["status"], &run["items"][0]["freshness"]),
        (&json!("running"), &json!("cached")),
        "{run}"
    );
    world.sim.control().clear_faults();
    world.daemon.stop();
    world.daemon.start();
    world.wait_listed("homelab/105", "discovered", |item| item["status"] == "stopped");
    assert_eq!(events_of(&world, "105"), ["discovered"], "what came meanwhile is news");
}

#[test]
fn what_could_not_be_looked_for_is_not_said_to_be_missing() {
    let mut world = World::with([ct(104, "web-1")]);
    world.sim.control().add_fault("595#*:GET:*").expect("fault");
    world.sim.control().add_container(&ct(105, "web-2")).expect("added");
    world.ctl("start 105").exits(7).fails("LXC0701").says("homelab cannot be asked whether it has 105");
    world.ctl("delete 105 --yes --if-needed").exits(7);
    // What was known of it before is enough for a pattern, and for a name it had.
    world.ctl("stop -l name=other --if-needed").exits(0);
    world.sim.control().clear_faults();
    world.ctl("start 105").exits(0);

    // Nobody can say who polls: nobody polls.
    world.daemon.stop();
    world.sim.control().add_container(&ct(106, "web-3")).expect("added");
    let rename = |world: &World, from: &str, to: &str| {
        let database = format!("sqlite://{}", world.daemon.state().join("lxcd.db").display());
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        world
            .block_on(async {
                sqlx::any::install_default_drivers();
                let mut connection = sqlx::AnyConnection::connect(&database).await?;
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
                connection.close().await
            })
            .expect("renamed");
    };
    rename(&world, "poller", "elsewhere");
    world.daemon.start();
    world.ctl("start 106").exits(1).fails("LXC0108");
    rename(&world, "elsewhere", "poller");
    world.ctl("start 106").exits(0);
}

#[test]
fn a_big_fleet_is_listed() {
    let world = Setup::default()
        .nodes(&["a", "b", "c", "d", "e"])
        .sim(|mut config| {
            config.population = None;
            config.containers = 10_000;
            config
        })
        .start();
    let run = world.ctl("ls -o name");
    assert_eq!(run.exits(0).out.lines().count(), 10_000);
    let run = world.ctl("ls -l 'vmid=10099' -o name");
    run.exits(0).prints("homelab/10099\n");
    world.ctl("ls --sort=-memory").exits(0);
}

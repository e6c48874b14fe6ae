//! HA from the command line: a node that dies under an operation, a container that HA takes along, a node that
//! nobody waits for any longer.

use lxc_tests::harness::{SECRET, Setup, TOKEN, World, ct, running, until};
use lxc_tests::pvesim::{CtChange, CtSpec};

fn service(spec: CtSpec) -> CtSpec {
    CtSpec { ha: Some(if spec.running { "started" } else { "stopped" }.to_owned()), ..spec }
}

/// Three nodes, known by all their URLs.
fn cluster(spec: CtSpec) -> World {
    let world = Setup::default().nodes(&["pve1", "pve2", "pve3"]).containers([spec]).unregistered().start();
    let urls: Vec<&str> = world.sim.ready().nodes.iter().map(|node| node.url.as_str()).collect();
    let line = format!(
        "remote add homelab {} --token-id {TOKEN} --token-secret-stdin --fingerprint {}",
        urls.join(" "),
        world.sim.fingerprint()
    );
    world.cli.run_with(&line, SECRET).exits(0);
    world
}

fn node_of(world: &World) -> (String, bool) {
    let all = world.sim.control().containers();
    let ct = all.iter().find(|ct| ct.vmid == 104).expect("104");
    (ct.node.clone(), ct.running)
}

fn is_degraded(world: &World, id: &str) {
    until("it to be degraded", || {
        let run = world.ctl(&format!("op show {id} -o json"));
        let op = run.exits(0).json();
        if op.to_string().contains("\"degraded_since\":\"") { Ok(()) } else { Err(op.to_string()) }
    });
}

#[test]
fn a_node_dies_and_ha_goes_on_elsewhere() {
    let world = cluster(CtSpec { start_seconds: Some(20.0), ..service(ct(104, "web-1")) });
    let id = world.ctl("start 104 --detach").exits(0).operation();
    until("the request to be HA's", || {
        let all = world.sim.control().containers();
        if all[0].ha.as_deref() == Some("request_start") { Ok(()) } else { Err(format!("{all:?}")) }
    });
    world.sim.control().node("pve1", "power-off").expect("a node");
    is_degraded(&world, &id);
    // Who waits may leave; the operation stays.
    world.ctl(&format!("op wait {id} --timeout 1")).exits(10);
    let run = world.ctl(&format!("op wait {id}"));
    let (node, runs) = node_of(&world);
    assert!(runs && node != "pve1", "{node}");
    run.exits(0)
        .prints("started")
        .prints(&format!("pve1 did not answer; HA recovered homelab/104 on {node}"));
    world.wait_listed("homelab/104", "where it runs", |item| item["node"] == node.as_str());
    let starts = world.calls().iter().filter(|call| call.contains("status/start")).count();
    assert_eq!(starts, 1, "{:?}", world.calls());
    world.ctl("stop 104").exits(0);
}

#[test]
fn ha_takes_a_container_along_while_it_is_waited_for() {
    let world = cluster(service(running(104, "web-1")));
    let change = CtChange { relocate: Some("pve2".into()), ..CtChange::default() };
    world.sim.control().change_container(104, &change).expect("a container");
    until("it to be under way", || {
        let lock = world.sim.control().containers()[0].lock.clone();
        if lock.as_deref() == Some("migrate") { Ok(()) } else { Err(format!("{lock:?}")) }
    });
    // Proxmox's own lock, for as long as it moves; then it is found where it is.
    world.ctl("stop 104 --wait-lock 10m --if-needed").exits(0);
    until("it to arrive", || {
        let now = node_of(&world);
        if now.0 == "pve2" { Ok(()) } else { Err(format!("{now:?}")) }
    });
    world.ctl("start 104 --if-needed").exits(0);
    assert_eq!(node_of(&world), ("pve2".to_owned(), true));
}

#[test]
fn a_silent_node_is_abandoned_and_resolved() {
    let world = cluster(CtSpec { start_seconds: Some(600.0), ..ct(104, "web-1") });
    let mut watching = world.begin("start 104");
    watching.wait_for("task on pve1");
    world.sim.control().node("pve1", "power-off").expect("a node");
    watching.wait_for("waiting for Proxmox");
    let id = world.ctl("op ls -o json").exits(0).json()["items"][0]["id"].as_str().expect("id").to_owned();
    world.ctl(&format!("op cancel {id} --abandon")).exits(0);
    watching.end().fails("LXC1101").says("lxcctl op resolve");
    world.ctl(&format!("op resolve {id} --as failed")).exits(0);
    world.ctl(&format!("op show {id}")).exits(0).prints("failed");
    // The lock is free, and says nothing but what is: the node is away.
    world.ctl("start 104").exits(7);
    let starts = world.calls().iter().filter(|call| call.contains("status/start")).count();
    assert_eq!(starts, 1, "{:?}", world.calls());
}

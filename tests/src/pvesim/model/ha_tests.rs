//! What HA promises: services follow requests, go where they are told, and survive their node.

use super::population::CtSpec;
use super::{Container, Record, Storage, TaskId, Work, World, WorldConfig};
use crate::pvesim::auth::{Access, Identity};

fn world(specs: &[CtSpec]) -> World {
    let config = WorldConfig {
        nodes: vec!["a".into(), "b".into(), "c".into()],
        cluster: Some("lab".to_owned()),
        seed: 7,
        speed: 1.0,
        epoch_ms: 1_795_217_825_000,
        storages: vec![Storage::local()],
        templates: Vec::new(),
    };
    let mut world = World::new(&config, Access::new("k", &[], &[]));
    specs.iter().for_each(|spec| world.populate(spec).expect("container"));
    world
}

fn service(vmid: u32, state: &str) -> CtSpec {
    let running = state == "started";
    CtSpec { vmid, running, ip: Some("dhcp".into()), ha: Some(state.into()), ..CtSpec::default() }
}

fn plain(vmid: u32) -> CtSpec {
    CtSpec { ha: None, running: true, ..service(vmid, "started") }
}

/// Node, power, state.
fn seen(w: &World, vmid: u32) -> (usize, bool, String) {
    let ct = w.container(vmid).expect("container");
    (ct.node, ct.running(), ct.ha.as_ref().map(|ha| ha.state.clone()).unwrap_or_default())
}

/// Lets time pass until the service is in that state.
fn until(w: &mut World, vmid: u32, state: &str) {
    let end = w.now() + 60_000;
    while seen(w, vmid).2 != state {
        assert!(w.now() < end, "never {state}: {:?}", seen(w, vmid));
        w.advance(w.now() + 100);
    }
}

fn request(w: &mut World, vmid: u32, kind: &str, state: &'static str) -> TaskId {
    let who = Identity::from_auth_id("root@pam!t");
    w.spawn(0, kind, &vmid.to_string(), &who, Work::HaRequest { state, timeout: 0 })
}

fn tasks(w: &World, kind: &str) -> Vec<String> {
    let begun = |record: &Record| match record {
        Record::TaskStart { upid } if upid.contains(kind) => Some(upid.clone()),
        _ => None,
    };
    w.ledger.entries().iter().filter_map(|entry| begun(&entry.record)).collect()
}

#[test]
fn a_service_goes_where_it_is_told_and_runs_there() {
    for how in ["migrate", "relocate"] {
        let mut w = world(&[service(104, "started"), service(105, "stopped")]);
        w.ha_move(104, how, 1);
        w.ha_move(105, how, 2);
        until(&mut w, 104, how);
        w.advance(30_000);
        assert_eq!(seen(&w, 104), (1, true, "started".to_owned()));
        assert_eq!(seen(&w, 105), (2, false, "stopped".to_owned()));
        assert!(tasks(&w, ":vzmigrate:104:")[0].starts_with("UPID:a:"));
        assert!(tasks(&w, ":vzstart:104:")[0].starts_with("UPID:b:"));
        assert_eq!(w.container(104).and_then(Container::lock), None);
    }
}

#[test]
fn a_request_on_the_way_is_carried_out_on_arrival() {
    let mut w = world(&[service(104, "started")]);
    w.ha_move(104, "migrate", 1);
    until(&mut w, 104, "migrate");
    w.ha_request(104, "stopped", 0);
    w.advance(60_000);
    assert_eq!(seen(&w, 104), (1, false, "stopped".to_owned()));
}

#[test]
fn a_lost_node_is_fenced_and_its_services_recovered() {
    let mut w = world(&[service(104, "started"), service(105, "stopped"), plain(106)]);
    w.advance(1_000);
    w.set_online(0, false);
    w.advance(60_900);
    assert!(seen(&w, 104).1 && seen(&w, 106).1, "nobody on the node notices yet");
    w.advance(61_100);
    assert_eq!(seen(&w, 104), (0, false, "fence".to_owned()), "its config is still there");
    assert!(!seen(&w, 106).1, "the watchdog resets the whole node");
    w.advance(121_000);
    assert_eq!(seen(&w, 104).0, 1, "its config has moved");
    w.advance(140_000);
    assert_eq!(seen(&w, 104), (1, true, "started".to_owned()));
    assert_eq!((seen(&w, 105).0, seen(&w, 106).0), (0, 0), "what HA does not keep alive stays where it was");
    w.set_online(0, true);
    w.advance(300_000);
    assert_eq!(seen(&w, 104).0, 1, "and does not go back by itself");
}

#[test]
fn a_request_survives_the_node_it_was_made_on() {
    let mut w = world(&[service(104, "started")]);
    let task = request(&mut w, 104, "hastop", "stopped");
    w.advance(500);
    assert!(w.tasks.get(task).is_some_and(|t| t.status() == Some("OK")));
    w.node_down(0, None);
    w.advance(200_000);
    assert_eq!(seen(&w, 104), (1, false, "stopped".to_owned()));
}

#[test]
fn without_quorum_or_services_nothing_is_fenced() {
    let mut w = world(&[service(104, "started")]);
    w.set_online(2, false);
    w.set_online(0, false);
    w.advance(300_000);
    assert_eq!(seen(&w, 104), (0, true, "started".to_owned()), "one of three decides nothing");
    let mut w = world(&[plain(104)]);
    w.set_online(0, false);
    w.advance(300_000);
    assert!(seen(&w, 104).1, "its watchdog is not armed");
}

#[test]
fn a_node_that_reboots_in_time_starts_its_services_itself() {
    let mut w = world(&[service(104, "started")]);
    w.node_down(0, Some(30_000));
    w.advance(200_000);
    assert_eq!(seen(&w, 104), (0, true, "started".to_owned()));
}

#[test]
fn in_error_every_request_but_one_is_refused() {
    let broken = CtSpec { fails_start: true, ..service(104, "stopped") };
    let mut w = world(std::slice::from_ref(&broken));
    request(&mut w, 104, "hastart", "started");
    w.advance(20_000);
    assert_eq!(seen(&w, 104).2, "error");
    let task = request(&mut w, 104, "hastart", "started");
    w.advance(21_000);
    let task = w.tasks.get(task).expect("task");
    let failed = "command 'ha-manager set ct:104 --state started' failed: exit code 255";
    assert_eq!(task.status(), Some(failed));
    assert_eq!(task.log[1], "service 'ct:104' in error state, must be disabled and fixed first");
    w.ha_move(104, "migrate", 1);
    w.advance(60_000);
    assert_eq!(seen(&w, 104).0, 0);
}

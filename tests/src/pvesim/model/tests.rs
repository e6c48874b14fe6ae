//! The model's promises, tried by hand and at random.

use proptest::prelude::*;

use super::population::{CtSpec, generate};
use super::{CreateRequest, Record, Storage, TaskId, Work, World, WorldConfig};
use crate::pvesim::auth::{Access, Identity, TokenSpec};

fn world(specs: &[CtSpec], cluster: bool) -> World {
    let config = WorldConfig {
        nodes: vec!["a".into(), "b".into()],
        cluster: cluster.then(|| "lab".to_owned()),
        seed: 7,
        speed: 1.0,
        epoch_ms: 1_795_217_825_000,
        storages: vec![Storage::local()],
        templates: Vec::new(),
    };
    let tokens = [TokenSpec::token("root@pam!t=s").expect("token")];
    let mut world = World::new(&config, Access::new("k", &tokens, &[]));
    specs.iter().for_each(|spec| world.populate(spec).expect("container"));
    world
}

fn ct(vmid: u32, running: bool) -> CtSpec {
    CtSpec { vmid, running, ip: Some("dhcp".into()), ..CtSpec::default() }
}

fn who() -> Identity {
    Identity::from_auth_id("root@pam!t")
}

fn run(world: &mut World, vmid: u32, kind: &str, work: Work) -> TaskId {
    world.spawn(0, kind, &vmid.to_string(), &who(), work)
}

fn status(world: &World, task: TaskId) -> Option<String> {
    world.tasks.get(task).and_then(|t| t.status().map(str::to_owned))
}

fn log(world: &World, task: TaskId) -> Vec<String> {
    world.tasks.get(task).map(|t| t.log.clone()).unwrap_or_default()
}

const START: Work = Work::Start { debug: false };
const LOCK_104: &str = "can't lock file '/run/lock/lxc/pve-config-104.lock' - got timeout";

fn shutdown(timeout: u64, force: bool) -> Work {
    Work::Shutdown { timeout, force }
}

#[test]
fn a_start_takes_a_second_or_two() {
    let mut w = world(&[ct(104, false)], false);
    let task = run(&mut w, 104, "vzstart", START);
    w.advance(1000);
    assert_eq!(status(&w, task), None);
    w.advance(2500);
    assert_eq!(status(&w, task).as_deref(), Some("OK"));
    assert!(w.container(104).is_some_and(super::Container::running));
}

#[test]
fn a_second_start_waits_and_a_third_times_out() {
    let mut w = world(&[ct(104, false)], false);
    let tasks: Vec<TaskId> = (0..3).map(|_| run(&mut w, 104, "vzstart", START)).collect();
    w.advance(30_000);
    assert_eq!(status(&w, tasks[0]).as_deref(), Some("OK"));
    assert_eq!(log(&w, tasks[1])[..2], ["trying to acquire lock...", " OK"]);
    assert!(log(&w, tasks[1]).iter().any(|l| l.starts_with("problem with monitor socket")));
    assert_eq!(status(&w, tasks[1]).as_deref(), Some("OK"));
    assert_eq!(status(&w, tasks[2]).as_deref(), Some(LOCK_104));
}

#[test]
fn a_missed_shutdown_ends_after_twice_the_timeout_and_five_seconds() {
    let stubborn = CtSpec { stubborn: true, ..ct(104, true) };
    let mut w = world(std::slice::from_ref(&stubborn), false);
    let task = run(&mut w, 104, "vzshutdown", shutdown(5, false));
    w.advance(14_900);
    assert_eq!(status(&w, task), None);
    w.advance(15_500);
    assert_eq!(status(&w, task).as_deref(), Some("container did not stop"));
    let forced = run(&mut w, 104, "vzshutdown", shutdown(5, true));
    w.advance(22_000);
    assert_eq!(status(&w, forced).as_deref(), Some("OK"));
    assert!(!w.container(104).is_some_and(super::Container::running));
}

#[test]
fn a_stop_overrules_a_shutdown_only_if_it_is_told_to() {
    let stubborn = CtSpec { stubborn: true, ..ct(104, true) };
    let mut w = world(std::slice::from_ref(&stubborn), false);
    let waiting = run(&mut w, 104, "vzshutdown", shutdown(60, false));
    w.advance(1000);
    let polite = run(&mut w, 104, "vzstop", Work::Stop { overrule: false });
    w.advance(12_000);
    assert_eq!(status(&w, polite).as_deref(), Some(LOCK_104));
    let overruling = run(&mut w, 104, "vzstop", Work::Stop { overrule: true });
    w.advance(20_000);
    assert_eq!(status(&w, overruling).as_deref(), Some("OK"));
    assert_eq!(status(&w, waiting).as_deref(), Some("unexpected status"));
    assert!(log(&w, overruling)[0].starts_with("overruled vzshutdown tasks: UPID:a:"));
}

#[test]
fn a_shutdown_without_timeout_ends_when_the_guest_goes_down() {
    let stubborn = CtSpec { stubborn: true, ..ct(104, true) };
    let mut w = world(std::slice::from_ref(&stubborn), false);
    let task = run(&mut w, 104, "vzshutdown", shutdown(0, false));
    w.advance(180_000);
    assert_eq!(status(&w, task), None);
    w.power_off_inside(104);
    w.advance(181_000);
    assert_eq!(status(&w, task).as_deref(), Some("OK"));
}

#[test]
fn of_two_deletes_one_wins() {
    let mut w = world(&[ct(104, true)], false);
    let delete = Work::Destroy { force: true, purge: true };
    let one = run(&mut w, 104, "vzdestroy", delete.clone());
    let two = run(&mut w, 104, "vzdestroy", delete);
    w.advance(5000);
    assert_eq!(status(&w, one).as_deref(), Some("OK"));
    assert_eq!(status(&w, two).as_deref(), Some("Configuration file 'nodes/a/lxc/104.conf' does not exist"));
}

#[test]
fn ha_answers_at_once_acts_later_and_ends_in_error() {
    let spec = CtSpec { stubborn: true, ha: Some("started".into()), ..ct(104, true) };
    let mut w = world(std::slice::from_ref(&spec), true);
    let request = run(&mut w, 104, "hastop", Work::HaRequest { state: "stopped", timeout: 10 });
    w.advance(1000);
    assert_eq!(status(&w, request).as_deref(), Some("OK"));
    assert!(w.container(104).is_some_and(super::Container::running));
    w.advance(60_000);
    let state = |w: &World| w.container(104).and_then(|ct| ct.ha.clone()).map(|ha| ha.state);
    assert_eq!(state(&w).as_deref(), Some("error"));
    w.ha_request(104, "started", 0);
    assert_eq!(state(&w).as_deref(), Some("error"), "a service in error listens to nothing else");
    w.ha_request(104, "disabled", 0);
    w.advance(80_000);
    assert_eq!(state(&w).as_deref(), Some("stopped"));
}

#[test]
fn a_node_that_reboots_takes_its_workers_along() {
    let spec = CtSpec { onboot: true, ..ct(104, true) };
    let mut w = world(std::slice::from_ref(&spec), true);
    let task = run(&mut w, 104, "vzshutdown", shutdown(30, false));
    w.advance(100);
    w.node_down(0, Some(30_000));
    assert_eq!(status(&w, task).as_deref(), Some("unexpected status"));
    assert!(!w.nodes[0].online);
    w.advance(31_000);
    assert!(w.nodes[0].online);
    assert!(w.container(104).is_some_and(super::Container::running), "starts with its node");
}

#[test]
fn resources_lag_behind() {
    let mut w = world(&[ct(104, false)], false);
    w.advance(20_000);
    w.power_on_inside(104);
    let seen = |w: &World| w.container(104).and_then(|ct| ct.running_at(w.sampled_at(0)));
    assert_eq!(seen(&w), Some(false));
    w.advance(30_001);
    assert_eq!(seen(&w), Some(true));
}

#[test]
fn a_failed_create_leaves_nothing_behind() {
    let mut w = world(&[], false);
    let request = CreateRequest { ostemplate: "local:vztmpl/none".into(), ..CreateRequest::default() };
    let task = w.create(0, 100, &who(), request);
    assert_eq!(w.container(100).and_then(super::Container::lock), Some("create"));
    w.advance(5000);
    let text = "unable to create CT 100 - volume 'local:vztmpl/none' does not exist";
    assert_eq!(status(&w, task).as_deref(), Some(text));
    assert!(w.container(100).is_none());
}

#[test]
fn a_killed_create_leaves_its_lock_and_a_failed_one_nothing() {
    let mut w = world(&[], false);
    let request = || CreateRequest { ostemplate: "local:vztmpl/none".into(), ..CreateRequest::default() };
    w.faults.add("task-fail:create:101:no space".parse().expect("fault"));
    let killed = w.create(0, 100, &who(), request());
    let failed = w.create(0, 101, &who(), request());
    w.advance(100);
    w.kill(killed);
    w.advance(5000);
    assert_eq!(status(&w, killed).as_deref(), Some("unexpected status"));
    assert_eq!(w.container(100).and_then(super::Container::lock), Some("create"));
    assert_eq!(status(&w, failed).as_deref(), Some("no space"));
    assert!(w.container(101).is_none() && !w.config_locked(100));
}

/// An arbitrary piece of work.
fn any_work() -> impl Strategy<Value = (&'static str, Work)> {
    prop_oneof![
        Just(("vzstart", START)),
        any::<bool>().prop_map(|overrule| ("vzstop", Work::Stop { overrule })),
        (1u64..20, any::<bool>())
            .prop_map(|(timeout, force)| ("vzshutdown", Work::Shutdown { timeout, force })),
        (1u64..20).prop_map(|timeout| ("vzreboot", Work::Reboot { timeout })),
        any::<bool>().prop_map(|force| ("vzdestroy", Work::Destroy { force, purge: true })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is asked for, every task ends, no lock stays, power changes alternate, and the same calls
    /// make the same ledger.
    #[test]
    fn every_task_ends_and_nothing_stays_locked(
        script in prop::collection::vec((0u64..8000, 0usize..12, any_work()), 1..25)
    ) {
        let play = || {
            let nodes = ["a".to_owned(), "b".to_owned()];
            let mut w = world(&generate(3, 12, &nodes, 100, false), false);
            let mut now = 0;
            let mut tasks = Vec::new();
            for (pause, which, (kind, work)) in &script {
                now += pause;
                w.advance(now);
                let vmid = 100 + *which as u32;
                let node = w.container(vmid).map_or(0, |ct| ct.node);
                tasks.push(w.spawn(node, kind, &vmid.to_string(), &who(), work.clone()));
            }
            w.advance(now + 3_600_000);
            (w, tasks)
        };
        let (w, tasks) = play();
        for task in tasks {
            prop_assert!(status(&w, task).is_some(), "{:?}", w.tasks.get(task));
        }
        for vmid in 100..112 {
            prop_assert!(!w.config_locked(vmid));
            let powers: Vec<&str> = w.ledger.entries().iter().filter_map(|e| match &e.record {
                Record::Effect { vmid: v, what, .. } if *v == vmid => Some(what.as_str()),
                _ => None,
            }).collect();
            prop_assert!(powers.windows(2).all(|p| p[0] != p[1]), "{powers:?}");
        }
        let (again, _) = play();
        prop_assert_eq!(again.ledger.entries(), w.ledger.entries());
    }
}

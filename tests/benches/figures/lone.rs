//! One container at a time: how long after its task lxcctl ends, and what Proxmox was asked.

use std::collections::BTreeMap;

use lxc_tests::harness::World;
use lxc_tests::pvesim::control::CtChange;
use lxc_tests::pvesim::model::Record;

use crate::listing::world;
use crate::settle::settle;
use crate::table::{Aim, line};

/// Starts of one container each.
const STARTS: usize = 20;

/// Starts stopped containers one after the other, each twice: how long its start takes is known by then.
pub(crate) fn run() {
    let world = world(1_000);
    let control = world.sim.control();
    settle(&world);
    // The first twelve have something special.
    let stopped = control.containers().into_iter().filter(|ct| !ct.running && ct.vmid >= 112);
    let numbers: Vec<u32> = stopped.map(|ct| ct.vmid).take(STARTS).collect();
    let next = (Aim::Median(150.0), Aim::Median(6.0));
    for (round, (time, count)) in [("first", (Aim::None, Aim::None)), ("next", next)] {
        let (mut delays, mut requests) = (Vec::new(), Vec::new());
        let mut classes: BTreeMap<String, u64> = BTreeMap::new();
        for vmid in &numbers {
            let (delay, own) = start(&world, *vmid);
            delays.push(delay);
            requests.push(own.iter().map(|(_, times)| *times as f64).sum());
            for (class, times) in own {
                *classes.entry(class).or_default() += times;
            }
            let off = CtChange { running: Some(false), ..CtChange::default() };
            control.change_container(*vmid, &off).expect("powered off");
        }
        line(&format!("{round} start: task end to lxcctl's exit"), &delays, "ms", time, "");
        line(&format!("{round} start: requests"), &requests, "", count, "");
        for (class, times) in classes {
            println!("  {:.2} {class}", times as f64 / numbers.len() as f64);
        }
    }
}

/// Starts one: milliseconds between the end of its task and lxcctl's, and what Proxmox was asked for it.
fn start(world: &World, vmid: u32) -> (f64, Vec<(String, u64)>) {
    world.sim.control().reset_counters();
    world.ctl(&format!("start {vmid} -q")).exits(0);
    let now = world.sim.world(|world| world.now());
    let counters = world.sim.counters().by_class;
    let ledger = world.sim.ledger();
    let task =
        ledger.iter().rev().find(|entry| matches!(entry.record, Record::TaskEnd { .. })).expect("a task");
    // What the inventory asks for, it asks for anyway.
    let own = counters.into_iter().filter(|(class, _)| class.contains("{vmid}") || class.contains("/tasks"));
    (now.saturating_sub(task.at_ms) as f64, own.collect())
}

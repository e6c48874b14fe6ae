//! A thousand starts over twenty nodes, on both stores: how near to what the tasks themselves take, what a listing
//! and a submit cost meanwhile, and how many requests fifty starts on one node need.

use std::collections::HashMap;
use std::time::Instant;

use lxc_core::selector::Selection;
use lxc_tests::harness::{Postgres, Setup, World, ct, running};
use lxc_tests::pvesim::CtSpec;
use lxc_tests::pvesim::control::CtChange;
use lxc_tests::pvesim::model::Record;
use lxcctl::client::{Client, Order};

use crate::process::{Runs, processor};
use crate::settle::settle;
use crate::table::{Aim, line, single};

const NODES: u32 = 20;
/// On each node.
const CONTAINERS: u32 = 50;
/// Power operations a node takes at once (`PRODUCT.md`: 16).
const SLOTS: usize = 16;
/// Submits whose time is taken under load.
const SUBMITS: u32 = 200;

/// The figures.
pub(crate) fn run() {
    let postgres = Postgres::durable();
    fleet("SQLite", "");
    if let Some(postgres) = &postgres {
        let url = postgres.url(&postgres.create(None));
        fleet("Postgres", &format!("database = \"{url}\"\n"));
    }
}

/// The line that starts everything that is stopped.
pub(crate) const START: &str = "start -l status=stopped --max-parallel 1000 -y -q";

/// `count` stopped containers over `nodes` nodes, and as many running ones as are asked for besides.
pub(crate) fn population(nodes: u32, count: u32, besides: u32) -> Vec<CtSpec> {
    let node = |n: u32| Some(format!("pve{}", n % nodes + 1));
    let stopped = (0..count).map(|n| CtSpec { node: node(n), ..ct(1_000 + n, &format!("ct-{n}")) });
    let others = (0..besides).map(|n| CtSpec { node: node(n), ..running(9_000 + n, &format!("side-{n}")) });
    stopped.chain(others).collect()
}

/// The names of so many nodes.
pub(crate) fn names(nodes: u32) -> Vec<String> {
    (1..=nodes).map(|n| format!("pve{n}")).collect()
}

fn cluster(nodes: u32, besides: u32, config: &str) -> World {
    let names = names(nodes);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = population(nodes, nodes * CONTAINERS, besides);
    let world = Setup::default().nodes(&names).containers(all).config(config).scale(1).start();
    settle(&world);
    world
}

fn fleet(store: &str, config: &str) {
    let world = cluster(NODES, SUBMITS, config);
    let count = NODES * CONTAINERS;
    let aim = Aim::Median(1.1);
    // How long such tasks take here is learned from the first ones; the second time it is known.
    for round in ["first", "next"] {
        let began = Instant::now();
        let (from, cpu) = (world.sim.ledger().len(), processor(world.daemon.pid()));
        world.ctl(START).exits(0);
        let took = began.elapsed().as_secs_f64();
        let cpu = processor(world.daemon.pid()) - cpu;
        let ideal = ideal(&world, from);
        let what = format!("{store}: {round} {count} starts, by the ideal");
        let more = format!("{took:.1} s, ideal {ideal:.1} s, processor {cpu:.1} s");
        single(&what, took / ideal, "", aim, &more);
        power_off(&world);
    }
    let socket = world.daemon.socket();
    let (listing, submits) = std::thread::scope(|scope| {
        let batch = scope.spawn(|| world.ctl(START));
        let listing = scope.spawn(|| Runs::of(Some(&socket), &["ls"]));
        let submits = scope.spawn(|| submits(&world));
        batch.join().expect("run").exits(0);
        (listing.join().expect("run"), submits.join().expect("run"))
    });
    listing.print(&format!("{store}: lxcctl ls under that load"), Aim::None);
    line(&format!("{store}: submit under that load"), &submits, "ms", Aim::P99(20.0), "");
}

/// Milliseconds each submit takes, one after the other, of containers the batch leaves alone.
fn submits(world: &World) -> Vec<f64> {
    let socket = world.daemon.socket();
    let submit = async {
        let client = Client::connect(&socket).await.expect("connected");
        let mut times = Vec::new();
        for n in 0..SUBMITS {
            let target = format!("{}", 9_000 + n);
            let selection = Selection { targets: vec![target.clone()], ..Selection::default() };
            let found = client.resolve(&selection, "stop", 0).await.expect("resolved");
            let order = Order {
                request_id: uuid::Uuid::now_v7().to_string(),
                verb: "stop",
                refs: found.refs,
                if_needed: false,
                grace_seconds: None,
                no_force: false,
                destroy_unreferenced_disks: false,
                wait_lock: Some(0),
                max_parallel: 8,
                max_per_node: 0,
                stop_on_error: false,
                pause: 0,
                selector_text: target,
            };
            let began = Instant::now();
            client.submit(&order).await.expect("submitted");
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(submit)
}

/// Seconds the tasks since that entry of the ledger take when each node always does as many as it may.
fn ideal(world: &World, from: usize) -> f64 {
    let ledger = world.sim.ledger();
    let mut began = HashMap::new();
    let mut nodes: HashMap<String, Vec<(u64, u64)>> = HashMap::new();
    for entry in &ledger[from..] {
        match &entry.record {
            Record::TaskStart { upid } => {
                began.insert(upid.clone(), entry.at_ms);
            }
            Record::TaskEnd { upid, .. } => {
                let start = began[upid];
                let node = upid.split(':').nth(1).unwrap_or_default().to_owned();
                nodes.entry(node).or_default().push((start, entry.at_ms - start));
            }
            _ => {}
        }
    }
    let longest = nodes.into_values().map(|mut tasks| {
        tasks.sort_unstable();
        let mut slots = [0; SLOTS];
        for (_, took) in tasks {
            let free = slots.iter_mut().min().expect("slots");
            *free += took;
        }
        slots.into_iter().max().unwrap_or(0)
    });
    longest.max().unwrap_or(0) as f64 / 1000.0
}

fn power_off(world: &World) {
    let control = world.sim.control();
    let off = CtChange { running: Some(false), ..CtChange::default() };
    for ct in control.containers().into_iter().filter(|ct| ct.running && ct.vmid < 9_000) {
        control.change_container(ct.vmid, &off).expect("powered off");
    }
    world.ctl("ls --fresh -q").exits(0);
}

/// Fifty starts at once on one node.
pub(crate) fn one_node() {
    let world = cluster(1, 0, "");
    for round in ["first", "next"] {
        world.sim.control().reset_counters();
        world.ctl(START).exits(0);
        let counters = world.sim.counters();
        let each = counters.total as f64 / f64::from(CONTAINERS);
        single(&format!("{round} 50 starts on one node: requests each"), each, "", Aim::Median(3.0), "");
        for (class, times) in counters.by_class {
            println!("  {:.2} {class}", times as f64 / f64::from(CONTAINERS));
        }
        power_off(&world);
    }
}

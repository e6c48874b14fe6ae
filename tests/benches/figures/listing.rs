//! What a listing costs, and what lxcd holds in memory for it.

use lxc_tests::harness::{Setup, World};

use crate::process::{Runs, memory};
use crate::table::{Aim, single};

/// The figures.
pub(crate) fn run() {
    Runs::of(None, &["-V"]).print("lxcctl -V", Aim::None);
    for (count, time, most) in [(1_000, 15.0, 40.0), (10_000, 80.0, 120.0)] {
        let world = world(count);
        let socket = world.daemon.socket();
        for format in ["table", "json"] {
            let runs = Runs::of(Some(&socket), &["ls", "-o", format]);
            runs.print(&format!("lxcctl ls -o {format}, {count} containers"), Aim::Median(time));
        }
        let (now, peak) = memory(world.daemon.pid());
        let peak = format!("{peak:.1} MB at most");
        single(&format!("lxcd's memory, {count} containers"), now, "MB", Aim::Median(most), &peak);
    }
}

/// A simulated cluster of 20 nodes in real time, and an lxcd that has listed all of it.
pub(crate) fn world(count: usize) -> World {
    let nodes: Vec<String> = (1..=20).map(|n| format!("pve{n}")).collect();
    let setup =
        Setup::default().sim(|config| lxc_tests::pvesim::SimConfig { nodes, containers: count, ..config });
    let world = setup.scale(1).start();
    lxc_tests::harness::until("all are listed", || {
        let listed = world.ctl("ls -o name").out.lines().count();
        if listed == count { Ok(()) } else { Err(listed.to_string()) }
    });
    world
}

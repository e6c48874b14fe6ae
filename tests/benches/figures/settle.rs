//! Waiting until the inventory is at rest: what it reads once about each container would be counted with the rest.

use lxc_tests::harness::World;

/// Goes round until a whole round has read no config and no addresses any more.
pub(crate) fn settle(world: &World) {
    let reads = |class: &String| class.ends_with("/config") || class.ends_with("/interfaces");
    loop {
        world.sim.control().reset_counters();
        // Answered after a round that began later, with all that it reads.
        world.ctl("ls --fresh -q").exits(0);
        if !world.sim.counters().by_class.keys().any(reads) {
            return;
        }
    }
}

//! lxcd's memory under an hour of work (`make bench-hour`): starts and stops without end, listings and watchers
//! beside them.

use std::time::{Duration, Instant};

use lxc_tests::harness::{Setup, World};

use crate::fleet::{names, population};
use crate::process::memory;

/// The figures, every two minutes.
pub(crate) fn run() {
    let minutes: u64 = std::env::var("MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let nodes = names(20);
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let world = Setup::default().nodes(&nodes).containers(population(20, 1_000, 0)).scale(1).start();
    let (began, mut told, mut done) = (Instant::now(), Instant::now(), 0_u64);
    println!("MINUTE  OPERATIONS  MEMORY    PEAK");
    tell(&world, began, done);
    while began.elapsed() < Duration::from_secs(minutes * 60) {
        for verb in ["start", "stop"] {
            // A tenth at a time: the picture moves all the time and is never all in motion.
            let tenth = format!("ct-*{}", done / 200 % 10);
            let run = world.ctl(&format!("{verb} '{tenth}' --max-parallel 100 -y -q"));
            run.exits(0);
            done += 100;
            world.ctl("ls -q").exits(0);
        }
        if told.elapsed() > Duration::from_secs(120) {
            told = Instant::now();
            tell(&world, began, done);
        }
    }
    tell(&world, began, done);
}

fn tell(world: &World, began: Instant, done: u64) {
    let (now, peak) = memory(world.daemon.pid());
    println!("{:>6}  {done:>10}  {now:>4.1}MB  {peak:>4.1}MB", began.elapsed().as_secs() / 60);
}

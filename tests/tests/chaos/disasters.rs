//! What breaks, one thing after the other, each mended a moment later. Owns the choice; must not know what is
//! right.

use std::collections::BTreeMap;
use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use lxc_tests::harness::{Proxy, Wire};

use super::stage::Stage;

/// How often each happened.
#[derive(Debug, Default)]
pub(crate) struct Broken(BTreeMap<&'static str, u32>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.iter().map(|(what, times)| format!("{times} {what}")).collect();
        write!(f, "{}", each.join(", "))
    }
}

/// Faults of Proxmox that fire a few times each.
const FAULTS: &[&str] = &[
    "lost-before:POST:*/status/*:2",
    "lost-after:POST:*/status/*:2",
    "596:POST:*/status/*:2",
    "595:POST:*/status/*:2",
    "reset-body:POST:*/status/*:2",
    "slow:POST:*/status/*:700ms:2",
    "http500:GET:*/status/current:failed to read from command socket",
    "html:GET:*/tasks/*:2",
    "truncated:GET:*/lxc:1",
    "596:GET:*/tasks*:4",
    "transient-list:3",
    "log-rotate",
];

/// Breaks things until it is over, then mends everything.
pub(crate) fn happen(stage: &Stage, mut rng: StdRng, over: &CancellationToken) -> Broken {
    let mut broken = Broken::default();
    while !over.is_cancelled() {
        sleep(Duration::from_millis(rng.random_range(100..500)));
        let moment = Duration::from_millis(rng.random_range(50..800));
        let what = disaster(stage, &mut rng, moment);
        *broken.0.entry(what).or_default() += 1;
    }
    let control = stage.sim.control();
    control.clear_faults();
    control.set_skew(0);
    broken
}

fn disaster(stage: &Stage, rng: &mut StdRng, moment: Duration) -> &'static str {
    let control = stage.sim.control();
    match rng.random_range(0..24) {
        0..=4 => {
            let mut daemon = stage.daemons[rng.random_range(0..stage.daemons.len())].lock();
            daemon.kill();
            sleep(moment);
            daemon.start();
            "kill -9"
        }
        5 => {
            let mut daemon = stage.daemons[rng.random_range(0..stage.daemons.len())].lock();
            daemon.stop();
            sleep(moment);
            daemon.start();
            "restarts"
        }
        6 | 7 => {
            // Longer than a lease: what it drives is another's by then.
            let daemon = stage.daemons[rng.random_range(0..stage.daemons.len())].lock();
            daemon.signal(Signal::SIGSTOP);
            sleep(Duration::from_millis(4_000));
            daemon.signal(Signal::SIGCONT);
            "pauses beyond the lease"
        }
        8 => {
            let mut postgres = stage.postgres.lock();
            postgres.stop();
            sleep(moment);
            postgres.start();
            "Postgres crashes"
        }
        9 => {
            let mut redis = stage.redis.lock();
            redis.kill();
            sleep(moment);
            redis.resume();
            "Redis crashes"
        }
        10 => {
            stage.redis.lock().command(&["FLUSHALL"]);
            "Redis flushed"
        }
        11 => {
            let node = format!("pve{}", rng.random_range(1..=4));
            control.node(&node, "offline").unwrap();
            sleep(moment);
            control.node(&node, "online").unwrap();
            "nodes away"
        }
        12 => {
            control.set_skew(rng.random_range(-600..600));
            "clocks set"
        }
        13 | 14 => {
            // One that others can claim from meanwhile, and that still reaches Proxmox.
            let wires = &stage.wires[rng.random_range(0..stage.wires.len())];
            partition(&wires.postgres, rng, 4_000);
            "one cut off from Postgres"
        }
        15 => {
            let wires = &stage.wires[rng.random_range(0..stage.wires.len())];
            partition(&wires.redis, rng, 2_500);
            "one cut off from Redis"
        }
        16 => {
            partition(&stage.to_proxmox, rng, 2_500);
            "all cut off from Proxmox"
        }
        _ => {
            control.add_fault(FAULTS[rng.random_range(0..FAULTS.len())]).unwrap();
            "faults of Proxmox"
        }
    }
}

/// Nothing passes for a while, and nobody is told; or everybody is, at once.
fn partition(wire: &Proxy, rng: &mut StdRng, longest: u64) {
    wire.set(if rng.random_bool(0.5) { Wire::Held } else { Wire::Cut });
    sleep(Duration::from_millis(rng.random_range(50..longest)));
    wire.set(Wire::Open);
}

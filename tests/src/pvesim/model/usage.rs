//! Memory, processor, disk and network figures.
//!
//! Owns plausible numbers that depend on nothing but seed, number and uptime, so that two reads at the same
//! time agree and a benchmark never waits for them.

use super::{Container, World};
use crate::pvesim::clock::Ms;
use crate::pvesim::noise::{mix, unit};

/// Figures of one container at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Did it run?
    pub running: bool,
    /// Fraction of its processors.
    pub cpu: f64,
    /// Processors it may use.
    pub cpus: u32,
    /// Bytes of memory in use.
    pub mem: u64,
    /// Memory limit.
    pub maxmem: u64,
    /// Swap limit.
    pub maxswap: u64,
    /// Bytes of root disk in use; 0 while stopped.
    pub disk: u64,
    /// Size of the root disk: of its file system while running, as configured otherwise.
    pub maxdisk: u64,
    /// Bytes received.
    pub netin: u64,
    /// Bytes sent.
    pub netout: u64,
    /// Seconds since its start.
    pub uptime: i64,
}

impl World {
    /// A container's figures at model time `at`, which may lie in the past.
    #[must_use]
    pub fn usage(&self, ct: &Container, at: Ms) -> Usage {
        let config = &ct.config;
        let node_cpus = self.nodes.get(ct.node).map_or(1, |n| n.cpus);
        let idle = Usage {
            cpus: config.number("cores").map_or(node_cpus, |c| c as u32),
            maxmem: config.memory_bytes(),
            maxswap: config.swap_bytes(),
            maxdisk: config.disk_bytes(),
            ..Usage::default()
        };
        if ct.running_at(at) != Some(true) {
            return idle;
        }
        let key = mix(self.seed, u64::from(ct.vmid));
        let uptime = self.uptime_s(ct, at);
        // Ten-second samples, as a real node takes them.
        let sample = mix(key, uptime as u64 / 10);
        let warm = (uptime as f64 / 60.0).min(1.0);
        let level = 0.05 + (0.15 + 0.6 * unit(key)) * warm + 0.05 * unit(sample);
        let busy = if mix(key, 3).is_multiple_of(7) { 0.6 } else { 0.08 };
        Usage {
            running: true,
            cpu: if uptime < 2 { 0.0 } else { busy * unit(sample) },
            mem: (idle.maxmem as f64 * level) as u64 / 4096 * 4096,
            disk: (idle.maxdisk as f64 * (0.05 + 0.6 * unit(mix(key, 9)))) as u64 / 4096 * 4096,
            maxdisk: idle.maxdisk / 100 * 95,
            netin: uptime as u64 * (mix(key, 5) % 4000),
            netout: uptime as u64 * (mix(key, 6) % 2500),
            uptime,
            ..idle
        }
    }

    /// When the figures in `/cluster/resources` of a node were taken: every ten seconds, each node at its
    /// own beat.
    #[must_use]
    pub fn sampled_at(&self, node: usize) -> Ms {
        const CYCLE: Ms = 10_000;
        let beat = mix(self.seed, node as u64 + 77) % CYCLE;
        let seen = self.now().saturating_sub(self.faults.list_lag_ms());
        ((seen + CYCLE - beat) / CYCLE * CYCLE + beat).saturating_sub(CYCLE)
    }
}

//! The containers a simulation starts with.
//!
//! Owns the exact list format of `--population` and the generated population of `--containers N --seed S`.
//! With twelve or more containers the generated one has its special cases at fixed offsets from the first
//! number (100 unless told otherwise):
//!
//! | offset | name | what is special |
//! |---|---|---|
//! | 3 | `legacy-app` | running, ignores a clean shutdown |
//! | 4 | `mail` | running, `lock=backup` |
//! | 5 | `vault` | running, `protection=1` |
//! | 6 | `debian-12-base` | a template |
//! | 7 | `orphan-net` | stopped, its bridge `vmbr9` does not exist |
//! | 8 | `ha-web` | running; HA-managed in a cluster |
//! | 9 | `slow-boot` | stopped, takes 20 s to start |
//! | 10 | `systemd-old` | stopped, its start ends with a warning |
//! | 11 | `broken-init` | stopped, its start fails inside LXC |

use serde::{Deserialize, Serialize};

use super::config::{Config, network};
use super::{Container, Ha, Vmid, World};
use crate::pvesim::noise::{between, mix};

/// One container, as `--population` and the control API describe it. Everything but `vmid` has a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CtSpec {
    /// Its number.
    pub vmid: Vmid,
    /// Its host name; `CTn` without.
    pub name: Option<String>,
    /// The node's name; the first without.
    pub node: Option<String>,
    /// Does it run?
    pub running: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its notes.
    pub description: Option<String>,
    /// Its pool.
    pub pool: Option<String>,
    /// Processors.
    pub cores: Option<u32>,
    /// Memory in MiB, 512 without.
    pub memory: Option<u64>,
    /// Swap in MiB.
    pub swap: u64,
    /// Root disk in GiB, 8 without.
    pub disk: Option<u64>,
    /// `dhcp`, `manual` or an address with its prefix; no interface without.
    pub ip: Option<String>,
    /// Its bridge, `vmbr0` without.
    pub bridge: Option<String>,
    /// Its hardware address, made up without.
    pub hwaddr: Option<String>,
    /// The lock in its configuration.
    pub lock: Option<String>,
    /// Is it protected?
    pub protection: bool,
    /// Is it a template?
    pub template: bool,
    /// Does it start with its node?
    pub onboot: bool,
    /// Is it privileged?
    pub privileged: bool,
    /// The state of its HA service; not managed without.
    pub ha: Option<String>,
    /// Does it ignore a clean shutdown?
    pub stubborn: bool,
    /// Seconds its start takes.
    pub start_seconds: Option<f64>,
    /// Does its start end with a warning?
    pub warns: bool,
    /// Does its start fail?
    pub fails_start: bool,
    /// Does DHCP never answer?
    pub no_lease: bool,
    /// Seconds it has been running, made up without.
    pub uptime: Option<i64>,
    /// Further options of its configuration.
    pub config: std::collections::BTreeMap<String, String>,
}

/// Kinds of containers: name stem, tags, MiB of memory, GiB of disk.
const KINDS: [(&str, &[&str], u64, u64); 12] = [
    ("web", &["web", "prod"], 1024, 8),
    ("db", &["db", "prod"], 4096, 64),
    ("build", &["ci", "build"], 4096, 32),
    ("ci", &["ci"], 2048, 16),
    ("cache", &["cache", "prod"], 2048, 8),
    ("worker", &["queue"], 1024, 8),
    ("staging", &["web", "staging"], 1024, 8),
    ("monitor", &["ops"], 2048, 32),
    ("dns", &["infra"], 256, 4),
    ("git", &["infra", "dev"], 2048, 64),
    ("dev", &["dev"], 1024, 16),
    ("log", &["ops", "infra"], 2048, 128),
];

/// Makes `count` containers, spread over the nodes; the same for the same arguments.
#[must_use]
pub fn generate(seed: u64, count: usize, nodes: &[String], first: Vmid, cluster: bool) -> Vec<CtSpec> {
    let mut numbers = [0u32; KINDS.len()];
    let mut all: Vec<CtSpec> = Vec::with_capacity(count);
    for i in 0..count {
        let key = mix(seed, i as u64 + 1);
        let kind = if i == 1 {
            0
        } else if i == 2 {
            1
        } else {
            (key % KINDS.len() as u64) as usize
        };
        let (stem, tags, memory, disk) = KINDS[kind];
        numbers[kind] += 1;
        let name = if i == 0 { "proxy".to_owned() } else { format!("{stem}-{}", numbers[kind]) };
        let node = (mix(key, 2) % nodes.len().max(1) as u64) as usize;
        all.push(CtSpec {
            vmid: first + i as Vmid,
            name: Some(name),
            node: nodes.get(node).cloned(),
            running: i < 3 || mix(key, 3) % 10 < 7,
            tags: tags.iter().map(|t| (*t).to_owned()).collect(),
            cores: Some([1, 1, 2, 4][(mix(key, 4) % 4) as usize]),
            memory: Some(memory * between(key, 1, 2)),
            swap: if mix(key, 5).is_multiple_of(2) { 512 } else { 0 },
            disk: Some(disk),
            ip: Some(if mix(key, 6).is_multiple_of(3) {
                "dhcp".to_owned()
            } else {
                format!("10.66.{}.{}/16", 1 + i / 200, 10 + i % 200)
            }),
            onboot: !mix(key, 7).is_multiple_of(3),
            ..CtSpec::default()
        });
    }
    if count >= 12 {
        make_special(&mut all, cluster);
    }
    all
}

fn make_special(all: &mut [CtSpec], cluster: bool) {
    let mut special = |offset: usize, name: &str, tag: &str, running: bool, change: &dyn Fn(&mut CtSpec)| {
        let spec = &mut all[offset];
        spec.name = Some(name.to_owned());
        spec.tags = vec![tag.to_owned()];
        spec.running = running;
        change(spec);
    };
    special(3, "legacy-app", "legacy", true, &|s| s.stubborn = true);
    special(4, "mail", "infra", true, &|s| s.lock = Some("backup".to_owned()));
    special(5, "vault", "infra", true, &|s| s.protection = true);
    special(6, "debian-12-base", "template", false, &|s| {
        s.template = true;
        s.onboot = false;
    });
    special(7, "orphan-net", "dev", false, &|s| s.bridge = Some("vmbr9".to_owned()));
    special(8, "ha-web", "web", true, &|s| s.ha = cluster.then(|| "started".to_owned()));
    special(9, "slow-boot", "dev", false, &|s| s.start_seconds = Some(20.0));
    special(10, "systemd-old", "dev", false, &|s| s.warns = true);
    special(11, "broken-init", "dev", false, &|s| s.fails_start = true);
}

impl World {
    /// Adds a container as described; the text of what is wrong otherwise.
    pub fn populate(&mut self, spec: &CtSpec) -> Result<(), String> {
        let node = match &spec.node {
            Some(name) => self.node_named(name, 0).ok_or_else(|| format!("no node '{name}'"))?,
            None => 0,
        };
        if !(100..=999_999_999).contains(&spec.vmid) {
            return Err(format!("'{}' is no valid vmid", spec.vmid));
        }
        let key = mix(self.seed, u64::from(spec.vmid) + 0xC7);
        let mut ct = Container::new(spec.vmid, node, config_of(spec, key), self.now(), 0);
        ct.behaviour.stubborn = spec.stubborn;
        ct.behaviour.start_ms = spec.start_seconds.map(|s| (s * 1000.0) as u64);
        ct.behaviour.warns = spec.warns;
        ct.behaviour.fails_start = spec.fails_start;
        ct.behaviour.no_lease = spec.no_lease;
        ct.ha = spec.ha.as_deref().map(Ha::new);
        if spec.running {
            let uptime = spec.uptime.unwrap_or_else(|| between(key, 600, 2_000_000) as i64);
            let pid = self.nodes.get_mut(node).map_or(1, super::Node::fork);
            ct.run_since(uptime, pid);
        }
        if let Some(pool) = &spec.pool {
            self.access.pool_of.insert(spec.vmid, pool.clone());
        }
        self.insert(ct);
        Ok(())
    }
}

fn config_of(spec: &CtSpec, key: u64) -> Config {
    let mut config = Config::default();
    let vmid = spec.vmid;
    config.set("arch", "amd64");
    config.set("ostype", "debian");
    config.set("memory", &spec.memory.unwrap_or(512).to_string());
    config.set("swap", &spec.swap.to_string());
    let volume = if spec.template { "base" } else { "vm" };
    let disk = spec.disk.unwrap_or(8);
    config.set("rootfs", &format!("local-lvm:{volume}-{vmid}-disk-0,size={disk}G"));
    let flags = [
        ("unprivileged", !spec.privileged),
        ("protection", spec.protection),
        ("template", spec.template),
        ("onboot", spec.onboot),
    ];
    for (name, _) in flags.iter().filter(|(_, on)| *on) {
        config.set(name, "1");
    }
    if let Some(ip) = &spec.ip {
        let bridge = spec.bridge.as_deref().unwrap_or("vmbr0");
        let mac = spec.hwaddr.as_ref().map_or_else(String::new, |m| format!(",hwaddr={m}"));
        config.set("net0", &network(&format!("name=eth0,bridge={bridge},ip={ip}{mac}"), key));
    }
    let cores = spec.cores.map(|c| c.to_string());
    let tags = (!spec.tags.is_empty()).then(|| spec.tags.join(";"));
    let texts = [
        ("hostname", &spec.name),
        ("description", &spec.description),
        ("lock", &spec.lock),
        ("cores", &cores),
        ("tags", &tags),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            config.set(name, value);
        }
    }
    spec.config.iter().for_each(|(k, v)| config.set(k, v));
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_population() {
        let nodes = ["a".to_owned(), "b".to_owned()];
        let one = generate(7, 40, &nodes, 100, true);
        assert_eq!(one, generate(7, 40, &nodes, 100, true));
        assert_ne!(one, generate(8, 40, &nodes, 100, true));
        assert_eq!(one[3].name.as_deref(), Some("legacy-app"));
        assert!(one[3].stubborn && one[8].ha.is_some());
        assert_eq!(generate(7, 40, &nodes, 100, false)[8].ha, None);
    }
}

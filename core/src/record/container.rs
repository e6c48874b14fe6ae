//! Containers, one record per incarnation.

use crate::ids::{ContainerId, Installation, Micros, Vmid};
use crate::pve::{Config, Live, Power};

/// One incarnation of a container, as last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerRecord {
    /// Incarnation.
    pub id: ContainerId,
    /// Where it lives.
    pub installation: Installation,
    /// Its number there.
    pub vmid: Vmid,
    /// Host name.
    pub name: Option<String>,
    /// Node it was last seen on.
    pub node: String,
    /// None = Proxmox has not been able to say.
    pub power: Option<Power>,
    /// creating, ready, error, deleting.
    pub lifecycle: String,
    /// The last sample.
    pub live: Live,
    /// The last config read.
    pub config: Option<Config>,
    /// MAC addresses, for telling incarnations apart.
    pub hwaddrs: Vec<String>,
    /// Our marker in its description.
    pub marker: Option<String>,
    /// Resource pool.
    pub pool: Option<String>,
    /// What Proxmox tells of its interfaces, or its static addresses where it has no others; the primary one first.
    pub ips: Vec<String>,
    /// Our template it was made from.
    pub template: Option<String>,
    /// Operation that asks for a look.
    pub attention: Option<String>,
    /// Operation that put it into `error`.
    pub error_op: Option<String>,
    /// When we first saw it.
    pub first_seen: Micros,
    /// When the sample was taken.
    pub observed: Micros,
    /// Since when Proxmox answers without it.
    pub gone_since: Option<Micros>,
    /// What was found inside; None = nobody has looked yet.
    pub inside: Option<Inside>,
}

/// What was found in a container when it was looked into last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inside {
    /// Services that run.
    pub healthy: u32,
    /// Services, without those of the system.
    pub total: u32,
    /// Its addresses by its own account, the primary one first.
    pub addresses: Vec<String>,
    /// When that was, or earlier: a look that finds the same is not always told.
    pub checked: Micros,
}

impl ContainerRecord {
    /// The lifecycle of one that an operation of ours is making, from its submit to its end.
    pub const CREATING: &'static str = "creating";

    /// Whether an operation of ours is making it: Proxmox may not know it yet.
    #[must_use]
    pub fn is_being_made(&self) -> bool {
        self.lifecycle == Self::CREATING
    }

    /// One that is seen for the first time, on that node at that time; nothing is known but what was seen.
    #[must_use]
    pub fn seen(installation: &Installation, node: &str, live: Live, at: Micros) -> Self {
        Self {
            id: ContainerId::generate(),
            installation: installation.clone(),
            vmid: live.vmid,
            name: live.name.clone(),
            node: node.to_owned(),
            power: Some(live.power),
            lifecycle: "ready".to_owned(),
            live,
            config: None,
            hwaddrs: Vec::new(),
            marker: None,
            pool: None,
            ips: Vec::new(),
            template: None,
            attention: None,
            error_op: None,
            first_seen: at,
            observed: at,
            gone_since: None,
            inside: None,
        }
    }

    /// All addresses, the primary one first: the static ones of its config, then what it says itself, then what
    /// Proxmox tells. What it said once and Proxmox does not know any more is old.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let fixed = self.config.as_ref().map(Config::static_ips).unwrap_or_default();
        let asked = self.ips.iter().any(|ip| !fixed.contains(ip));
        let inside = self.inside.iter().flat_map(|inside| &inside.addresses);
        let inside = inside.filter(|ip| !asked || self.ips.contains(ip)).cloned();
        let mut all: Vec<String> = Vec::new();
        for ip in fixed.iter().cloned().chain(inside).chain(self.ips.iter().cloned()) {
            if !all.contains(&ip) {
                all.push(ip);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn static_ones_come_first_and_then_what_it_says_itself() {
        let here = Installation("ab".repeat(32));
        let of = |ips: &[&str]| ips.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>();
        for (net, inside, ips, expected) in [
            // Dynamic: the default route is on eth1, which only the container knows.
            (
                "ip=dhcp",
                of(&["192.168.1.4", "10.0.0.4"]),
                of(&["10.0.0.4", "192.168.1.4"]),
                "192.168.1.4 10.0.0.4",
            ),
            ("ip=dhcp", of(&["10.0.0.4"]), Vec::new(), "10.0.0.4"),
            ("ip=dhcp", Vec::new(), of(&["10.0.0.4"]), "10.0.0.4"),
            // A lease of yesterday.
            ("ip=dhcp", of(&["10.0.0.9"]), of(&["10.0.0.4", "fd00::4"]), "10.0.0.4 fd00::4"),
            ("ip=10.0.0.4/24", of(&["fd00::4", "10.0.0.4"]), of(&["10.0.0.4"]), "10.0.0.4 fd00::4"),
            ("ip=10.0.0.4/24", Vec::new(), of(&["10.0.0.4"]), "10.0.0.4"),
        ] {
            let values = BTreeMap::from([("net0".to_owned(), format!("name=eth0,{net}"))]);
            let row = ContainerRecord {
                config: Some(Config { values }),
                inside: Some(Inside { addresses: inside.clone(), ..Inside::default() }),
                ips: ips.clone(),
                ..ContainerRecord::seen(&here, "pve1", Live::bare(104, Power::Running), 0)
            };
            assert_eq!(row.addresses().join(" "), expected, "{net} {inside:?} {ips:?}");
        }
    }
}

//! What Proxmox says about itself: version, nodes, cluster, the guests of the whole installation and
//! our own privileges. Plain data and what can be read off it; must not judge freshness (inventory).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::live::{Power, Usage};

/// `/version`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `9.2.11`
    pub version: String,
    /// `9.2`; empty when it did not say.
    pub release: String,
}

impl Version {
    /// Whether it is this release or a later one; false when the version cannot be read.
    #[must_use]
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        numbers.next().is_some_and(|first| (first, numbers.next().unwrap_or(0)) >= (major, minor))
    }
}

/// A row of `/nodes`. Figures are absent for a node that is offline, or without Sys.Audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Exact name, as paths need it.
    pub name: String,
    /// False for `offline` and `unknown`.
    pub online: bool,
    /// SHA-256 of the certificate it serves, `8F:1E:…`.
    pub fingerprint: Option<String>,
    /// 0..1 of `cpus`.
    pub cpu: Option<f64>,
    /// Logical CPUs.
    pub cpus: Option<u64>,
    /// Bytes used.
    pub memory: Option<u64>,
    /// Bytes it has.
    pub memory_max: Option<u64>,
    /// Bytes of its root file system used.
    pub disk: Option<u64>,
    /// Size of its root file system in bytes.
    pub disk_max: Option<u64>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
}

/// `/cluster/status`; needs Sys.Audit on `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Cluster name; None for a node on its own.
    pub name: Option<String>,
    /// Whether it has quorum; None for a node on its own.
    pub quorate: Option<bool>,
    /// Its nodes, by name.
    pub members: Vec<ClusterMember>,
}

/// A node as the cluster sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterMember {
    /// Node name.
    pub name: String,
    /// Whether corosync sees it.
    pub online: bool,
    /// The one that answered.
    pub local: bool,
    /// Its cluster address.
    pub ip: Option<String>,
}

/// A guest in `/cluster/resources?type=vm`. Existence, placement, lock and tags are live; power and
/// figures are 8 to 14 s old.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Its number.
    pub vmid: u32,
    /// Node that owns it.
    pub node: String,
    /// A virtual machine, not a container.
    pub is_vm: bool,
    /// Host name; absent until its first sample.
    pub name: Option<String>,
    /// None = `unknown`: no sample yet, or none for 5 minutes.
    pub power: Option<Power>,
    /// `backup`, `create`, …, while Proxmox itself holds it.
    pub lock: Option<String>,
    /// Lower-case, sorted.
    pub tags: Vec<String>,
    /// Resource pool it is in.
    pub pool: Option<String>,
    /// HA manager's state of it, when it is managed.
    pub ha_state: Option<String>,
    /// A template: cannot be started.
    pub template: bool,
    /// Figures.
    pub usage: Usage,
}

/// `/nodes/N/status`; needs Sys.Audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// `pve-manager/9.2.11/…`
    pub pve_version: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Load averages over 1, 5 and 15 minutes; fewer when it did not say.
    pub load: Vec<f64>,
    /// 0..1 of `cpus`.
    pub cpu: Option<f64>,
    /// Logical CPUs.
    pub cpus: Option<u64>,
    /// Bytes used.
    pub memory: Option<u64>,
    /// Bytes it has.
    pub memory_max: Option<u64>,
    /// Seconds since boot.
    pub uptime: Option<u64>,
}

/// `/access/permissions`: what our token may do, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// Path → privilege → whether it also holds below that path.
    pub paths: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Permissions {
    /// Whether a privilege is held on a path. A path with an entry of its own is told by that entry
    /// alone, as Proxmox tells it; another one inherits from the nearest path above that has one.
    #[must_use]
    pub fn allows(&self, path: &str, privilege: &str) -> bool {
        if let Some(held) = self.paths.get(path) {
            return held.contains_key(privilege);
        }
        let mut above = path;
        while above != "/" && !above.is_empty() {
            above = match above.rsplit_once('/') {
                Some(("", _)) | None => "/",
                Some((parent, _)) => parent,
            };
            if let Some(held) = self.paths.get(above) {
                return held.get(privilege).copied().unwrap_or(false);
            }
        }
        false
    }

    /// Every privilege held anywhere.
    #[must_use]
    pub fn anywhere(&self) -> BTreeSet<&str> {
        self.paths.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions() {
        let version = |text: &str| Version { version: text.into(), release: String::new() };
        assert!(version("9.2.11").at_least(8, 1));
        assert!(version("8.1").at_least(8, 1));
        assert!(version("8.1-2").at_least(8, 1));
        assert!(!version("8.0.4").at_least(8, 1));
        assert!(!version("7.4-17").at_least(8, 1));
        assert!(!version("soon").at_least(0, 0));
    }

    #[test]
    fn inherits_privileges() {
        let entry = |privilege: &str, below| BTreeMap::from([(privilege.to_owned(), below)]);
        let permissions = Permissions {
            paths: BTreeMap::from([
                ("/".to_owned(), entry("Sys.Audit", true)),
                ("/vms".to_owned(), entry("VM.Audit", true)),
                ("/vms/105".to_owned(), entry("VM.PowerMgmt", false)),
                ("/nodes".to_owned(), entry("Sys.Modify", false)),
            ]),
        };
        assert!(permissions.allows("/", "Sys.Audit") && permissions.allows("/storage/a/b", "Sys.Audit"));
        assert!(permissions.allows("/vms/104", "VM.Audit"));
        assert!(!permissions.allows("/vms/105", "VM.Audit"), "its own entry says all");
        assert!(permissions.allows("/vms/105", "VM.PowerMgmt"));
        assert!(permissions.allows("/nodes", "Sys.Modify") && !permissions.allows("/nodes/a", "Sys.Modify"));
        assert!(!Permissions::default().allows("/vms/104", "VM.Audit"));
        assert_eq!(permissions.anywhere().len(), 4);
    }
}

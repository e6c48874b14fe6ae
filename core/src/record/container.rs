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
    /// Addresses, the primary one first.
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

    /// Addresses, the primary one first: its static one, else what Proxmox tells, else what it says itself.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        match &self.inside {
            Some(inside) if self.ips.is_empty() => &inside.addresses,
            _ => &self.ips,
        }
    }
}

//! Containers, the refs that name them for a verb, and what a listing could not do.

use std::collections::BTreeMap;

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::{Event, Service};
use crate::ui::time::Instant;

/// One container as it is listed.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Container {
    pub kind: &'static str,
    pub target: String,
    pub remote: String,
    pub vmid: u32,
    pub name: Option<String>,
    pub status: String,
    pub lifecycle: String,
    pub power: Option<String>,
    pub cpu: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub memory_max_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    pub observed_at: Option<Instant>,
    pub freshness: String,
    pub id: String,
    pub installation: String,
    pub node: Option<String>,
    pub ip: Option<String>,
    pub ips: Vec<String>,
    pub cpus: Option<f64>,
    pub swap_bytes: Option<u64>,
    pub swap_max_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub disk_max_bytes: Option<u64>,
    pub net_in_bytes: Option<u64>,
    pub net_out_bytes: Option<u64>,
    pub tags: Vec<String>,
    pub pool: Option<String>,
    pub template: Option<String>,
    pub services_healthy: Option<u32>,
    pub services_total: Option<u32>,
    pub pve_lock: Option<String>,
    pub is_pve_template: bool,
    pub protected: bool,
    pub ha_state: Option<String>,
    pub os_type: Option<String>,
    pub unprivileged: Option<bool>,
    pub created_at: Option<Instant>,
    pub gone_since: Option<Instant>,
    pub attention: Option<String>,
    pub operation_id: Option<String>,
    pub error_operation_id: Option<String>,
    pub error_summary: Option<String>,
}

impl From<pb::Container> for Container {
    fn from(c: pb::Container) -> Self {
        Self {
            kind: "Container",
            target: format!("{}/{}", c.remote, c.vmid),
            remote: c.remote,
            vmid: c.vmid,
            name: c.name,
            status: c.status,
            lifecycle: c.lifecycle,
            power: c.power,
            cpu: c.cpu,
            memory_bytes: c.memory_bytes,
            memory_max_bytes: c.memory_max_bytes,
            uptime_seconds: c.uptime_seconds,
            observed_at: c.observed_us.map(Instant),
            freshness: c.freshness,
            id: c.id,
            installation: c.installation,
            node: c.node,
            ip: c.ip,
            ips: c.ips,
            cpus: c.cpus,
            swap_bytes: c.swap_bytes,
            swap_max_bytes: c.swap_max_bytes,
            disk_bytes: c.disk_bytes,
            disk_max_bytes: c.disk_max_bytes,
            net_in_bytes: c.net_in_bytes,
            net_out_bytes: c.net_out_bytes,
            tags: c.tags,
            pool: c.pool,
            template: c.template,
            services_healthy: c.services_healthy,
            services_total: c.services_total,
            pve_lock: c.pve_lock,
            is_pve_template: c.is_pve_template,
            protected: c.protected,
            ha_state: c.ha_state,
            os_type: c.os_type,
            unprivileged: c.unprivileged,
            created_at: c.created_us.map(Instant),
            gone_since: c.gone_since_us.map(Instant),
            attention: c.attention,
            operation_id: c.operation_id,
            error_operation_id: c.error_operation_id,
            error_summary: c.error_summary,
        }
    }
}

/// One container with everything that is known about it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The same fields as in a listing.
    #[serde(flatten)]
    pub container: Container,
    /// What was found inside it last.
    pub services: Vec<Service>,
    /// Proxmox's config.
    pub config: BTreeMap<String, String>,
    /// The last ten, oldest first.
    pub events: Vec<Event>,
    /// What could not be found out.
    pub warnings: Vec<Warning>,
}

impl From<pb::ShowContainerReply> for Shown {
    fn from(reply: pb::ShowContainerReply) -> Self {
        let mut container = reply.container.unwrap_or_default();
        let config = std::mem::take(&mut container.config).into_iter().collect();
        let target = format!("{}/{}", container.remote, container.vmid);
        let services = reply.services.into_iter().map(|service| Service::of(&target, service));
        Self {
            services: services.collect(),
            container: container.into(),
            config,
            events: reply.events.into_iter().map(Event::from).collect(),
            warnings: reply.warnings.into_iter().map(Warning::from).collect(),
        }
    }
}

/// How many there are of each status.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Summary {
    pub kind: &'static str,
    pub total: u32,
    pub running: u32,
    pub stopped: u32,
    pub creating: u32,
    pub deleting: u32,
    pub error: u32,
    pub unknown: u32,
    pub warnings: Vec<Warning>,
}

impl From<pb::SummaryReply> for Summary {
    fn from(s: pb::SummaryReply) -> Self {
        Self {
            kind: "Summary",
            total: s.total,
            running: s.running,
            stopped: s.stopped,
            creating: s.creating,
            deleting: s.deleting,
            error: s.error,
            unknown: s.unknown,
            warnings: s.warnings.into_iter().map(Warning::from).collect(),
        }
    }
}

/// A key in Redis that was removed.
#[derive(Debug, Clone, Serialize)]
pub struct Unlocked {
    /// Always `Unlocked`.
    pub kind: &'static str,
    /// remote/vmid
    pub target: String,
    /// Hostname.
    pub name: Option<String>,
    /// What the key said.
    pub holder: String,
}

impl From<pb::UnlockReply> for Unlocked {
    fn from(reply: pb::UnlockReply) -> Self {
        Self { kind: "Unlocked", target: reply.target, name: reply.name, holder: reply.holder }
    }
}

/// What a listing could not do.
#[derive(Debug, Clone, Serialize)]
pub struct Warning {
    /// Stable, as in errors.
    pub code: String,
    /// remote/node, remote/vmid or a remote.
    pub target: Option<String>,
    /// In words; Proxmox's own for what cannot be reached.
    pub message: String,
    /// When it began.
    pub since: Option<Instant>,
    /// Containers of the list whose state is unknown because of it.
    pub unknown_rows: u32,
}

impl From<pb::Warning> for Warning {
    fn from(w: pb::Warning) -> Self {
        Self {
            code: w.code,
            target: Some(w.target).filter(|target| !target.is_empty()),
            message: w.message,
            since: Some(w.since_us).filter(|&micros| micros > 0).map(Instant),
            unknown_rows: w.unknown_rows,
        }
    }
}

/// A container named so that nothing else can be meant; goes back to the daemon as it came.
#[derive(Debug, Clone)]
pub struct ContainerRef {
    wire: pb::ContainerRef,
    /// What the person typed for it; `None` when a pattern picked it.
    pub typed: Option<String>,
}

impl ContainerRef {
    /// The ref as it came, with what was typed for it.
    #[must_use]
    pub fn new(wire: pb::ContainerRef, typed: Option<String>) -> Self {
        Self { wire, typed: typed.filter(|text| !text.is_empty()) }
    }

    /// One for tests of what is said about it.
    #[cfg(test)]
    pub(crate) fn sample(vmid: u32, name: &str, status: &str) -> Self {
        let (remote, node) = ("homelab".to_owned(), "pve1".to_owned());
        let (name, status, disk_bytes) = (name.to_owned(), status.to_owned(), 8 << 30);
        let wire = pb::ContainerRef { vmid, name, status, remote, node, disk_bytes, ..Default::default() };
        Self { wire, typed: None }
    }

    /// The same, managed by HA.
    #[cfg(test)]
    pub(crate) fn managed(mut self) -> Self {
        self.wire.ha_state = Some("started".to_owned());
        self
    }

    /// The message Submit takes.
    pub(crate) fn wire(&self) -> pb::ContainerRef {
        self.wire.clone()
    }

    /// `homelab/104`
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.wire.remote, self.wire.vmid)
    }

    /// Its hostname, `-` for none.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.wire.name.is_empty() { "-" } else { &self.wire.name }
    }

    /// The one word people read.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.wire.status
    }

    /// Node it is on.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        Some(self.wire.node.as_str()).filter(|node| !node.is_empty())
    }

    /// Whether HA manages it: Proxmox then never forces a shutdown.
    #[must_use]
    pub fn under_ha(&self) -> bool {
        self.wire.ha_state.is_some()
    }

    /// Sum of the sizes of its disks.
    #[must_use]
    pub fn disk_bytes(&self) -> Option<u64> {
        Some(self.wire.disk_bytes).filter(|&bytes| bytes > 0)
    }

    /// When it was made.
    #[must_use]
    pub fn created_at(&self) -> Option<Instant> {
        Some(self.wire.created_us).filter(|&micros| micros > 0).map(Instant)
    }
}

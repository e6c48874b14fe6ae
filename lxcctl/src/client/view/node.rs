//! Nodes of a remote.

use lxc_proto::v1 as pb;
use serde::Serialize;

use crate::ui::time::Instant;

/// One Proxmox node.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Node {
    pub kind: &'static str,
    pub target: String,
    pub remote: String,
    pub name: String,
    pub status: String,
    pub cpu: Option<f64>,
    pub cpus: Option<u32>,
    pub memory_bytes: Option<u64>,
    pub memory_max_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    pub pve_version: Option<String>,
    pub containers: u32,
    pub running: u32,
    pub observed_at: Option<Instant>,
    pub freshness: String,
    pub unreachable_since: Option<Instant>,
    pub unreachable_why: Option<String>,
}

impl From<pb::Node> for Node {
    fn from(n: pb::Node) -> Self {
        Self {
            kind: "Node",
            target: format!("{}/{}", n.remote, n.name),
            remote: n.remote,
            name: n.name,
            status: n.status,
            cpu: n.cpu,
            cpus: n.cpus,
            memory_bytes: n.memory_bytes,
            memory_max_bytes: n.memory_max_bytes,
            uptime_seconds: n.uptime_seconds,
            pve_version: n.pve_version,
            containers: n.containers,
            running: n.running,
            observed_at: n.observed_us.map(Instant),
            freshness: n.freshness,
            unreachable_since: n.unreachable_since_us.map(Instant),
            unreachable_why: n.unreachable_why,
        }
    }
}

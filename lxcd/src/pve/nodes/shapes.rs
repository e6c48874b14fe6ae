//! The shapes of nodes, the cluster and what is on it. Owns their reading into core's terms; pure.

use std::collections::{BTreeMap, HashSet};

use lxc_core::ids::Vmid;
use lxc_core::ports::PveError;
use lxc_core::pve::{
    ClusterMember, ClusterStatus, Node, NodeStatus, Permissions, Placement, Resource, Version,
};
use serde::Deserialize;

use crate::pve::answer::{Answer, Rows};
use crate::pve::guest::Guest;
use crate::pve::scalar::Scalar;

/// `ct:104`; a `vm:` is none of ours.
pub(in crate::pve) fn managed(answer: Answer<'_>) -> Result<HashSet<Vmid>, PveError> {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Row {
        sid: Scalar,
    }
    let rows: Vec<Row> = answer.rows()?;
    let sids = rows.into_iter().filter_map(|row| row.sid.text());
    Ok(sids.filter_map(|sid| sid.strip_prefix("ct:")?.parse().ok()).collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VersionRow {
    version: Scalar,
    release: Scalar,
}

pub(in crate::pve) fn version(answer: Answer<'_>) -> Result<Version, PveError> {
    let row: VersionRow = answer.object()?;
    let version = row.version.word().ok_or_else(|| answer.garbage("no version of Proxmox VE"))?;
    Ok(Version { version, release: row.release.text().unwrap_or_default() })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeRow {
    node: Scalar,
    status: Scalar,
    ssl_fingerprint: Scalar,
    cpu: Scalar,
    maxcpu: Scalar,
    mem: Scalar,
    maxmem: Scalar,
    disk: Scalar,
    maxdisk: Scalar,
    uptime: Scalar,
}

pub(in crate::pve) fn nodes(answer: Answer<'_>) -> Result<Vec<Node>, PveError> {
    let rows: Vec<NodeRow> = answer.rows()?;
    let node = |row: NodeRow| {
        Some(Node {
            name: row.node.word()?,
            online: row.status.text().as_deref() == Some("online"),
            fingerprint: row.ssl_fingerprint.word(),
            cpu: row.cpu.float().map(|cpu| cpu.max(0.0)),
            cpus: row.maxcpu.amount(),
            memory: row.mem.amount(),
            memory_max: row.maxmem.amount(),
            disk: row.disk.amount(),
            disk_max: row.maxdisk.amount(),
            uptime: row.uptime.amount(),
        })
    };
    let read: Option<Vec<Node>> = rows.into_iter().map(node).collect();
    let mut all = read.ok_or_else(|| answer.garbage("a node without a name"))?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClusterRow {
    r#type: Scalar,
    name: Scalar,
    quorate: Scalar,
    online: Scalar,
    local: Scalar,
    ip: Scalar,
}

pub(in crate::pve) fn cluster(answer: Answer<'_>) -> Result<ClusterStatus, PveError> {
    let rows: Vec<ClusterRow> = answer.rows()?;
    let mut status = ClusterStatus::default();
    for row in rows {
        match row.r#type.text().as_deref() {
            Some("cluster") => {
                status.name = row.name.word();
                status.quorate = Some(row.quorate.flag());
            }
            Some("node") => status.members.push(ClusterMember {
                name: row.name.word().ok_or_else(|| answer.garbage("a node without a name"))?,
                online: row.online.flag(),
                local: row.local.flag(),
                ip: row.ip.word(),
            }),
            _ => {}
        }
    }
    status.members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(status)
}

pub(in crate::pve) fn resources(answer: Answer<'_>) -> Result<Rows<Resource>, PveError> {
    let read = |row: Guest| {
        let vmid = row.number();
        row.resource().ok_or(vmid)
    };
    let mut all = answer.rows_that_read("guests without a number, a node or a type", read)?;
    all.rows.sort_by_key(|resource| resource.vmid);
    Ok(all)
}

/// What [`placement`] needs of a row; the rest is skipped without being kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlacementRow {
    r#type: Scalar,
    vmid: Scalar,
    node: Scalar,
}

/// One vmid in `/cluster/resources?type=vm`.
pub(in crate::pve) fn placement(answer: Answer<'_>, vmid: Vmid) -> Result<Option<Placement>, PveError> {
    let read = |row: PlacementRow| row.vmid.vmid().map(|vmid| (vmid, row)).ok_or(None);
    let all = answer.rows_that_read("guests without a number", read)?;
    let Some((_, row)) = all.rows.into_iter().find(|(number, _)| *number == vmid) else {
        // One that says not whom it is about may be about this one.
        return if all.unread.is_empty() {
            Ok(None)
        } else {
            Err(answer.garbage("a guest without a number"))
        };
    };
    let is_vm = row.r#type.text().as_deref() != Some("lxc");
    let node = row.node.word().ok_or_else(|| answer.garbage("a guest without a node"))?;
    Ok(Some(Placement { node, is_vm }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    used: Scalar,
    total: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CpuInfo {
    cpus: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusRow {
    pveversion: Scalar,
    kversion: Scalar,
    loadavg: Option<Vec<Scalar>>,
    cpu: Scalar,
    cpuinfo: Option<CpuInfo>,
    memory: Option<Memory>,
    uptime: Scalar,
}

pub(in crate::pve) fn node_status(answer: Answer<'_>) -> Result<NodeStatus, PveError> {
    let row: StatusRow = answer.object()?;
    let memory = row.memory.unwrap_or_default();
    Ok(NodeStatus {
        pve_version: row.pveversion.word(),
        kernel: row.kversion.word(),
        load: row.loadavg.unwrap_or_default().iter().filter_map(Scalar::float).collect(),
        cpu: row.cpu.float().map(|cpu| cpu.max(0.0)),
        cpus: row.cpuinfo.unwrap_or_default().cpus.amount(),
        memory: memory.used.amount(),
        memory_max: memory.total.amount(),
        uptime: row.uptime.amount(),
    })
}

pub(in crate::pve) fn permissions(answer: Answer<'_>) -> Result<Permissions, PveError> {
    let paths: BTreeMap<String, BTreeMap<String, Scalar>> = answer.data()?;
    let held =
        |map: BTreeMap<String, Scalar>| map.into_iter().map(|(name, below)| (name, below.flag())).collect();
    Ok(Permissions { paths: paths.into_iter().map(|(path, map)| (path, held(map))).collect() })
}

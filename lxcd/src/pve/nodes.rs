//! Nodes, the cluster and everything on it: the calls of the inventory and of `remote`. Owns their
//! paths and shapes; must not merge or remember anything.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use lxc_core::ids::{Installation, Vmid};
use lxc_core::ports::PveError;
use lxc_core::pve::{
    ClusterMember, ClusterStatus, Live, Node, NodeStatus, Permissions, Placement, Resource, Version,
};
use serde::Deserialize;

use super::answer::{Answer, Rows};
use super::certificates;
use super::client::{PveClient, segment};
use super::exchange::Received;
use super::guest::Guest;
use super::lxc;
use super::metrics::Class;
use super::scalar::Scalar;
use super::transport::{LIST, Request, SMALL};

impl PveClient {
    /// `/version`; any token may ask.
    ///
    /// # Errors
    /// As any question.
    pub async fn version(&self) -> Result<Version, PveError> {
        let received = self.small(Class::Version, "", "/version").await?;
        version(received.answer())
    }

    /// `/version`, asked of each URL by itself, in order.
    ///
    /// # Errors
    /// As any question, for each.
    pub async fn versions(&self) -> Vec<(Duration, Result<Version, PveError>)> {
        let request = Request { class: Class::Version, node: "", path: "/version", limit: SMALL };
        let one = |way| async move {
            let began = Instant::now();
            let answer = self.transport.get_at(way, request).await;
            let read = answer.and_then(|received| version(received.answer()));
            (began.elapsed(), read)
        };
        futures::future::join_all(self.transport.ways().iter().map(one)).await
    }

    /// The installation behind each URL, asked of each by itself, in order.
    ///
    /// # Errors
    /// As any question, for each.
    pub async fn installations(&self) -> Vec<Result<Installation, PveError>> {
        // Whoever is asked is to answer: no other node has to be up.
        let path = "/nodes/localhost/certificates/info";
        let request = Request { class: Class::Certificates, node: "", path, limit: SMALL };
        let one = |way| async move {
            let received = self.transport.get_at(way, request).await?;
            certificates::read(received.answer()).map(|found| found.installation)
        };
        futures::future::join_all(self.transport.ways().iter().map(one)).await
    }

    /// `/nodes`, by name: exact names, who is online, which certificate each serves.
    ///
    /// # Errors
    /// As any question.
    pub async fn nodes(&self) -> Result<Vec<Node>, PveError> {
        nodes(self.small(Class::Nodes, "", "/nodes").await?.answer())
    }

    /// `/cluster/status`.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit on `/`; else as any question.
    pub async fn cluster_status(&self) -> Result<ClusterStatus, PveError> {
        cluster(self.small(Class::Nodes, "", "/cluster/status").await?.answer())
    }

    /// `/nodes/N/lxc`, by vmid: the truth about every container of one node that the token may see.
    ///
    /// # Errors
    /// As any question; an answer of which no row can be read is `Garbage`.
    pub async fn list_lxc(&self, node: &str) -> Result<Rows<Live>, PveError> {
        let path = format!("/nodes/{}/lxc", segment(node));
        let request = Request { class: Class::List, node, path: &path, limit: LIST };
        lxc::list(self.transport.get(request).await?.answer())
    }

    /// `/cluster/resources?type=vm`, by vmid: every guest of the installation the token may see, also
    /// on offline nodes.
    ///
    /// # Errors
    /// As any question; an answer of which no row can be read is `Garbage`.
    pub async fn resources(&self) -> Result<Rows<Resource>, PveError> {
        let request =
            Request { class: Class::Resources, node: "", path: "/cluster/resources?type=vm", limit: LIST };
        resources(self.transport.get(request).await?.answer())
    }

    /// The containers HA manages, from `/cluster/ha/resources`; none on a node that stands alone.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit on `/`; else as any question.
    pub(super) async fn ha_managed(&self) -> Result<HashSet<Vmid>, PveError> {
        managed(self.small(Class::Nodes, "", "/cluster/ha/resources").await?.answer())
    }

    /// `/nodes/N/status`.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit; else as any question.
    pub async fn node_status(&self, node: &str) -> Result<NodeStatus, PveError> {
        let path = format!("/nodes/{}/status", segment(node));
        node_status(self.small(Class::Nodes, node, &path).await?.answer())
    }

    /// `/access/permissions`: what this token may do.
    ///
    /// # Errors
    /// As any question.
    pub async fn permissions(&self) -> Result<Permissions, PveError> {
        permissions(self.small(Class::Permissions, "", "/access/permissions").await?.answer())
    }

    async fn small(&self, class: Class, node: &str, path: &str) -> Result<Received, PveError> {
        self.transport.get(Request { class, node, path, limit: SMALL }).await
    }
}

/// `ct:104`; a `vm:` is none of ours.
fn managed(answer: Answer<'_>) -> Result<HashSet<Vmid>, PveError> {
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

pub(super) fn version(answer: Answer<'_>) -> Result<Version, PveError> {
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

pub(super) fn nodes(answer: Answer<'_>) -> Result<Vec<Node>, PveError> {
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

pub(super) fn cluster(answer: Answer<'_>) -> Result<ClusterStatus, PveError> {
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

pub(super) fn resources(answer: Answer<'_>) -> Result<Rows<Resource>, PveError> {
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
pub(super) fn placement(answer: Answer<'_>, vmid: Vmid) -> Result<Option<Placement>, PveError> {
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

pub(super) fn node_status(answer: Answer<'_>) -> Result<NodeStatus, PveError> {
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

pub(super) fn permissions(answer: Answer<'_>) -> Result<Permissions, PveError> {
    let paths: BTreeMap<String, BTreeMap<String, Scalar>> = answer.data()?;
    let held =
        |map: BTreeMap<String, Scalar>| map.into_iter().map(|(name, below)| (name, below.flag())).collect();
    Ok(Permissions { paths: paths.into_iter().map(|(path, map)| (path, held(map))).collect() })
}

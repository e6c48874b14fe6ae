//! The endpoints the simulator serves.
//!
//! Owns the list: method, path, privileges, parameters; one file per part of the API. What is not here is answered 501, as Proxmox
//! answers what it does not know. Must not contain behaviour.

mod access;
mod cluster;
mod lxc;
mod node;

use super::option::{NODE, VMID};
use super::{Endpoint, Param, Perm};

/// What an endpoint does; `api` maps each to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after its endpoint in the table below")]
pub enum Op {
    Index(&'static [&'static str]),
    Version,
    Nodes,
    NodeStatus,
    NodeTime,
    Certificates,
    Network,
    Aplinfo,
    AplDownload,
    Storages,
    StorageStatus,
    StorageContent,
    Tasks,
    TaskIndex,
    TaskStop,
    TaskStatus,
    TaskLog,
    LxcList,
    LxcCreate,
    LxcIndex,
    LxcDelete,
    ConfigGet,
    ConfigPut,
    Pending,
    Current,
    StatusIndex,
    Start,
    Stop,
    Shutdown,
    Reboot,
    Interfaces,
    Snapshots,
    Template,
    Resize,
    ClusterStatus,
    ClusterResources,
    NextId,
    ClusterTasks,
    HaStatus,
    HaResources,
    HaResourcePut,
    HaMove(&'static str),
    Permissions,
    TicketIndex,
    TicketCreate,
    Users,
    Tokens,
    TokenRead,
    TokenCreate,
    Roles,
    AclGet,
    AclPut,
    Domains,
    Pools,
    Pool,
}

const NODE_ONLY: &[Param] = &[NODE];
const NODE_VMID: &[Param] = &[NODE, VMID];
const VM_AUDIT: Perm = Perm::All("/vms/{vmid}", &["VM.Audit"]);
const ROOT_AUDIT: Perm = Perm::All("/", &["Sys.Audit"]);

const fn ep(
    method: &'static str,
    path: &'static str,
    op: Op,
    perm: Perm,
    params: &'static [Param],
) -> Endpoint {
    Endpoint { method, path, perm, params, tokens: true, protected: false, op }
}

const fn daemon(mut endpoint: Endpoint) -> Endpoint {
    endpoint.protected = true;
    endpoint
}

/// Subdirectories of a container.
pub const LXC_INDEX: &[&str] = &[
    "config",
    "pending",
    "status",
    "vncproxy",
    "termproxy",
    "vncwebsocket",
    "spiceproxy",
    "migrate",
    "clone",
    "rrd",
    "rrddata",
    "firewall",
    "snapshot",
    "resize",
    "interfaces",
];
/// Subdirectories of a container's status.
pub const STATUS_INDEX: &[&str] = &["current", "start", "stop", "shutdown", "reboot", "migrate"];

/// Every served endpoint.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [node::ENDPOINTS, lxc::ENDPOINTS, cluster::ENDPOINTS, access::ENDPOINTS].into_iter().flatten()
}

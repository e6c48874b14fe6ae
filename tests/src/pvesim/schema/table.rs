//! The endpoints the simulator serves.
//!
//! Owns the list: method, path, privileges, parameters. What is not here is answered 501, as Proxmox
//! answers what it does not know. Must not contain behaviour.

use super::Kind::{Bool, Int, Str};
use super::option::{CONFIG_PUT, CREATE, NODE, VMID};
use super::{Endpoint, Param, Perm, opt, req};

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
    Permissions,
    TicketIndex,
    TicketCreate,
    Users,
    Tokens,
    TokenCreate,
    Roles,
    AclGet,
    AclPut,
    Domains,
    Pools,
    Pool,
}

const UPID: Param = req("upid", Str);
const STORAGE: Param = req("storage", Str).named("pve-storage-id");
const POOL_TYPE: Param = opt("type", Str).choices(&["qemu", "lxc", "storage"]);
const TOKEN: Param = req("tokenid", Str).pattern();
const USER: Param = req("userid", Str).named("pve-userid").max_len(64);

const NODE_ONLY: &[Param] = &[NODE];
const NODE_VMID: &[Param] = &[NODE, VMID];
const NODE_UPID: &[Param] = &[NODE, UPID];

const VM_AUDIT: Perm = Perm::All("/vms/{vmid}", &["VM.Audit"]);
const VM_POWER: Perm = Perm::All("/vms/{vmid}", &["VM.PowerMgmt"]);
const VM_ALLOCATE: Perm = Perm::All("/vms/{vmid}", &["VM.Allocate"]);
const NODE_AUDIT: Perm = Perm::All("/nodes/{node}", &["Sys.Audit"]);
const ROOT_AUDIT: Perm = Perm::All("/", &["Sys.Audit"]);
const CONFIG_PRIVS: &[&str] =
    &["VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options"];
const USER_ADMIN: &[&str] = &["User.Modify"];

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

const ROOT_INDEX: &[&str] = &["version", "cluster", "nodes", "storage", "access", "pools"];
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
pub const ENDPOINTS: &[Endpoint] = &[
    ep("GET", "/", Op::Index(ROOT_INDEX), Perm::User, &[]),
    ep("GET", "/version", Op::Version, Perm::User, &[]),
    ep("GET", "/nodes", Op::Nodes, Perm::User, &[]),
    ep("GET", "/nodes/{node}/status", Op::NodeStatus, NODE_AUDIT, NODE_ONLY),
    ep("GET", "/nodes/{node}/time", Op::NodeTime, NODE_AUDIT, NODE_ONLY),
    ep("GET", "/nodes/{node}/certificates/info", Op::Certificates, Perm::User, NODE_ONLY),
    ep(
        "GET",
        "/nodes/{node}/network",
        Op::Network,
        Perm::User,
        &[
            NODE,
            opt("type", Str).choices(&[
                "bridge",
                "bond",
                "eth",
                "alias",
                "vlan",
                "fabric",
                "OVSBridge",
                "OVSBond",
                "OVSPort",
                "OVSIntPort",
                "vnet",
                "any_bridge",
                "any_local_bridge",
                "include_sdn",
            ]),
        ],
    ),
    ep("GET", "/nodes/{node}/aplinfo", Op::Aplinfo, Perm::User, NODE_ONLY),
    daemon(ep(
        "GET",
        "/nodes/{node}/storage",
        Op::Storages,
        Perm::User,
        &[
            NODE,
            opt("content", Str).named("pve-storage-content-list"),
            opt("enabled", Bool),
            opt("format", Bool),
            opt("storage", Str).named("pve-storage-id"),
            opt("target", Str).named("pve-node"),
        ],
    )),
    daemon(ep(
        "GET",
        "/nodes/{node}/storage/{storage}/status",
        Op::StorageStatus,
        Perm::Any("/storage/{storage}", &["Datastore.Audit", "Datastore.AllocateSpace"]),
        &[NODE, STORAGE],
    )),
    daemon(ep(
        "GET",
        "/nodes/{node}/storage/{storage}/content",
        Op::StorageContent,
        Perm::Any("/storage/{storage}", &["Datastore.Audit", "Datastore.AllocateSpace"]),
        &[
            NODE,
            STORAGE,
            opt("content", Str).named("pve-storage-content"),
            opt("vmid", Int).named("pve-vmid").range(100, 999_999_999),
        ],
    )),
    ep(
        "GET",
        "/nodes/{node}/tasks",
        Op::Tasks,
        Perm::User,
        &[
            NODE,
            opt("errors", Bool),
            opt("limit", Int).min(0),
            opt("since", Int),
            opt("source", Str).choices(&["archive", "active", "all"]),
            opt("start", Int).min(0),
            opt("statusfilter", Str).named("pve-task-status-type-list"),
            opt("typefilter", Str),
            opt("until", Int),
            opt("userfilter", Str),
            opt("vmid", Int).named("pve-vmid").range(100, 999_999_999),
        ],
    ),
    ep("GET", "/nodes/{node}/tasks/{upid}", Op::TaskIndex, Perm::User, NODE_UPID),
    daemon(ep("DELETE", "/nodes/{node}/tasks/{upid}", Op::TaskStop, Perm::User, NODE_UPID)),
    daemon(ep("GET", "/nodes/{node}/tasks/{upid}/status", Op::TaskStatus, Perm::User, NODE_UPID)),
    daemon(ep(
        "GET",
        "/nodes/{node}/tasks/{upid}/log",
        Op::TaskLog,
        Perm::User,
        &[NODE, UPID, opt("download", Bool), opt("limit", Int).min(0), opt("start", Int).min(0)],
    )),
    daemon(ep("GET", "/nodes/{node}/lxc", Op::LxcList, Perm::User, NODE_ONLY)),
    daemon(ep("POST", "/nodes/{node}/lxc", Op::LxcCreate, Perm::User, CREATE)),
    ep("GET", "/nodes/{node}/lxc/{vmid}", Op::LxcIndex, Perm::User, NODE_VMID),
    daemon(ep(
        "DELETE",
        "/nodes/{node}/lxc/{vmid}",
        Op::LxcDelete,
        VM_ALLOCATE,
        &[NODE, VMID, opt("destroy-unreferenced-disks", Bool), opt("force", Bool), opt("purge", Bool)],
    )),
    ep(
        "GET",
        "/nodes/{node}/lxc/{vmid}/config",
        Op::ConfigGet,
        VM_AUDIT,
        &[NODE, VMID, opt("current", Bool), opt("snapshot", Str).named("pve-configid").max_len(40)],
    ),
    daemon(ep(
        "PUT",
        "/nodes/{node}/lxc/{vmid}/config",
        Op::ConfigPut,
        Perm::Any("/vms/{vmid}", CONFIG_PRIVS),
        CONFIG_PUT,
    )),
    ep("GET", "/nodes/{node}/lxc/{vmid}/pending", Op::Pending, VM_AUDIT, NODE_VMID),
    daemon(ep("GET", "/nodes/{node}/lxc/{vmid}/status/current", Op::Current, VM_AUDIT, NODE_VMID)),
    ep("GET", "/nodes/{node}/lxc/{vmid}/status", Op::StatusIndex, Perm::User, NODE_VMID),
    daemon(ep(
        "POST",
        "/nodes/{node}/lxc/{vmid}/status/start",
        Op::Start,
        VM_POWER,
        &[NODE, VMID, opt("debug", Bool), opt("skiplock", Bool)],
    )),
    daemon(ep(
        "POST",
        "/nodes/{node}/lxc/{vmid}/status/stop",
        Op::Stop,
        VM_POWER,
        &[NODE, VMID, opt("overrule-shutdown", Bool), opt("skiplock", Bool)],
    )),
    daemon(ep(
        "POST",
        "/nodes/{node}/lxc/{vmid}/status/shutdown",
        Op::Shutdown,
        VM_POWER,
        &[NODE, VMID, opt("forceStop", Bool), opt("timeout", Int).min(0)],
    )),
    daemon(ep(
        "POST",
        "/nodes/{node}/lxc/{vmid}/status/reboot",
        Op::Reboot,
        VM_POWER,
        &[NODE, VMID, opt("timeout", Int).min(0)],
    )),
    daemon(ep("GET", "/nodes/{node}/lxc/{vmid}/interfaces", Op::Interfaces, VM_AUDIT, NODE_VMID)),
    daemon(ep("GET", "/nodes/{node}/lxc/{vmid}/snapshot", Op::Snapshots, VM_AUDIT, NODE_VMID)),
    daemon(ep("POST", "/nodes/{node}/lxc/{vmid}/template", Op::Template, VM_ALLOCATE, NODE_VMID)),
    daemon(ep(
        "PUT",
        "/nodes/{node}/lxc/{vmid}/resize",
        Op::Resize,
        Perm::Any("/vms/{vmid}", &["VM.Config.Disk"]),
        &[
            NODE,
            VMID,
            opt("digest", Str).max_len(40),
            req("disk", Str).choices(&["rootfs", "mp[n]"]),
            req("size", Str).pattern(),
        ],
    )),
    daemon(ep("GET", "/cluster/status", Op::ClusterStatus, ROOT_AUDIT, &[])),
    ep(
        "GET",
        "/cluster/resources",
        Op::ClusterResources,
        Perm::User,
        &[opt("type", Str).choices(&["vm", "storage", "node", "sdn"])],
    ),
    ep(
        "GET",
        "/cluster/nextid",
        Op::NextId,
        Perm::User,
        &[opt("vmid", Int).named("pve-vmid").range(100, 999_999_999)],
    ),
    ep("GET", "/cluster/tasks", Op::ClusterTasks, Perm::User, &[]),
    ep("GET", "/cluster/ha/status/current", Op::HaStatus, ROOT_AUDIT, &[]),
    ep(
        "GET",
        "/cluster/ha/resources",
        Op::HaResources,
        ROOT_AUDIT,
        &[opt("type", Str).choices(&["ct", "vm"])],
    ),
    daemon(ep(
        "PUT",
        "/cluster/ha/resources/{sid}",
        Op::HaResourcePut,
        Perm::All("/", &["Sys.Console"]),
        &[
            opt("comment", Str).max_len(4096),
            opt("delete", Str).named("pve-configid-list").max_len(4096),
            opt("digest", Str).max_len(64),
            opt("failback", Bool),
            opt("group", Str).named("pve-configid"),
            opt("max_relocate", Int).min(0),
            opt("max_restart", Int).min(0),
            req("sid", Str).named("pve-ha-resource-or-vm-id"),
            opt("state", Str).choices(&["started", "stopped", "enabled", "disabled", "ignored"]),
        ],
    )),
    ep(
        "GET",
        "/access/permissions",
        Op::Permissions,
        Perm::User,
        &[opt("path", Str), opt("userid", Str).pattern()],
    ),
    Endpoint { tokens: true, ..ep("GET", "/access/ticket", Op::TicketIndex, Perm::World, &[]) },
    Endpoint {
        tokens: false,
        ..daemon(ep(
            "POST",
            "/access/ticket",
            Op::TicketCreate,
            Perm::World,
            &[
                opt("new-format", Bool),
                opt("otp", Str),
                req("password", Str),
                opt("path", Str).max_len(64).requires("privs"),
                opt("privs", Str).named("pve-priv-list").max_len(64).requires("path"),
                opt("realm", Str).named("pve-realm").max_len(32),
                opt("tfa-challenge", Str),
                req("username", Str).max_len(64),
            ],
        ))
    },
    daemon(ep("GET", "/access/users", Op::Users, Perm::User, &[opt("enabled", Bool), opt("full", Bool)])),
    ep("GET", "/access/users/{userid}/token", Op::Tokens, Perm::Any("/access/users", USER_ADMIN), &[USER]),
    daemon(ep(
        "POST",
        "/access/users/{userid}/token/{tokenid}",
        Op::TokenCreate,
        Perm::Any("/access/users", USER_ADMIN),
        &[opt("comment", Str), opt("expire", Int).min(0), opt("privsep", Bool), TOKEN, USER],
    )),
    ep("GET", "/access/roles", Op::Roles, Perm::User, &[]),
    ep("GET", "/access/acl", Op::AclGet, Perm::User, &[]),
    daemon(ep(
        "PUT",
        "/access/acl",
        Op::AclPut,
        Perm::Modify,
        &[
            opt("delete", Bool),
            opt("groups", Str).named("pve-groupid-list"),
            req("path", Str),
            opt("propagate", Bool),
            req("roles", Str).named("pve-roleid-list"),
            opt("tokens", Str).named("pve-tokenid-list"),
            opt("users", Str).named("pve-userid-list"),
        ],
    )),
    ep("GET", "/access/domains", Op::Domains, Perm::World, &[]),
    ep(
        "GET",
        "/pools",
        Op::Pools,
        Perm::User,
        &[opt("poolid", Str).named("pve-poolid"), Param { requires: Some("poolid"), ..POOL_TYPE }],
    ),
    ep(
        "GET",
        "/pools/{poolid}",
        Op::Pool,
        Perm::All("/pool/{poolid}", &["Pool.Audit"]),
        &[req("poolid", Str).named("pve-poolid"), POOL_TYPE],
    ),
];

//! Endpoints of a node: itself, its storages, its tasks.

use super::{NODE_ONLY, Op, daemon, ep};
use crate::pvesim::schema::Kind::{Bool, Int, Str};
use crate::pvesim::schema::option::NODE;
use crate::pvesim::schema::{Endpoint, Param, Perm, opt, req};

const UPID: Param = req("upid", Str);
const STORAGE: Param = req("storage", Str).named("pve-storage-id");
const NODE_UPID: &[Param] = &[NODE, UPID];
const NODE_AUDIT: Perm = Perm::All("/nodes/{node}", &["Sys.Audit"]);
const ROOT_INDEX: &[&str] = &["version", "cluster", "nodes", "storage", "access", "pools"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
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
        "POST",
        "/nodes/{node}/aplinfo",
        Op::AplDownload,
        Perm::All("/storage/{storage}", &["Datastore.AllocateTemplate"]),
        &[NODE, STORAGE, req("template", Str).max_len(255)],
    )),
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
];

//! Endpoints of the cluster.

use super::{NODE, Op, ROOT_AUDIT, daemon, ep};
use crate::pvesim::schema::Kind::{Bool, Int, Str};
use crate::pvesim::schema::{Endpoint, Param, Perm, opt, req};

const SID: Param = req("sid", Str).named("pve-ha-resource-or-vm-id");

pub(super) const ENDPOINTS: &[Endpoint] = &[
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
            SID,
            opt("state", Str).choices(&["started", "stopped", "enabled", "disabled", "ignored"]),
        ],
    )),
    ha_move("/cluster/ha/resources/{sid}/migrate", "migrate"),
    ha_move("/cluster/ha/resources/{sid}/relocate", "relocate"),
];

const fn ha_move(path: &'static str, how: &'static str) -> Endpoint {
    daemon(ep("POST", path, Op::HaMove(how), Perm::All("/", &["Sys.Console"]), &[NODE, SID]))
}

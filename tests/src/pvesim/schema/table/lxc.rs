//! Endpoints of containers.

use super::{NODE_ONLY, NODE_VMID, Op, VM_AUDIT, daemon, ep};
use crate::pvesim::schema::Kind::{Bool, Int, Str};
use crate::pvesim::schema::option::{CONFIG_PUT, CREATE, NODE, VMID};
use crate::pvesim::schema::{Endpoint, Perm, opt, req};

const VM_POWER: Perm = Perm::All("/vms/{vmid}", &["VM.PowerMgmt"]);
const VM_ALLOCATE: Perm = Perm::All("/vms/{vmid}", &["VM.Allocate"]);
const CONFIG_PRIVS: &[&str] =
    &["VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
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
];

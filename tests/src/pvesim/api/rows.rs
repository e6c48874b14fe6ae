//! The rows of the long lists, serialised straight from the model.
//!
//! Owns field names and types of containers in `/nodes/N/lxc`, `status/current` and `/cluster/resources`.
//! These are structs, not maps, because a benchmark lists ten thousand of them.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::pvesim::clock::Ms;
use crate::pvesim::model::{Container, Usage, World};

/// A number that is written without a fraction where it has none, as Perl does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Num(pub(super) f64);

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// Pressure figures; only a running container has them.
#[derive(Debug, Serialize)]
struct Pressure {
    pressurecpufull: &'static str,
    pressurecpusome: &'static str,
    pressureiofull: &'static str,
    pressureiosome: &'static str,
    pressurememoryfull: &'static str,
    pressurememorysome: &'static str,
    pid: u32,
}

/// A container in the node's list, and with `ha` in `status/current`.
#[derive(Debug, Serialize)]
pub(super) struct LxcRow<'a> {
    vmid: u32,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    cpu: Num,
    cpus: u32,
    mem: u64,
    maxmem: u64,
    swap: u64,
    maxswap: u64,
    disk: u64,
    maxdisk: u64,
    diskread: u64,
    diskwrite: u64,
    netin: u64,
    netout: u64,
    uptime: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<u8>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pressure: Option<Pressure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ha: Option<Value>,
}

impl<'a> LxcRow<'a> {
    /// The row of a container, now. `template` is only ever in the list, `ha` only in `status/current`.
    pub(super) fn new(world: &World, ct: &'a Container, current: bool) -> Self {
        let usage = world.usage(ct, world.now());
        Self {
            vmid: ct.vmid,
            name: ct.name(),
            kind: "lxc",
            status: status(usage.running),
            cpu: Num(usage.cpu),
            cpus: usage.cpus,
            mem: usage.mem,
            maxmem: usage.maxmem,
            swap: 0,
            maxswap: usage.maxswap,
            disk: usage.disk,
            maxdisk: usage.maxdisk,
            diskread: 0,
            diskwrite: 0,
            netin: usage.netin,
            netout: usage.netout,
            uptime: usage.uptime,
            tags: ct.config.get("tags"),
            lock: ct.lock(),
            template: (!current && ct.is_template()).then_some(1),
            pressure: usage.running.then_some(Pressure {
                pressurecpufull: "0.00",
                pressurecpusome: "0.00",
                pressureiofull: "0.00",
                pressureiosome: "0.00",
                pressurememoryfull: "0.00",
                pressurememorysome: "0.00",
                pid: ct.pid,
            }),
            ha: current.then(|| ha(ct)),
        }
    }
}

/// The state of a container's HA service.
pub(super) fn ha_state(ct: &Container) -> Option<&str> {
    ct.ha.as_ref().map(|ha| ha.state.as_str())
}

fn ha(ct: &Container) -> Value {
    match ha_state(ct) {
        Some(state) => json!({"managed": 1, "state": state}),
        None => json!({"managed": 0}),
    }
}

/// `running` or `stopped`; LXC has nothing in between.
pub(super) fn status(running: bool) -> &'static str {
    if running { "running" } else { "stopped" }
}

/// A container in `/cluster/resources`.
#[derive(Debug, Serialize)]
pub(super) struct ResourceRow<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    node: &'a str,
    vmid: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hastate: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sample: Option<Sample>,
}

/// What pvestatd last told about a container.
#[derive(Debug, Serialize)]
struct Sample {
    name: String,
    template: u8,
    cpu: Num,
    maxcpu: u32,
    mem: u64,
    maxmem: u64,
    memhost: u64,
    disk: u64,
    maxdisk: u64,
    diskread: u64,
    diskwrite: u64,
    netin: u64,
    netout: u64,
    uptime: i64,
}

impl<'a> ResourceRow<'a> {
    /// The row of a container as sampled at `sampled`; `None` where the node has been silent too long.
    pub(super) fn new(world: &'a World, ct: &'a Container, sampled: Option<Ms>) -> Self {
        let known = sampled.filter(|at| ct.running_at(*at).is_some());
        let usage: Option<Usage> = known.map(|at| world.usage(ct, at));
        Self {
            id: format!("lxc/{}", ct.vmid),
            kind: "lxc",
            node: world.node_name(ct.node),
            vmid: ct.vmid,
            status: usage.map_or("unknown", |u| status(u.running)),
            tags: ct.config.get("tags"),
            lock: ct.lock().filter(|_| known.is_some()),
            pool: world.access.pool_of.get(&ct.vmid).map(String::as_str),
            hastate: ha_state(ct),
            sample: usage.map(|u| Sample {
                name: ct.name(),
                template: u8::from(ct.is_template()),
                cpu: Num(u.cpu),
                maxcpu: u.cpus,
                mem: u.mem,
                maxmem: u.maxmem,
                memhost: u.mem,
                disk: u.disk,
                maxdisk: u.maxdisk,
                diskread: 0,
                diskwrite: 0,
                netin: u.netin,
                netout: u.netout,
                uptime: u.uptime,
            }),
        }
    }
}

/// A directory index.
pub(super) fn subdirs(key: &str, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({key: name})).collect()
}

//! Cluster-wide views: status, resources, free numbers, HA, pools.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::rows::{ResourceRow, ha_state};
use super::{Answer, Call, nodes};
use crate::pvesim::model::World;
use crate::pvesim::model::ha::in_error;
use crate::pvesim::reply::{Refusal, Reply};

/// How long the figures of a silent node are believed.
const STALE_MS: u64 = 300_000;

pub(super) fn status(world: &World, call: &Call<'_>) -> Answer {
    let mut rows: Vec<Value> = Vec::new();
    let online = world.nodes.iter().filter(|n| n.online).count();
    if let Some(name) = &world.cluster {
        rows.push(json!({"type": "cluster", "id": "cluster", "name": name, "nodes": world.nodes.len(),
            "quorate": u8::from(online * 2 > world.nodes.len()), "version": 3}));
    }
    for (i, node) in world.nodes.iter().enumerate() {
        rows.push(
            json!({"type": "node", "id": format!("node/{}", node.name), "name": node.name, "ip": node.ip,
            "online": u8::from(node.online), "local": u8::from(i == call.asked), "level": "",
            "nodeid": if world.cluster.is_some() { i + 1 } else { 0 }}),
        );
    }
    Ok(Reply::data(&rows))
}

/// A row of any type.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Lxc(Box<ResourceRow<'a>>),
    Other(Value),
}

pub(super) fn resources(world: &World, call: &Call<'_>) -> Answer {
    let wanted = |kind: &str| call.params.get("type").is_none_or(|t| t == kind);
    let mut rows: Vec<Row<'_>> = Vec::new();
    if wanted("vm") {
        let sampled: Vec<Option<u64>> = (0..world.nodes.len()).map(|node| sampled(world, node)).collect();
        rows.extend(
            world
                .containers()
                .filter(|ct| world.access.may(&call.who, &format!("/vms/{}", ct.vmid), "VM.Audit"))
                .map(|ct| ResourceRow::new(world, ct, sampled.get(ct.node).copied().flatten()))
                .map(|row| Row::Lxc(Box::new(row))),
        );
    }
    let node = world.node_name(0);
    let shown =
        |vmid: &&u32| wanted("vm") && world.access.may(&call.who, &format!("/vms/{vmid}"), "VM.Audit");
    rows.extend(world.vms.iter().filter(shown).map(|vmid| {
        let id = format!("qemu/{vmid}");
        Row::Other(
            json!({"id": id, "type": "qemu", "vmid": vmid, "node": node, "status": "stopped", "template": 0}),
        )
    }));
    for (i, node) in world.nodes.iter().enumerate() {
        if wanted("node") {
            let audit = world.access.may(&call.who, &format!("/nodes/{}", node.name), "Sys.Audit");
            rows.push(Row::Other(nodes::row(world, i, node, audit)));
        }
        if wanted("storage") {
            rows.extend(storages(world, call, &node.name, node.online).into_iter().map(Row::Other));
        }
        if wanted("sdn") && world.access.may(&call.who, "/sdn/zones/localnetwork", "SDN.Audit") {
            let id = format!("sdn/{}/localnetwork", node.name);
            rows.push(Row::Other(
                json!({"id": id, "type": "sdn", "node": node.name, "sdn": "localnetwork", "status": "ok"}),
            ));
        }
    }
    Ok(Reply::data(&rows))
}

/// When the figures of a node were taken; `None` if that is too long ago to be believed.
fn sampled(world: &World, node: usize) -> Option<u64> {
    let at = world.sampled_at(node);
    match world.nodes.get(node) {
        Some(n) if !n.online => (world.now().saturating_sub(n.since) < STALE_MS).then_some(at.min(n.since)),
        _ => Some(at),
    }
}

fn storages(world: &World, call: &Call<'_>, node: &str, online: bool) -> Vec<Value> {
    let may = |id: &str| world.access.may(&call.who, &format!("/storage/{id}"), "Datastore.Audit");
    let row = |s: &crate::pvesim::model::Storage| {
        json!({"id": format!("storage/{node}/{}", s.id), "type": "storage", "node": node, "storage": s.id,
            "status": if online { "available" } else { "unknown" }, "plugintype": s.kind, "content": s.content,
            "shared": u8::from(s.shared), "disk": s.used, "maxdisk": s.total})
    };
    world.storages.iter().filter(|s| may(&s.id)).map(row).collect()
}

pub(super) fn next_id(world: &World, call: &Call<'_>) -> Answer {
    match call.params.number("vmid") {
        Some(vmid) if world.container(vmid.unsigned_abs() as u32).is_some() => {
            Err(Refusal::parameter("vmid", format!("VM {vmid} already exists")))
        }
        Some(vmid) => Ok(Reply::data(&vmid.to_string())),
        None => Ok(Reply::data(&world.next_vmid().to_string())),
    }
}

pub(super) fn ha_status(world: &World) -> Answer {
    let first = world.node_name(0);
    let mut rows =
        vec![json!({"id": "quorum", "type": "quorum", "node": first, "status": "OK", "quorate": 1})];
    let services: Vec<_> = world.containers().filter(|ct| ct.ha.is_some()).collect();
    let armed = if services.is_empty() { "standby" } else { "armed" };
    rows.push(json!({"id": "fencing", "type": "fencing", "node": first, "armed-state": armed,
        "status": format!("{armed} (CRM watchdog {})", if armed == "armed" { "active" } else { "standby" })}));
    for ct in services {
        let (node, state) = (world.node_name(ct.node), ha_state(ct).unwrap_or_default());
        let requested = ct.ha.as_ref().map_or("", |ha| ha.requested.as_str());
        rows.push(json!({"id": format!("service:ct:{}", ct.vmid), "type": "service", "sid": format!("ct:{}", ct.vmid),
            "node": node, "crm_state": state, "request_state": requested, "state": state,
            "status": format!("ct:{} ({node}, {state})", ct.vmid)}));
    }
    Ok(Reply::data(&rows))
}

pub(super) fn ha_resources(world: &World) -> Answer {
    let row = |ct: &crate::pvesim::model::Container| {
        let requested = ct.ha.as_ref().map(|ha| ha.requested.clone())?;
        Some(json!({"sid": format!("ct:{}", ct.vmid), "type": "ct", "state": requested,
            "digest": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}))
    };
    let rows: Vec<Value> = world.containers().filter_map(row).collect();
    Ok(Reply::data(&rows))
}

/// The container of a service.
fn service(world: &World, call: &Call<'_>) -> Result<u32, Refusal> {
    let sid = call.params.text("sid");
    let vmid: u32 = sid.strip_prefix("ct:").unwrap_or(sid).parse().unwrap_or_default();
    match world.container(vmid) {
        Some(ct) if ct.ha.is_some() => Ok(vmid),
        _ => Err(Refusal::failed(format!("no such resource '{sid}'"))),
    }
}

/// `migrate` and `relocate`: both only queue a command for the manager.
pub(super) fn ha_move(world: &mut World, call: &Call<'_>, how: &'static str) -> Answer {
    let vmid = service(world, call)?;
    let name = call.params.text("node");
    let Some(target) = world.node_named(name, call.asked) else {
        return Err(Refusal::failed(format!("no such cluster node '{name}'")));
    };
    if world.ha_failed(vmid) {
        return Err(Refusal::failed(in_error(vmid)));
    }
    world.ha_move(vmid, how, target);
    Ok(Reply::data(&json!({"sid": format!("ct:{vmid}"), "requested-node": name})))
}

pub(super) fn ha_put(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = service(world, call)?;
    if let Some(state) = call.params.get("state") {
        if world.ha_failed(vmid) && state != "disabled" {
            return Err(Refusal::failed(in_error(vmid)));
        }
        let state = if state == "enabled" { "started" } else { state };
        world.ha_request(vmid, state, 0);
    }
    Ok(Reply::null())
}

fn pool_ids(world: &World, call: &Call<'_>) -> BTreeSet<String> {
    let ids = world.access.pool_of.values().cloned();
    ids.filter(|id| world.access.may(&call.who, &format!("/pool/{id}"), "Pool.Audit")).collect()
}

fn members(world: &World, pool: &str) -> Vec<Value> {
    let mut vmids: Vec<u32> =
        world.access.pool_of.iter().filter(|(_, p)| *p == pool).map(|(vmid, _)| *vmid).collect();
    vmids.sort_unstable();
    let rows = vmids.iter().filter_map(|vmid| world.container(*vmid));
    rows.filter_map(|ct| serde_json::to_value(ResourceRow::new(world, ct, sampled(world, ct.node))).ok())
        .collect()
}

pub(super) fn pools(world: &World, call: &Call<'_>) -> Answer {
    let ids = pool_ids(world, call);
    if let Some(id) = call.params.get("poolid") {
        let row = json!({"poolid": id, "members": members(world, id)});
        return if ids.contains(id) { Ok(Reply::data(&[row])) } else { no_pool(id) };
    }
    let rows: Vec<Value> = ids.iter().map(|id| json!({"poolid": id})).collect();
    Ok(Reply::data(&rows))
}

pub(super) fn pool(world: &World, call: &Call<'_>) -> Answer {
    let id = call.params.text("poolid");
    if !pool_ids(world, call).contains(id) {
        return no_pool(id);
    }
    Ok(Reply::data(&json!({"members": members(world, id)})))
}

fn no_pool(id: &str) -> Answer {
    Err(Refusal::failed(format!("pool '{id}' does not exist")))
}

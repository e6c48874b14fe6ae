//! Reading containers.

use serde_json::{Map, Value, json};

use super::rows::{LxcRow, subdirs};
use super::{Answer, Call};
use crate::pvesim::model::{Container, World};
use crate::pvesim::noise;
use crate::pvesim::reply::{Refusal, Reply};

/// The container in the path, on the node in the path.
pub(super) fn find<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Container, Refusal> {
    let vmid = call.params.vmid();
    world.container_on(call.node, vmid).ok_or_else(|| no_config(world, call.node, vmid))
}

/// The refusal where there is no such container, also where it has moved.
pub(super) fn no_config(world: &World, node: usize, vmid: u32) -> Refusal {
    let node = world.node_name(node);
    Refusal::failed(format!("Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist"))
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Answer {
    let visible = world
        .containers_of(call.node)
        .filter(|ct| world.access.may(&call.who, &format!("/vms/{}", ct.vmid), "VM.Audit"));
    let rows: Vec<LxcRow<'_>> = visible.map(|ct| LxcRow::new(world, ct, false)).collect();
    Ok(Reply::data(&rows))
}

pub(super) fn index(world: &World, call: &Call<'_>, names: &[&str]) -> Answer {
    find(world, call)?;
    Ok(Reply::data(&subdirs("subdir", names)))
}

pub(super) fn current(world: &World, call: &Call<'_>) -> Answer {
    Ok(Reply::data(&LxcRow::new(world, find(world, call)?, true)))
}

pub(super) fn config(world: &World, call: &Call<'_>) -> Answer {
    let ct = find(world, call)?;
    let mut config: Map<String, Value> = ct.config.to_json();
    if !call.params.flag("current") {
        config.extend(ct.pending.to_json());
    }
    config.insert("digest".into(), ct.config.digest().into());
    Ok(Reply::data(&config))
}

pub(super) fn pending(world: &World, call: &Call<'_>) -> Answer {
    let ct = find(world, call)?;
    let waiting = ct.pending.to_json();
    let mut rows: Vec<Value> = Vec::new();
    for (key, value) in ct.config.to_json() {
        let mut row = json!({"key": key, "value": value});
        if let (Some(pending), Some(map)) = (waiting.get(&key), row.as_object_mut()) {
            map.insert("pending".into(), pending.clone());
        }
        rows.push(row);
    }
    for (key, value) in waiting.iter().filter(|(k, _)| ct.config.get(k).is_none()) {
        rows.push(json!({"key": key, "pending": value}));
    }
    rows.push(json!({"key": "digest", "value": ct.config.digest()}));
    Ok(Reply::data(&rows))
}

pub(super) fn snapshots(world: &World, call: &Call<'_>) -> Answer {
    let ct = find(world, call)?;
    let row = json!({"name": "current", "description": "You are here!", "running": u8::from(ct.running()),
        "digest": ct.config.digest()});
    Ok(Reply::data(&[row]))
}

pub(super) fn interfaces(world: &World, call: &Call<'_>) -> Answer {
    // An unknown container is as silent as a stopped one.
    let Some(ct) = world.container_on(call.node, call.params.vmid()).filter(|ct| ct.running()) else {
        return Ok(Reply::null());
    };
    let mut rows = vec![json!({
        "name": "lo", "hwaddr": "00:00:00:00:00:00", "hardware-address": "00:00:00:00:00:00",
        "inet": "127.0.0.1/8", "inet6": "::1/128",
        "ip-addresses": [
            {"ip-address": "127.0.0.1", "ip-address-type": "inet", "prefix": "8"},
            {"ip-address": "::1", "ip-address-type": "inet6", "prefix": "128"},
        ],
    })];
    let young = world.uptime_s(ct, world.now()) < 2;
    for net in ct.config.networks() {
        rows.push(interface(ct, net, young));
    }
    Ok(Reply::data(&rows))
}

fn interface(ct: &Container, net: &str, young: bool) -> Value {
    let property = |name: &str| ct.config.property(net, name);
    let mac = property("hwaddr").unwrap_or_default().to_lowercase();
    let mut row =
        json!({"name": property("name"), "hwaddr": mac, "hardware-address": mac, "ip-addresses": []});
    let leased;
    let address = match property("ip") {
        Some("dhcp") if young || ct.behaviour.no_lease => None,
        Some("dhcp") => {
            let key = noise::mix(u64::from(ct.vmid), net.len() as u64);
            leased = format!("10.67.{}.{}/16", key % 200, 2 + (key >> 8) % 250);
            Some(leased.as_str())
        }
        Some("manual") | None => None,
        Some(cidr) => Some(cidr),
    };
    if let (Some(cidr), Some(map)) = (address, row.as_object_mut()) {
        let (ip, prefix) = cidr.split_once('/').unwrap_or((cidr, "24"));
        let link = link_local(&mac);
        map.insert("inet".into(), cidr.into());
        map.insert("inet6".into(), format!("{link}/64").into());
        map.insert(
            "ip-addresses".into(),
            json!([
                {"ip-address": ip, "ip-address-type": "inet", "prefix": prefix},
                {"ip-address": link, "ip-address-type": "inet6", "prefix": "64"},
            ]),
        );
    }
    row
}

/// The link-local address of a hardware address.
fn link_local(mac: &str) -> String {
    let bytes: Vec<u8> = mac.split(':').filter_map(|b| u8::from_str_radix(b, 16).ok()).collect();
    match bytes.as_slice() {
        [a, b, c, d, e, f] => {
            format!("fe80::{:x}{b:02x}:{c:x}ff:fe{d:02x}:{e:x}{f:02x}", a ^ 2)
        }
        _ => "fe80::1".to_owned(),
    }
}

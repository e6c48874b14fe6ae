//! Version and nodes.

use serde_json::{Value, json};

use super::auth::need;
use super::{Answer, Call};
use crate::pvesim::model::{Node, World};
use crate::pvesim::noise::{mix, unit};
use crate::pvesim::reply::Reply;

pub(super) fn version() -> Answer {
    Ok(Reply::data(&json!({"version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d"})))
}

/// A node's row, shared with `/cluster/resources`. Figures need Sys.Audit, and a node that is up.
pub(super) fn row(world: &World, index: usize, node: &Node, figures: bool) -> Value {
    let mut row = json!({
        "id": format!("node/{}", node.name),
        "type": "node",
        "node": node.name,
        "status": if node.online { "online" } else { "offline" },
        "level": "",
    });
    if let (true, true, Some(map)) = (figures, node.online, row.as_object_mut()) {
        let sample = mix(index as u64, world.now() / 10_000);
        map.insert("cpu".into(), (0.02 + 0.3 * unit(sample)).into());
        map.insert("maxcpu".into(), node.cpus.into());
        map.insert("mem".into(), used_memory(world, index, node).into());
        map.insert("maxmem".into(), node.memory.into());
        let disk = world.storages.first();
        map.insert("disk".into(), disk.map_or(0, |s| s.used).into());
        map.insert("maxdisk".into(), disk.map_or(0, |s| s.total).into());
        map.insert("uptime".into(), (world.uptime_ms(index) / 1000).into());
    }
    row
}

fn used_memory(world: &World, index: usize, node: &Node) -> u64 {
    (node.memory as f64 * (0.2 + 0.4 * unit(mix(index as u64, world.now() / 60_000)))) as u64
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Answer {
    let rows: Vec<Value> = world
        .nodes
        .iter()
        .enumerate()
        .map(|(i, node)| {
            let audit = world.access.may(&call.who, &format!("/nodes/{}", node.name), "Sys.Audit");
            let mut row = row(world, i, node, audit);
            let leaf = call.certificates.get(i).and_then(|c| c.last());
            if let (Some(map), Some(leaf)) = (row.as_object_mut(), leaf) {
                map.insert("ssl_fingerprint".into(), leaf.fingerprint.clone().into());
            }
            row
        })
        .collect();
    Ok(Reply::data(&rows))
}

pub(super) fn status(world: &World, call: &Call<'_>) -> Answer {
    let Some(node) = world.nodes.get(call.node) else { return Ok(Reply::null()) };
    let used = used_memory(world, call.node, node);
    let disk = world.storages.first();
    let (total, taken) = disk.map_or((0, 0), |s| (s.total, s.used));
    Ok(Reply::data(&json!({
        "uptime": world.uptime_ms(call.node) / 1000,
        "cpu": unit(mix(call.node as u64, world.now() / 10_000)) * 0.3,
        "wait": 0,
        "idle": 0,
        "ksm": {"shared": 0},
        "loadavg": ["0.42", "0.37", "0.31"],
        "memory": {"total": node.memory, "used": used, "free": node.memory - used, "available": node.memory - used},
        "swap": {"total": 8_589_930_496u64, "used": 0, "free": 8_589_930_496u64},
        "rootfs": {"total": total, "used": taken, "free": total - taken, "avail": total - taken},
        "cpuinfo": {"cpus": node.cpus, "cores": node.cpus / 2, "sockets": 1, "model": "Simulated", "mhz": "3000.000",
            "hvm": "1", "user_hz": 100, "flags": "fpu"},
        "kversion": "Linux 6.17.2-1-pve #1 SMP PREEMPT_DYNAMIC",
        "current-kernel": {"machine": "x86_64", "release": "6.17.2-1-pve", "sysname": "Linux", "version": "#1 SMP"},
        "pveversion": "pve-manager/9.2.11/14a22df35955d97d",
        "boot-info": {"mode": "efi", "secureboot": 0},
    })))
}

pub(super) fn time(world: &World) -> Answer {
    let now = world.wall.at(world.now());
    Ok(Reply::data(&json!({"time": now, "localtime": now, "timezone": "UTC"})))
}

pub(super) fn certificates(call: &Call<'_>) -> Answer {
    let rows: Vec<Value> = call
        .certificates
        .get(call.node)
        .into_iter()
        .flatten()
        .map(|c| {
            json!({
                "filename": c.filename,
                "fingerprint": c.fingerprint,
                "issuer": c.issuer,
                "subject": c.subject,
                "notbefore": 1_735_689_600,
                "notafter": 2_366_841_600u64,
                "pem": c.pem,
                "public-key-type": "id-ecPublicKey",
                "public-key-bits": 256,
                "san": c.san,
            })
        })
        .collect();
    Ok(Reply::data(&rows))
}

pub(super) fn network(world: &World, call: &Call<'_>) -> Answer {
    let Some(node) = world.nodes.get(call.node) else { return Ok(Reply::null()) };
    let mut rows = vec![json!({"iface": "eth0", "type": "eth", "active": 1, "exists": 1, "method": "manual",
        "method6": "manual", "families": ["inet"]})];
    for (i, bridge) in node.bridges.iter().enumerate() {
        let mut row = json!({"iface": bridge, "type": "bridge", "active": 1, "autostart": 1, "method": "static",
            "method6": "manual", "families": ["inet"], "priority": i + 3, "bridge_ports": "", "bridge_stp": "off",
            "bridge_fd": "0"});
        if let (0, Some(map)) = (i, row.as_object_mut()) {
            map.insert("address".into(), node.ip.clone().into());
            map.insert("netmask".into(), "24".into());
            map.insert("cidr".into(), format!("{}/24", node.ip).into());
        }
        rows.push(row);
    }
    let wanted = call.params.get("type");
    rows.retain(|row| match wanted {
        None | Some("include_sdn") => true,
        Some("any_bridge" | "any_local_bridge") => row["type"] == "bridge",
        Some(kind) => row["type"] == kind,
    });
    // A caller without rights on the local zone sees no bridge.
    let zone = "/sdn/zones/localnetwork";
    let audit = need(world, &call.who, &format!("/nodes/{}", node.name), "Sys.Audit").is_ok();
    rows.retain(|row| row["type"] != "bridge" || audit || need(world, &call.who, zone, "SDN.Use").is_ok());
    Ok(Reply::data(&rows))
}

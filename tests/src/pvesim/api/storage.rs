//! Storages and templates, as far as a client of containers needs them.

use serde_json::{Value, json};

use super::{Answer, Call};
use crate::pvesim::model::{Storage, World};
use crate::pvesim::reply::{Refusal, Reply};

fn figures(storage: &Storage) -> Value {
    json!({
        "type": storage.kind,
        "content": storage.content,
        "active": 1,
        "enabled": 1,
        "shared": u8::from(storage.shared),
        "total": storage.total,
        "used": storage.used,
        "avail": storage.total - storage.used,
    })
}

fn visible(world: &World, call: &Call<'_>, storage: &Storage) -> bool {
    let path = format!("/storage/{}", storage.id);
    world.access.may(&call.who, &path, "Datastore.Audit")
        || world.access.may(&call.who, &path, "Datastore.AllocateSpace")
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Answer {
    let wanted = call.params.get("content");
    let rows: Vec<Value> = world
        .storages
        .iter()
        .filter(|s| visible(world, call, s))
        .filter(|s| call.params.get("storage").is_none_or(|id| id == s.id))
        .filter(|s| wanted.is_none_or(|w| w.split(',').any(|c| s.holds(c))))
        .map(|s| {
            let mut row = figures(s);
            if let Some(map) = row.as_object_mut() {
                map.insert("storage".into(), s.id.as_str().into());
                map.insert("used_fraction".into(), (s.used as f64 / s.total.max(1) as f64).into());
            }
            row
        })
        .collect();
    Ok(Reply::data(&rows))
}

fn find<'a>(world: &'a World, call: &Call<'_>) -> Result<&'a Storage, Refusal> {
    let id = call.params.text("storage");
    let found = world.storages.iter().find(|s| s.id == id);
    found.ok_or_else(|| Refusal::failed(format!("storage '{id}' does not exist")))
}

pub(super) fn status(world: &World, call: &Call<'_>) -> Answer {
    Ok(Reply::data(&figures(find(world, call)?)))
}

pub(super) fn content(world: &World, call: &Call<'_>) -> Answer {
    let storage = find(world, call)?;
    let wanted = |kind: &str| call.params.get("content").is_none_or(|c| c == kind);
    let mut rows: Vec<Value> = Vec::new();
    if wanted("vztmpl") {
        let here = world.templates.iter().filter(|t| t.volid.starts_with(&format!("{}:", storage.id)));
        rows.extend(here.map(|t| {
            let format = if t.volid.ends_with(".zst") { "tzst" } else { "tgz" };
            json!({"volid": t.volid, "content": "vztmpl", "format": format, "size": t.size, "ctime": t.ctime})
        }));
    }
    if wanted("rootdir") {
        let prefix = format!("{}:", storage.id);
        for ct in world.containers_of(call.node) {
            let volume =
                ct.config.get("rootfs").and_then(|r| r.split(',').next()).filter(|v| v.starts_with(&prefix));
            let asked = call.params.number("vmid").is_none_or(|v| v == i64::from(ct.vmid));
            if let (Some(volume), true) = (volume, asked) {
                rows.push(json!({"volid": volume, "content": "rootdir", "format": "raw", "vmid": ct.vmid,
                    "size": ct.config.disk_bytes(), "ctime": world.wall.at(ct.created)}));
            }
        }
    }
    Ok(Reply::data(&rows))
}

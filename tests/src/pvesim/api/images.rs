//! OS images that can be downloaded: Proxmox's list of them, and the download.

use serde_json::{Value, json};

use super::power::spawn;
use super::{Answer, Call};
use crate::pvesim::model::{Work, World};
use crate::pvesim::reply::{Refusal, Reply};

/// Package, version and system of what the list holds, and its size in bytes.
const ALL: [(&str, &str, &str, u64); 4] = [
    ("debian-12-standard", "12.11-1", "debian-12", 55_496_732),
    ("debian-13-standard", "13.1-2", "debian-13", 58_120_448),
    ("alpine-3.22-default", "20250617", "alpine", 3_296_732),
    ("debian-13-turnkey-core", "19.0-1", "debian-13", 210_960_384),
];
const SOURCE: &str = "https://download.example";

fn file(package: &str, version: &str) -> String {
    format!("{package}_{version}_amd64.tar.zst")
}

pub(super) fn list() -> Answer {
    let rows: Vec<Value> = ALL
        .iter()
        .map(|(package, version, os, _)| {
            json!({
                "package": package, "version": version, "os": os, "architecture": "amd64", "section": "system",
                "type": "lxc", "source": SOURCE, "location": format!("{SOURCE}/{}", file(package, version)),
                "template": file(package, version), "headline": package, "infopage": "",
                "description": package, "maintainer": "", "sha512sum": "", "manageurl": "",
            })
        })
        .collect();
    Ok(Reply::data(&rows))
}

/// A task about the file: what is there already and right is left alone.
pub(super) fn download(world: &mut World, call: &Call<'_>) -> Answer {
    let (id, wanted) = (call.params.text("storage"), call.params.text("template").to_owned());
    let Some((.., size)) = ALL.iter().find(|(package, version, ..)| file(package, version) == wanted) else {
        return Err(Refusal::parameter("template", "no such template"));
    };
    let storage = world.storages.iter().find(|storage| storage.id == id);
    let storage = storage.ok_or_else(|| Refusal::failed(format!("storage '{id}' does not exist")))?;
    if !storage.holds("vztmpl") {
        return Err(Refusal::failed(format!("storage '{id}' does not support templates")));
    }
    let work = Work::Download {
        volid: format!("{id}:vztmpl/{wanted}"),
        size: *size,
        from: format!("{SOURCE}/{wanted}"),
    };
    spawn(world, call, "download", &wanted, work)
}

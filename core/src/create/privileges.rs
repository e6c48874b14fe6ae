//! What our token needs on Proxmox to make this container: the privileges of what it is given (docs/proxmox.md,
//! Creating). Pure; what a token needs for anything at all is `crate::privileges`'.

use std::collections::BTreeMap;

use super::preflight::{Check, ok, refused, unknown};
use super::site::Site;
use super::spec::Spec;
use crate::error::{Code, Error};
use crate::pve::Permissions;

/// On the number or on its pool. Those of the config go with what `Spec::parameters` always says: cores; memory and
/// swap; the disk; name and network; start with the node, tags and description.
const ON_VM: [&str; 8] = [
    "VM.Allocate",
    "VM.PowerMgmt",
    "VM.Audit",
    "VM.Config.CPU",
    "VM.Config.Memory",
    "VM.Config.Disk",
    "VM.Config.Network",
    "VM.Config.Options",
];
/// On the storage an OS image is downloaded to.
const ALLOCATE_TEMPLATE: &str = "Datastore.AllocateTemplate";
/// Where bridges are that no SDN made.
const LOCAL: &str = "localnetwork";

/// Whether it has them all.
pub(super) fn check(spec: &Spec, site: &Site) -> Option<Check> {
    let Some(held) = &site.permissions else {
        return Some(unknown("privileges", "cannot be read"));
    };
    let vm = format!("/vms/{}", site.vmid);
    let pool = spec.pool.as_ref().map(|pool| format!("/pool/{pool}"));
    let on_vm = |privilege: &&str| {
        held.allows(&vm, privilege) || pool.as_ref().is_some_and(|pool| held.allows(pool, privilege))
    };
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let on_vms: Vec<&str> = ON_VM.into_iter().filter(|privilege| !on_vm(privilege)).collect();
    if !on_vms.is_empty() {
        missing.insert("/vms".to_owned(), on_vms);
    }
    if !held.allows(&format!("/storage/{}", spec.storage), "Datastore.AllocateSpace") {
        missing.insert("/storage".to_owned(), vec!["Datastore.AllocateSpace"]);
    }
    if let Some(download) = &spec.download
        && !may_download(held, &download.storage)
    {
        missing.entry("/storage".to_owned()).or_default().push(ALLOCATE_TEMPLATE);
    }
    if site.bridges_guarded && !may_use_bridge(spec, held) {
        let bridge = format!("/sdn/zones/{LOCAL}/{}", spec.network.bridge);
        missing.insert(bridge, vec!["SDN.Use"]);
    }
    if !spec.unprivileged && !held.allows("/", "Sys.Modify") {
        missing.insert("/".to_owned(), vec!["Sys.Modify"]);
    }
    if missing.is_empty() {
        let all = "VM.Allocate, VM.PowerMgmt, VM.Audit, VM.Config.*, Datastore.AllocateSpace, SDN.Use";
        let more = spec.download.as_ref().map_or_else(String::new, |_| format!(", {ALLOCATE_TEMPLATE}"));
        return Some(ok("privileges", format!("{all}{more}")));
    }
    let lacks: Vec<String> =
        missing.iter().map(|(path, names)| format!("{} on {path}", names.join(", "))).collect();
    let error = Error::new(Code::LacksPrivilege, format!("our token may not create on {}", site.remote))
        .because(format!("it lacks {}", lacks.join("; ")))
        .hint_noted(format!("lxcctl remote doctor {}", site.remote), "says which line gives it");
    Some(refused("privileges", error))
}

/// Whether it may have an image downloaded to that storage.
pub(super) fn may_download(held: &Permissions, storage: &str) -> bool {
    held.allows(&format!("/storage/{storage}"), ALLOCATE_TEMPLATE)
}

/// A bridge is `/sdn/zones/ZONE/BRIDGE`, with a tag `/sdn/zones/ZONE/BRIDGE/TAG`. What SDN made is in a zone of its own,
/// which the list of bridges does not name: any zone that lets it will do.
fn may_use_bridge(spec: &Spec, held: &Permissions) -> bool {
    let network = &spec.network;
    let tag = network.vlan.map_or_else(String::new, |tag| format!("/{tag}"));
    let zones = held.paths.keys().filter_map(|path| path.strip_prefix("/sdn/zones/")?.split('/').next());
    let mut zones = zones.chain([LOCAL]);
    zones.any(|zone| held.allows(&format!("/sdn/zones/{zone}/{}{tag}", network.bridge), "SDN.Use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(all: &[(&str, &[&str])]) -> Permissions {
        let names = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
        Permissions { paths: all.iter().map(|(path, all)| ((*path).to_owned(), names(all))).collect() }
    }

    #[test]
    fn a_bridge_is_used_in_its_zone_and_with_its_tag() {
        let mut spec = super::super::spec::tests::spec();
        for (path, plain, tagged) in [
            ("/", true, true),
            ("/sdn/zones/localnetwork", true, true),
            ("/sdn/zones/localnetwork/vmbr0", true, true),
            ("/sdn/zones/localnetwork/vmbr0/20", false, true),
            ("/sdn/zones/localnetwork/vmbr1", false, false),
            ("/sdn/zones/office", true, true),
            ("/sdn/zones/office/vmbr1", false, false),
            ("/vms", false, false),
        ] {
            let held = held(&[(path, &["SDN.Use"])]);
            spec.network.vlan = None;
            assert_eq!(may_use_bridge(&spec, &held), plain, "{path}");
            spec.network.vlan = Some(20);
            assert_eq!(may_use_bridge(&spec, &held), tagged, "{path}");
        }
    }
}

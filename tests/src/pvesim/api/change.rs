//! Creating, changing and deleting containers: the checks before the work.

use super::auth::need;
use super::lxc::find;
use super::power::spawn;
use super::{Answer, Call};
use crate::pvesim::model::config::{network, size_bytes, size_text};
use crate::pvesim::model::{CreateRequest, Work, World, rootfs_size};
use crate::pvesim::noise;
use crate::pvesim::reply::{Refusal, Reply};

/// Parameters of create that are not options of the container.
const NOT_OPTIONS: [&str; 16] = [
    "node",
    "vmid",
    "ostemplate",
    "storage",
    "rootfs",
    "password",
    "ssh-public-keys",
    "start",
    "pool",
    "force",
    "restore",
    "unique",
    "bwlimit",
    "ignore-unpack-errors",
    "ha-managed",
    "digest",
];

fn forbidden(text: &str) -> Refusal {
    Refusal::Forbidden(format!("{text} is only allowed for root@pam"))
}

/// What a token of root is refused, because it is not root.
fn only_root(call: &Call<'_>) -> Result<(), Refusal> {
    if call.who.is_root() {
        return Ok(());
    }
    for (name, value) in &call.params.0 {
        let numbered = |family: &str| name.strip_prefix(family).is_some_and(|n| n.parse::<u8>().is_ok());
        if numbered("mp") && value.starts_with('/') {
            return Err(forbidden("mount point type bind"));
        }
        if numbered("dev") {
            return Err(forbidden("configuring device passthrough"));
        }
        if name == "hookscript" {
            return Err(forbidden("changing the hookscript"));
        }
        if name == "features" {
            let privileged = call.params.get("unprivileged") == Some("0");
            let nesting_only = value.split(',').all(|f| f.starts_with("nesting="));
            if privileged {
                return Err(forbidden("changing feature flags for privileged container"));
            }
            if !nesting_only {
                return Err(forbidden("changing feature flags (except nesting)"));
            }
        }
    }
    Ok(())
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.vmid();
    let allowed = world.access.may(&call.who, &format!("/vms/{vmid}"), "VM.Allocate")
        || call
            .params
            .get("pool")
            .is_some_and(|p| world.access.may(&call.who, &format!("/pool/{p}"), "VM.Allocate"));
    if !allowed {
        return Err(Refusal::Forbidden(String::new()));
    }
    only_root(call)?;
    if let Some(existing) = world.container(vmid) {
        let node = world.node_name(existing.node);
        return Err(Refusal::failed(format!("CT {vmid} already exists on node '{node}'")));
    }
    let request = create_request(world, call)?;
    let task = world.create(call.node, vmid, &call.who, request);
    Ok(Reply::data(world.tasks.get(task).map_or("", |t| t.upid.as_str())))
}

fn create_request(world: &World, call: &Call<'_>) -> Result<CreateRequest, Refusal> {
    let params = &call.params;
    let ostemplate = params.text("ostemplate");
    let Some((template_storage, volume)) = ostemplate.split_once(':') else {
        return Err(Refusal::failed(
            "Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.",
        ));
    };
    let default_storage = params.get("storage").unwrap_or("local");
    storage_exists(world, template_storage)?;
    let (storage, disk, subvol) = params
        .get("rootfs")
        .and_then(rootfs_size)
        .unwrap_or_else(|| (default_storage.to_owned(), 4 << 30, false));
    storage_exists(world, &storage)?;
    if !volume.starts_with("vztmpl/") {
        return Err(Refusal::failed(format!(
            "unable to use volume {ostemplate} - content type needs to be 'vztmpl'"
        )));
    }
    may_set(world, call)?;
    need(world, &call.who, &format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
    let mut options: Vec<(String, String)> = params
        .0
        .iter()
        .filter(|(name, _)| !NOT_OPTIONS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if params.get("unprivileged").is_none() {
        options.push(("unprivileged".to_owned(), "1".to_owned()));
    }
    Ok(CreateRequest {
        options,
        ostemplate: ostemplate.to_owned(),
        storage,
        disk,
        subvol,
        start: params.flag("start"),
        ha: params.flag("ha-managed"),
        pool: params.get("pool").map(str::to_owned),
    })
}

/// What each option of a new container takes, on its number or its pool; a bridge in its zone.
fn may_set(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let params = &call.params;
    let vm = format!("/vms/{}", params.vmid());
    let pool = params.get("pool").map(|pool| format!("/pool/{pool}"));
    if params.get("unprivileged") == Some("0") {
        need(world, &call.who, "/", "Sys.Modify")?;
    }
    for name in params.0.keys().filter(|name| !NOT_OPTIONS.contains(&name.as_str()) || *name == "rootfs") {
        let privilege = match name.as_str() {
            // Judged by themselves.
            "features" | "unprivileged" => continue,
            "cores" | "cpuunits" | "cpulimit" => "VM.Config.CPU",
            "memory" | "swap" => "VM.Config.Memory",
            "rootfs" => "VM.Config.Disk",
            "hostname" | "nameserver" | "searchdomain" => "VM.Config.Network",
            net if net.starts_with("net") => "VM.Config.Network",
            _ => "VM.Config.Options",
        };
        if !pool.as_ref().is_some_and(|pool| world.access.may(&call.who, pool, privilege)) {
            need(world, &call.who, &vm, privilege)?;
        }
    }
    for (_, net) in params.0.iter().filter(|(name, _)| name.starts_with("net")) {
        let part = |key: &str| net.split(',').find_map(|one| one.strip_prefix(key)?.strip_prefix('='));
        if let Some(bridge) = part("bridge") {
            let tag = part("tag").map_or_else(String::new, |tag| format!("/{tag}"));
            need(world, &call.who, &format!("/sdn/zones/localnetwork/{bridge}{tag}"), "SDN.Use")?;
        }
    }
    Ok(())
}

fn storage_exists(world: &World, id: &str) -> Result<(), Refusal> {
    if world.storages.iter().any(|s| s.id == id) {
        return Ok(());
    }
    Err(Refusal::failed(format!("storage '{id}' does not exist")))
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.vmid();
    let ct = find(world, call)?;
    let (force, purge) = (call.params.flag("force"), call.params.flag("purge"));
    if ct.config.flag("protection") {
        return Err(Refusal::failed(format!("can't remove CT {vmid} - protection mode enabled")));
    }
    if let Some(lock) = ct.lock() {
        return Err(Refusal::failed(format!("CT is locked ({lock})")));
    }
    if ct.ha.is_some() && !purge {
        let text = format!("unable to remove CT {vmid} - used in HA resources and purge parameter not set.");
        return Err(Refusal::failed(text));
    }
    if ct.running() && !force {
        return Err(Refusal::failed(format!("unable to destroy CT {vmid} - container is running")));
    }
    spawn(world, call, "vzdestroy", &vmid.to_string(), Work::Destroy { force, purge })
}

/// Options a running container takes over only when it is restarted.
const AFTER_RESTART: [&str; 6] = ["ostype", "arch", "console", "tty", "cmode", "features"];

pub(super) fn config(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.vmid();
    find(world, call)?;
    only_root(call)?;
    let changes: Vec<(String, String)> = call
        .params
        .0
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "node" | "vmid" | "digest" | "delete" | "revert"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let deletes: Vec<String> = list(call.params.get("delete"));
    if changes.is_empty() && deletes.is_empty() && call.params.get("revert").is_none() {
        return Err(Refusal::failed("no options specified"));
    }
    if let Some(fixed) = changes.iter().map(|(k, _)| k).find(|k| *k == "unprivileged" || *k == "template") {
        return Err(Refusal::failed(format!("unable to modify read-only option: '{fixed}'")));
    }
    if let Some(required) =
        deletes.iter().find(|k| matches!(k.as_str(), "memory" | "rootfs" | "swap" | "arch"))
    {
        return Err(Refusal::failed(format!("unable to delete required option '{required}'")));
    }
    if world.config_locked(vmid) {
        return Err(Refusal::Busy(vmid));
    }
    let ct = find(world, call)?;
    if call.params.get("digest").is_some_and(|d| d != ct.config.digest()) {
        return Err(Refusal::failed(
            "detected modified configuration - file changed by other user? Try again.",
        ));
    }
    if let Some(lock) = ct.lock() {
        return Err(Refusal::failed(format!("CT is locked ({lock})")));
    }
    let seed = noise::mix(world.now(), u64::from(vmid));
    let Some(ct) = world.container_mut(vmid) else { return Ok(Reply::null()) };
    let running = ct.running();
    for key in &deletes {
        ct.config.remove(key);
        ct.pending.remove(key);
    }
    for (key, value) in &changes {
        let is_net = key.strip_prefix("net").is_some_and(|n| n.parse::<u8>().is_ok());
        if is_net {
            ct.config.set(key, &network(value, seed));
        } else if running && AFTER_RESTART.contains(&key.as_str()) {
            ct.pending.set(key, value);
        } else {
            ct.config.set(key, value);
        }
    }
    world.effect(vmid, "config", &call.who.auth_id);
    Ok(Reply::null())
}

fn list(value: Option<&str>) -> Vec<String> {
    let split = value.unwrap_or_default().split([',', ';', ' ']);
    split.filter(|v| !v.is_empty()).map(str::to_owned).collect()
}

pub(super) fn template(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.vmid();
    let ct = find(world, call)?;
    if ct.is_template() {
        return Err(Refusal::failed("you can't convert a CT to template if it's already a template"));
    }
    if ct.running() {
        return Err(Refusal::failed("you can't convert a CT to template if the CT is running"));
    }
    if let Some(ct) = world.container_mut(vmid) {
        ct.config.set("template", "1");
    }
    world.effect(vmid, "config", &call.who.auth_id);
    Ok(Reply::null())
}

pub(super) fn resize(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.vmid();
    let ct = find(world, call)?;
    if let Some(lock) = ct.lock() {
        return Err(Refusal::failed(format!("CT is locked ({lock})")));
    }
    let (disk, size) = (call.params.text("disk"), call.params.text("size"));
    let Some(volume) = ct.config.get(disk).map(str::to_owned) else {
        return Err(Refusal::failed(format!("disk '{disk}' does not exist")));
    };
    let before = ct.config.property(disk, "size").and_then(size_bytes).unwrap_or_default();
    let after = match size.strip_prefix('+') {
        Some(more) => before + size_bytes(more).unwrap_or_default(),
        None => size_bytes(size).unwrap_or_default(),
    };
    if after < before {
        return Err(Refusal::failed("unable to shrink disk size"));
    }
    let volume = volume.split(',').next().unwrap_or_default().to_owned();
    let disk = disk.to_owned();
    if let Some(ct) = world.container_mut(vmid) {
        ct.config.set(&disk, &format!("{volume},size={}", size_text(after)));
    }
    world.effect(vmid, "config", &call.who.auth_id);
    let work = Work::Plain { lines: vec!["Image resized.".to_owned()], ms: 500 };
    spawn(world, call, "resize", &vmid.to_string(), work)
}

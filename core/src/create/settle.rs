//! What is to be made: every value from the layers, or from the site where nobody says, with its origin. Pure and total;
//! must not judge whether the site lets it (`preflight`).

use super::download::{Download, offered};
use super::image;
use super::network::{Network, parse_ip, parse_ip6};
use super::part::Part;
use super::site::Site;
use super::spec::{Features, OnFailure, Phase, Spec};
use super::wish::{Layers, Origin, Settings, addressing};
use crate::text;

/// Memory when nobody says, MiB: Proxmox's own (api-schema: memory, default 512).
pub const DEFAULT_MEMORY_MB: u64 = 512;
/// Swap when nobody says, MiB: Proxmox's own (api-schema: swap, default 512).
pub const DEFAULT_SWAP_MB: u64 = 512;
/// Disk when nobody says, GiB.
pub const DEFAULT_DISK_GB: u64 = 8;
/// Cores when nobody says; Proxmox would give all of them.
pub const DEFAULT_CORES: u32 = 1;

/// Settles every value; `all` collects them as they are shown.
pub(super) fn settle(layers: &Layers<'_>, site: &Site, parts: Vec<Part>, all: &mut Settings) -> Spec {
    let yes_no = |on: &bool| String::from(if *on { "yes" } else { "no" });
    let size = |shift: u32| move |amount: &u64| text::bytes(amount << shift);
    let (wanted, image_origin) = layers.image();
    let resolved = image::resolve(&wanted, &site.volumes).map(str::to_owned);
    let name = all.add("name", layers.pick(|w| w.name.clone(), |_| None, String::new));
    let template = layers.said(|w| w.template.clone()).map(|name| all.add("template", (name, Origin::Flag)));
    let chosen = if site.node_chosen.is_some() {
        Origin::Chosen
    } else {
        layers.pick(|w| w.node.clone(), |_| None, String::new).1
    };
    all.add("node", (site.node.clone(), chosen));
    let any_vmid = layers.said(|w| w.vmid.clone()).is_none_or(|vmid| vmid == "auto");
    let vmid =
        if any_vmid { Origin::Chosen } else { layers.pick(|w| w.vmid.clone(), |_| None, String::new).1 };
    all.add("vmid", (site.vmid, vmid));
    let (may, may_origin) = layers.pick(|w| w.download, |_| None, || false);
    let download = if may && resolved.is_none() { offered(&wanted, site) } else { None };
    let volume = download.as_ref().map(Download::volume);
    let image = all.add("image", (resolved.or(volume).unwrap_or(wanted), image_origin));
    if let Some(Download { storage, file }) = &download {
        all.add("download", (format!("{file} to {storage}"), may_origin));
    }
    let cores = all.add("cores", layers.pick(|w| w.cores, |t| Some(t.settings.cpu), || DEFAULT_CORES));
    let memory = layers.pick(|w| w.memory_mb, |t| Some(u64::from(t.settings.ram_mb)), || DEFAULT_MEMORY_MB);
    let memory_mb = all.add_as("memory", memory, size(20));
    let swap_mb = all.add_as("swap", layers.pick(|w| w.swap_mb, |_| None, || DEFAULT_SWAP_MB), size(20));
    let disk = layers.pick(|w| w.disk_gb, |t| Some(u64::from(t.settings.disk_gb)), || DEFAULT_DISK_GB);
    let disk_gb = all.add_as("disk", disk, size(30));
    let storage = layers.pick(|w| w.storage.clone(), |_| None, || roomiest(site));
    let storage = all.add("storage", chosen_by_site(storage));
    let unprivileged = layers.pick(|w| w.unprivileged, |t| Some(t.settings.unprivileged), || true);
    let unprivileged = all.add_as("unprivileged", unprivileged, yes_no);
    // Newer systemd wants nesting, and of an unprivileged container every token may set it.
    let nesting = layers.pick(|w| w.nesting, |t| Some(t.settings.nesting), || unprivileged);
    let mut only_root = |name, (on, origin): (bool, Origin)| match origin {
        Origin::Default => on,
        _ => all.add_as(name, (on, origin), yes_no),
    };
    let keyctl = only_root("keyctl", layers.pick(|w| w.keyctl, |t| Some(t.settings.keyctl), || false));
    let fuse = only_root("fuse", layers.pick(|w| w.fuse, |t| Some(t.settings.fuse), || false));
    let features = Features { nesting: all.add_as("nesting", nesting, yes_no), keyctl, fuse };
    let bridge = layers.pick(|w| w.bridge.clone(), |_| None, || first_bridge(site));
    let network = Network {
        bridge: all.add("bridge", chosen_by_site(bridge)),
        vlan: layers.said(|w| w.vlan),
        ip: addressing(
            &all.add("ip", layers.pick(|w| w.ip.clone(), |_| None, || "dhcp".to_owned())),
            parse_ip,
        ),
        gateway: layers.said(|w| w.gateway),
        ip6: addressing(
            &all.add("ip6", layers.pick(|w| w.ip6.clone(), |_| None, || "none".to_owned())),
            parse_ip6,
        ),
        gateway6: layers.said(|w| w.gateway6),
    };
    let tags = layers.pick(|w| w.tags.clone(), |t| Some(t.settings.tags.clone()), Vec::new);
    let description =
        layers.pick(|w| w.description.clone(), |t| Some(t.settings.description.clone()), String::new);
    Spec {
        name,
        template,
        any_vmid,
        image,
        download,
        placed: site.node_chosen.clone(),
        cores,
        memory_mb,
        swap_mb,
        storage,
        disk_gb,
        unprivileged,
        features,
        network,
        nameserver: layers.said(|w| w.nameserver.clone()),
        searchdomain: layers.said(|w| w.searchdomain.clone()),
        tags: all.add_as("tags", tags, |tags| if tags.is_empty() { "-".to_owned() } else { tags.join(";") }),
        pool: layers.said(|w| w.pool.clone()),
        onboot: layers.pick(|w| w.onboot, |_| None, || false).0,
        start_order: layers.said(|w| w.start_order),
        description: description.0,
        ssh_keys: layers.said(|w| w.ssh_keys.clone()).unwrap_or_default(),
        parts,
        stop_after: layers.said(|w| w.stop_after).unwrap_or(Phase::Discover),
        on_failure: layers.said(|w| w.on_failure).unwrap_or(OnFailure::Keep),
    }
}

fn chosen_by_site((value, origin): (String, Origin)) -> (String, Origin) {
    (value, if origin == Origin::Default { Origin::Chosen } else { origin })
}

/// Of the storages that take root disks, the one with most room.
fn roomiest(site: &Site) -> String {
    let fit = site.storages.iter().filter(|storage| storage.active && storage.takes("rootdir"));
    fit.max_by_key(|storage| storage.available)
        .map_or_else(|| "local".to_owned(), |storage| storage.name.clone())
}

/// `vmbr0` where there is one, else the first.
fn first_bridge(site: &Site) -> String {
    const USUAL: &str = "vmbr0";
    let bridges = site.bridges.as_deref().unwrap_or_default();
    let first = bridges.iter().find(|bridge| *bridge == USUAL).or_else(|| bridges.first());
    first.map_or_else(|| USUAL.to_owned(), Clone::clone)
}

//! Whether a container that is there is what is wished, for `--if-needed`: what somebody said (a flag, the file, the
//! template) against what it has. Pure.
//!
//! Not compared, because nothing tells it of a container that is there: public keys, the pieces that ran inside,
//! `--stop-after`, `--on-failure`. Nor the description, which is a note; nor a pool the token may not see.

use std::collections::BTreeSet;

use super::image;
use super::network::{Addressing, parse_ip, parse_ip6};
use super::spec::Spec;
use super::wish::{Layers, Origin, Wish};
use crate::error::{Code, Error};
use crate::ids::Vmid;
use crate::pve::Config;
use crate::template::Settings;
use crate::text;

/// A container that is there, or is being made.
#[derive(Debug, Clone, Copy)]
pub struct There<'a> {
    /// Its node.
    pub node: &'a str,
    /// Its number.
    pub vmid: Vmid,
    /// Our template it was made from.
    pub template: Option<&'a str>,
    /// Its pool; None also where it may not be seen.
    pub pool: Option<&'a str>,
    /// The volume of its image; None = nobody knows any more.
    pub image: Option<&'a str>,
    /// What Proxmox has of it, or was given (`Spec::parameters`).
    pub config: &'a Config,
}

/// The first thing in which it is not what is wished: `it has memory 512Mi, 1.0Gi was wished`. None = it is.
#[must_use]
pub fn difference(layers: &Layers<'_>, spec: &Spec, there: &There<'_>) -> Option<String> {
    let mut all = place(layers, spec, there);
    all.extend(size(layers, spec, there));
    all.extend(network(layers, spec, there));
    all.extend(marks(layers, spec, there));
    let (name, has, wished) = all.into_iter().flatten().find(|(_, has, wished)| has != wished)?;
    let has = if has.is_empty() { format!("no {name}") } else { format!("{name} {has}") };
    let wished = if wished.is_empty() { "none" } else { &wished };
    Some(format!("it has {has}, {wished} was wished"))
}

/// The refusal of a container that is to be there already and is another one; `whose` = the one that is, as it is typed.
#[must_use]
pub fn differs(name: &str, remote: &str, whose: &str, why: &str) -> Error {
    Error::new(Code::NameTaken, format!("{remote} has another container {name}"))
        .about(whose.to_owned())
        .because(format!("{whose} is not what is wished: {why}"))
        .hint(format!("lxcctl show {whose}"))
}

/// A name, what there is, and what was wished; None = nobody wished anything.
type Pair = Option<(&'static str, String, String)>;

fn place(layers: &Layers<'_>, spec: &Spec, there: &There<'_>) -> Vec<Pair> {
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    let said = |of: fn(&Wish) -> Option<String>| layers.said(of).filter(|word| word != "auto");
    let vmid = said(|wish| wish.vmid.clone()).map(|vmid| vmid.trim_start_matches('0').to_owned());
    let (wanted, origin) = layers.image();
    let image = there.image.filter(|_| origin != Origin::Default).map(|volume| {
        let file = image::file(volume);
        let meant = volume == wanted || file == wanted || image::matches(&wanted, file);
        ("image", if meant { wanted.clone() } else { file.to_owned() }, wanted.clone())
    });
    let pool = spec.pool.clone().zip(there.pool);
    vec![
        Some(("template", word(there.template), word(spec.template.as_deref()))),
        said(|wish| wish.node.clone()).map(|node| ("node", there.node.to_owned(), node)),
        vmid.map(|vmid| ("vmid", there.vmid.to_string(), vmid)),
        image,
        pool.map(|(wished, has)| ("pool", has.to_owned(), wished)),
    ]
}

fn size(layers: &Layers<'_>, spec: &Spec, there: &There<'_>) -> Vec<Pair> {
    let config = there.config;
    let of = |key: &str| config.values.get(key).map(String::as_str);
    // Unless it is written, Proxmox takes 512 MiB of each (api-schema: memory, swap).
    let mib = |key: &str| of(key).and_then(|text| text.parse().ok()).unwrap_or(512_u64);
    let shown = |amount: u64| text::bytes(amount << 20);
    let feature = |name: &str| {
        let all = of("features").unwrap_or_default();
        all.split(',').filter_map(|one| one.split_once('=')).any(|(key, on)| key == name && on == "1")
    };
    let storage = of("rootfs").and_then(|rootfs| rootfs.split_once(':')).map_or("", |(storage, _)| storage);
    let disk = config.root_bytes().map_or_else(String::new, text::bytes);
    let wished =
        |said: bool, name: &'static str, has: String, wanted: String| said.then_some((name, has, wanted));
    let flag = |said: bool, name: &'static str, has: bool, wanted: bool| {
        wished(said, name, yes_no(has), yes_no(wanted))
    };
    let from_template = layers.template.is_some();
    let features = spec.features;
    vec![
        wished(
            from_template || is_said(layers, |wish| wish.cores),
            "cores",
            of("cores").unwrap_or("all").to_owned(),
            spec.cores.to_string(),
        ),
        wished(
            from_template || is_said(layers, |wish| wish.memory_mb),
            "memory",
            shown(mib("memory")),
            shown(spec.memory_mb),
        ),
        wished(is_said(layers, |wish| wish.swap_mb), "swap", shown(mib("swap")), shown(spec.swap_mb)),
        wished(
            is_said(layers, |wish| wish.storage.clone()),
            "storage",
            storage.to_owned(),
            spec.storage.clone(),
        ),
        wished(
            from_template || is_said(layers, |wish| wish.disk_gb),
            "disk",
            disk,
            text::bytes(spec.disk_gb << 30),
        ),
        flag(
            from_template || is_said(layers, |wish| wish.unprivileged),
            "unprivileged",
            of("unprivileged") == Some("1"),
            spec.unprivileged,
        ),
        flag(
            from_template || is_said(layers, |wish| wish.nesting),
            "nesting",
            feature("nesting"),
            features.nesting,
        ),
        flag(
            from_template || is_said(layers, |wish| wish.keyctl),
            "keyctl",
            feature("keyctl"),
            features.keyctl,
        ),
        flag(from_template || is_said(layers, |wish| wish.fuse), "fuse", feature("fuse"), features.fuse),
    ]
}

fn network(layers: &Layers<'_>, spec: &Spec, there: &There<'_>) -> Vec<Pair> {
    let net0 = there.config.values.get("net0").map_or("", String::as_str);
    let of = |key: &str| {
        let value = net0.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    };
    // The same address may be written in several ways.
    let ip = {
        let has = of("ip");
        let read = if has.is_empty() { Ok(Addressing::None) } else { parse_ip(&has) };
        read.map_or(has, |ip| ip.to_string())
    };
    let ip6 = {
        let has = of("ip6");
        let read = if has.is_empty() { Ok(Addressing::None) } else { parse_ip6(&has) };
        read.map_or(has, |ip| ip.to_string())
    };
    let network = &spec.network;
    let gateway6 = of("gw6").parse::<std::net::Ipv6Addr>().map_or_else(|_| of("gw6"), |ip| ip.to_string());
    let list =
        |text: &str| text.split([' ', ',', ';']).filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" ");
    let key = |key: &str| there.config.values.get(key).map_or("", String::as_str);
    vec![
        layers.said(|wish| wish.bridge.clone()).map(|wished| ("bridge", of("bridge"), wished)),
        network.vlan.map(|vlan| ("vlan", of("tag"), vlan.to_string())),
        is_said(layers, |wish| wish.ip.clone()).then(|| ("ip", ip, network.ip.to_string())),
        network.gateway.map(|gateway| ("gateway", of("gw"), gateway.to_string())),
        is_said(layers, |wish| wish.ip6.clone()).then(|| ("ip6", ip6, network.ip6.to_string())),
        network.gateway6.map(|gateway| ("gateway6", gateway6, gateway.to_string())),
        spec.nameserver.as_deref().map(|wished| ("nameserver", list(key("nameserver")), list(wished))),
        spec.searchdomain.clone().map(|wished| ("searchdomain", key("searchdomain").to_owned(), wished)),
    ]
}

fn marks(layers: &Layers<'_>, spec: &Spec, there: &There<'_>) -> Vec<Pair> {
    let of = |key: &str| there.config.values.get(key).map_or("", String::as_str);
    let startup = of("startup").split(',').find_map(|part| part.trim().strip_prefix("order="));
    let order = startup.unwrap_or_default().to_owned();
    let template = |settings: &Settings| !settings.tags.is_empty();
    let tags = is_said(layers, |wish| wish.tags.clone())
        || layers.template.is_some_and(|one| template(&one.settings));
    vec![
        tags.then(|| {
            ("tags", set(of("tags").split([';', ',', ' '])), set(spec.tags.iter().map(String::as_str)))
        }),
        is_said(layers, |wish| wish.onboot)
            .then(|| ("onboot", yes_no(of("onboot") == "1"), yes_no(spec.onboot))),
        spec.start_order.map(|wished| ("start-order", order, wished.to_string())),
    ]
}

fn is_said<T>(layers: &Layers<'_>, of: impl Fn(&Wish) -> Option<T>) -> bool {
    layers.said(of).is_some()
}

/// Proxmox sorts tags, and takes their case for nothing unless it is told otherwise.
fn set<'a>(tags: impl Iterator<Item = &'a str>) -> String {
    let tags: BTreeSet<String> = tags.map(str::to_lowercase).filter(|tag| !tag.is_empty()).collect();
    tags.into_iter().collect::<Vec<_>>().join(";")
}

fn yes_no(on: bool) -> String {
    String::from(if on { "yes" } else { "no" })
}

#[cfg(test)]
#[path = "same_tests.rs"]
mod tests;

//! Conditions on what a reader may see and wants to see, for the WHERE of a listing: what is filtered out later
//! would count for its LIMIT. Owns their quoting; lists may be long, so they are no bound values.

use std::collections::BTreeMap;

use lxc_core::ids::{Installation, OperationId, Vmid};

/// `remote` is one of these.
pub(super) fn remotes(names: &[String]) -> String {
    if names.is_empty() {
        return "1 = 0".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("remote IN ({})", names.join(", "))
}

/// `target` is one of these remotes, or `remote/vmid` on one of them.
pub(super) fn targets_on(names: &[String]) -> String {
    let on = |name: &String| {
        // Not LIKE: a name may hold its wildcards.
        let (whole, start) = (quoted(name), quoted(&format!("{name}/")));
        format!("target = {whole} OR SUBSTR(target, 1, {}) = {start}", name.chars().count() + 1)
    };
    match names.iter().map(on).collect::<Vec<_>>() {
        none if none.is_empty() => "1 = 0".to_owned(),
        some => format!("({})", some.join(" OR ")),
    }
}

pub(super) fn installation(installation: &Installation) -> String {
    format!("installation = {}", quoted(&installation.0))
}

/// One of these operations.
pub(super) fn operations(wanted: &[OperationId]) -> String {
    let ids: Vec<String> = wanted.iter().map(|id| format!("'{id}'")).collect();
    if ids.is_empty() { "1 = 0".to_owned() } else { format!("id IN ({})", ids.join(", ")) }
}

/// One of these containers. By installation: a chain of ten thousand ORs is refused by SQLite.
pub(super) fn containers(wanted: &[(Installation, Vmid)]) -> String {
    let mut vmids: BTreeMap<&Installation, Vec<String>> = BTreeMap::new();
    for (installation, vmid) in wanted {
        vmids.entry(installation).or_default().push(vmid.to_string());
    }
    let each = vmids
        .iter()
        .map(|(here, vmids)| format!("({} AND vmid IN ({}))", installation(here), vmids.join(", ")));
    match each.collect::<Vec<_>>() {
        none if none.is_empty() => "1 = 0".to_owned(),
        some => format!("({})", some.join(" OR ")),
    }
}

/// Text as SQL writes it, on both databases.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

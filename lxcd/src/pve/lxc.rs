//! The shapes of `/nodes/N/lxc` and what is below it. Owns their reading into core's terms; pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lxc_core::ids::Vmid;
use lxc_core::ports::PveError;
use lxc_core::pve::{Config, Live};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, Rows};
use super::guest::Guest;
use super::scalar::{Object, Scalar};

/// `…/status/current` of one container.
pub(super) fn current(answer: Answer<'_>, vmid: Vmid) -> Result<Live, PveError> {
    let row: Guest = answer.object()?;
    let live = row.live(Some(vmid)).ok_or_else(|| answer.garbage("no state of a container"))?;
    if live.vmid == vmid { Ok(live) } else { Err(answer.garbage("the state of another container")) }
}

/// `/nodes/N/lxc`, by vmid. A row that cannot be read is counted: its container must not look deleted.
pub(super) fn list(answer: Answer<'_>) -> Result<Rows<Live>, PveError> {
    let read = |row: Guest| {
        let vmid = row.number();
        row.live(None).ok_or(vmid)
    };
    let mut all = answer.rows_that_read("a list of what are no containers", read)?;
    all.rows.sort_by_key(|live| live.vmid);
    Ok(all)
}

/// `…/config`: every key, known or not.
pub(super) fn config(answer: Answer<'_>) -> Result<Config, PveError> {
    let values: BTreeMap<String, Value> = answer.data()?;
    let text = |value: Value| match value {
        Value::Null => None,
        Value::Bool(on) => Some(String::from(if on { "1" } else { "0" })),
        Value::String(text) => Some(text),
        // Numbers, and the raw `lxc` entries, which are a list of pairs.
        other => Some(other.to_string()),
    };
    Ok(Config { values: values.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect() })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    #[serde(rename = "ip-address")]
    address: Scalar,
}

/// A row of `…/interfaces`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interface {
    name: Scalar,
    /// Since 8.3; before, there are only the two below, with the last address of each family.
    #[serde(rename = "ip-addresses")]
    addresses: Option<Vec<Address>>,
    inet: Scalar,
    inet6: Scalar,
}

/// `…/interfaces`; null when stopped.
pub(super) fn interfaces(answer: Answer<'_>) -> Result<BTreeMap<String, Vec<String>>, PveError> {
    let rows: Option<Vec<Object<Interface>>> = answer.data()?;
    Ok(addresses(rows.unwrap_or_default().into_iter().map(|row| row.0).collect()))
}

/// Addresses somebody else could reach, by interface, without prefix lengths. Left out: `lo`, and
/// loopback and link-local addresses on any other.
fn addresses(rows: Vec<Interface>) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for row in rows {
        let Some(name) = row.name.word().filter(|name| name != "lo") else {
            continue;
        };
        let texts: Vec<Scalar> = match row.addresses {
            Some(listed) => listed.into_iter().map(|entry| entry.address).collect(),
            None => vec![row.inet, row.inet6],
        };
        let mut found: Vec<IpAddr> = texts.into_iter().filter_map(address).collect();
        found.sort();
        found.dedup();
        all.insert(name, found.iter().map(ToString::to_string).collect());
    }
    all
}

fn address(text: Scalar) -> Option<IpAddr> {
    let text = text.word()?;
    let address: IpAddr = text.split('/').next()?.trim().parse().ok()?;
    let useful = match address {
        IpAddr::V4(v4) => !v4.is_link_local() && !v4.is_loopback(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local() && !v6.is_loopback(),
    };
    useful.then_some(address)
}

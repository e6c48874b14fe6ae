//! The shapes of `/nodes/N/lxc` and what is below it. Owns their reading into core's terms; pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lxc_core::ids::Vmid;
use lxc_core::ports::PveError;
use lxc_core::pve::{Config, Ha, Live, Power, Usage};
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::scalar::{Object, Scalar, tags};

/// The figures rows of containers, and of all guests, have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    cpu: Scalar,
    /// `cpus` in rows of containers, `maxcpu` in `/cluster/resources`.
    #[serde(alias = "maxcpu")]
    cpus: Scalar,
    mem: Scalar,
    maxmem: Scalar,
    swap: Scalar,
    maxswap: Scalar,
    disk: Scalar,
    maxdisk: Scalar,
    netin: Scalar,
    netout: Scalar,
    uptime: Scalar,
}

impl Figures {
    /// What is used is only true of a running one; Proxmox writes zeros otherwise.
    pub(super) fn usage(&self, power: Option<Power>) -> Usage {
        let running = power == Some(Power::Running);
        let used = |value: &Scalar| if running { value.amount() } else { None };
        Usage {
            cpu: if running { self.cpu.float().map(|cpu| cpu.max(0.0)) } else { None },
            cpus: self.cpus.float(),
            memory: used(&self.mem),
            memory_max: self.maxmem.amount(),
            swap: used(&self.swap),
            swap_max: self.maxswap.amount(),
            disk: used(&self.disk),
            disk_max: self.maxdisk.amount(),
            net_in: used(&self.netin),
            net_out: used(&self.netout),
            uptime: used(&self.uptime),
        }
    }
}

/// `running`, `stopped`, or None for anything else.
pub(super) fn power(status: &Scalar) -> Option<Power> {
    match status {
        Scalar::Text(text) if text == "running" => Some(Power::Running),
        Scalar::Text(text) if text == "stopped" => Some(Power::Stopped),
        _ => None,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HaRow {
    managed: Scalar,
    state: Scalar,
}

/// A row of the list, or `status/current`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    vmid: Scalar,
    name: Scalar,
    status: Scalar,
    lock: Scalar,
    template: Scalar,
    tags: Scalar,
    ha: Option<HaRow>,
    #[serde(flatten)]
    figures: Figures,
}

impl Row {
    /// None when it does not say of whom it speaks, or in which state that is: better no answer than
    /// a container that seems stopped.
    fn live(self, vmid: Option<Vmid>) -> Option<Live> {
        let power = power(&self.status)?;
        let usage = self.figures.usage(Some(power));
        let ha = self.ha.filter(|ha| ha.managed.flag());
        Some(Live {
            vmid: self.vmid.vmid().or(vmid)?,
            name: self.name.word(),
            power,
            lock: self.lock.word(),
            template: self.template.flag(),
            ha: ha.map(|ha| Ha { state: ha.state.text().unwrap_or_default() }),
            tags: tags(self.tags),
            usage,
        })
    }
}

/// `…/status/current` of one container.
pub(super) fn current(answer: Answer<'_>, vmid: Vmid) -> Result<Live, PveError> {
    let row: Row = answer.object()?;
    let live = row.live(Some(vmid)).ok_or_else(|| answer.garbage("no state of a container"))?;
    if live.vmid == vmid { Ok(live) } else { Err(answer.garbage("the state of another container")) }
}

/// `/nodes/N/lxc`, by vmid. One row that cannot be read makes the whole list unusable: leaving it out
/// would make its container look deleted.
pub(super) fn list(answer: Answer<'_>) -> Result<Vec<Live>, PveError> {
    let rows: Vec<Row> = answer.rows()?;
    let read: Option<Vec<Live>> = rows.into_iter().map(|row| row.live(None)).collect();
    let mut all = read.ok_or_else(|| answer.garbage("a list with a row that is no container"))?;
    all.sort_by_key(|live| live.vmid);
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

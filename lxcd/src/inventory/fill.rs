//! Configs and addresses, read in the background: what identifies an incarnation, and where it is reached.
//! Owns what is asked when; few at a time, never in the way of a listing.

use lxc_core::picture::{Entry, RemoteView};
use lxc_core::record::ContainerRecord;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use lxc_core::ids::{ContainerId, Micros, Vmid};
use lxc_core::op::EventKind;
use lxc_core::ports::{Identity, PveApi};
use lxc_core::pve::{Config, Power};
use lxc_core::timing::{Timing, micros};

use super::addresses;
use super::merge::{Delta, event};
use crate::pve::PveClient;

/// At once per remote; a node has four places in all.
const AT_ONCE: usize = 8;
/// New configs per round; the rest comes with the next one.
const PER_ROUND: usize = 400;
/// Configs per round that are read again, so that a change made elsewhere is seen in the end.
const OLD_PER_ROUND: usize = 20;
/// A config is read again after so many rounds.
const CONFIG_ROUNDS: i64 = 60;
/// Containers per round whose addresses are asked for.
const ADDRESSES_PER_ROUND: usize = 40;
/// Addresses that are known are asked for again after so many rounds: a lease may end.
const ADDRESS_ROUNDS: i64 = 30;

/// What is to be asked about one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Config,
    Addresses,
}

/// What came back.
enum Told {
    Config(Config),
    Addresses(BTreeMap<String, Vec<String>>),
}

/// An answer, and about whom it was asked.
pub(super) struct Answer {
    vmid: Vmid,
    id: ContainerId,
    told: Told,
}

/// Reads what is wanted.
pub(super) async fn ask(client: &PveClient, view: &RemoteView, now: Micros, timing: &Timing) -> Vec<Answer> {
    let asks = wanted(view, now, timing);
    let answers = stream::iter(asks).map(|(vmid, entry, ask)| async move {
        let told = match ask {
            Ask::Config => client.config(&entry.row.node, vmid).await.map(Told::Config),
            Ask::Addresses => client.interfaces(&entry.row.node, vmid).await.map(Told::Addresses),
        };
        // What was not answered is asked again with the next round.
        told.ok().map(|told| Answer { vmid, id: entry.row.id, told })
    });
    answers.buffer_unordered(AT_ONCE).filter_map(|answer| async { answer }).collect().await
}

/// Adds the answers to what is known by now, which may be more than when they were asked for: they bring
/// config, identity and addresses, and nothing else.
pub(super) fn fill(view: &mut RemoteView, answers: Vec<Answer>, now: Micros) -> Delta {
    let mut delta = Delta::default();
    for Answer { vmid, id, told } in answers {
        // Replaced or forgotten meanwhile: the answer is about nobody we know.
        let Some(entry) = view.containers.get_mut(&vmid).filter(|entry| entry.row.id == id) else { continue };
        let entry = Arc::make_mut(entry);
        match told {
            Told::Config(config) => take_config(&view.name, entry, config, now, &mut delta),
            Told::Addresses(interfaces) => take_addresses(entry, &interfaces, now, &mut delta),
        }
    }
    delta
}

/// What to ask in this round: configs nobody has read, then addresses, then the configs read longest ago.
fn wanted(view: &RemoteView, now: Micros, timing: &Timing) -> Vec<(Vmid, Arc<Entry>, Ask)> {
    let every = micros(timing.sample.0);
    let due = |read: Option<Micros>, rounds: i64| read.is_none_or(|at| now - at >= every * rounds);
    let reachable = |entry: &Entry| {
        entry.row.gone_since.is_none()
            && !entry.hidden
            && view.nodes.get(&entry.row.node).is_some_and(|node| node.trouble.is_none())
    };
    let all: Vec<(&Vmid, &Arc<Entry>)> = view.containers.iter().filter(|(_, e)| reachable(e)).collect();
    let of = |ask: Ask| move |(vmid, entry): (&Vmid, &Arc<Entry>)| (*vmid, entry.clone(), ask);
    let new = all.iter().copied().filter(|(_, entry)| entry.wants_config).take(PER_ROUND);
    let unaddressed = |entry: &Entry| {
        let wait = if entry.row.ips.is_empty() { 1 } else { ADDRESS_ROUNDS };
        let fixed = entry.row.config.as_ref().is_none_or(|config| !config.has_more_addresses());
        entry.row.power == Some(Power::Running) && !fixed && due(entry.addresses_read, wait)
    };
    let read = all.iter().copied().filter(|(_, entry)| !entry.wants_config);
    // One question about a container per round: two answers would overwrite each other.
    let (addresses, rest): (Vec<_>, Vec<_>) = read.partition(|(_, entry)| unaddressed(entry));
    let mut old: Vec<_> =
        rest.into_iter().filter(|(_, entry)| due(entry.config_read, CONFIG_ROUNDS)).collect();
    old.sort_by_key(|(_, entry)| entry.config_read);
    new.map(of(Ask::Config))
        .chain(addresses.into_iter().take(ADDRESSES_PER_ROUND).map(of(Ask::Addresses)))
        .chain(old.into_iter().take(OLD_PER_ROUND).map(of(Ask::Config)))
        .collect()
}

fn take_config(remote: &str, entry: &mut Entry, config: Config, now: Micros, delta: &mut Delta) {
    // While it is being made a config holds nothing but its lock.
    if config.values.get("lock").is_some_and(|lock| lock == "create") {
        return;
    }
    let unchanged = entry.row.config.as_ref() == Some(&config);
    let replaced = identify(entry, config, now);
    entry.config_read = Some(now);
    if let Some(old) = replaced {
        delta.closed.push(old.id);
        let gone = "its vmid belongs to another container";
        delta.events.push(event(remote, &old, EventKind::Vanished, gone));
        delta.events.push(event(remote, &entry.row, EventKind::Discovered, "seen for the first time"));
    }
    if !unchanged {
        delta.rows.push(entry.row.clone());
    }
}

fn take_addresses(
    entry: &mut Entry,
    interfaces: &BTreeMap<String, Vec<String>>,
    now: Micros,
    delta: &mut Delta,
) {
    entry.addresses_read = Some(now);
    let ips = addresses::ordered(interfaces);
    if entry.row.ips != ips {
        entry.row.ips = ips;
        delta.rows.push(entry.row.clone());
    }
}

/// Gives the entry its config; answers with the row it replaces when it is another incarnation, which
/// inherits nothing (ARCHITECTURE.md, Identity).
fn identify(entry: &mut Entry, config: Config, now: Micros) -> Option<ContainerRecord> {
    let known = Identity { hwaddrs: entry.row.hwaddrs.clone(), marker: entry.row.marker.clone() };
    let mut replaced = None;
    // One of ours that nobody has read yet: what is there may be somebody else's, who took its number.
    if (entry.row.config.is_some() || known.marker.is_some()) && !known.matches(&config) {
        replaced = Some(entry.row.clone());
        entry.row.id = ContainerId::generate();
        entry.row.lifecycle = "ready".to_owned();
        entry.row.template = None;
        entry.row.attention = None;
        entry.row.error_op = None;
        entry.row.first_seen = now;
        entry.row.ips = Vec::new();
        entry.row.inside = None;
    }
    entry.row.hwaddrs = config.hwaddrs();
    entry.row.marker = config.marker().map(|marker| marker.to_string());
    if !config.has_more_addresses() {
        entry.row.ips = config.static_ips();
    } else if entry.row.config.as_ref().is_some_and(|old| !old.has_more_addresses()) {
        entry.row.ips = Vec::new();
    }
    entry.row.config = Some(config);
    entry.wants_config = false;
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::{row, view};

    fn config(mac: &str) -> Config {
        let net = format!("name=eth0,bridge=vmbr0,hwaddr={mac}");
        Config { values: BTreeMap::from([("net0".to_owned(), net)]) }
    }

    fn answer(row: &ContainerRecord, told: Told) -> Answer {
        Answer { vmid: row.vmid, id: row.id, told }
    }

    #[test]
    fn an_answer_brings_config_and_addresses_and_nothing_else() {
        let asked = row(104);
        // While it was under way an operation marked the container, and a poll saw it renamed.
        let meanwhile =
            ContainerRecord { attention: Some("op".into()), name: Some("new".into()), ..asked.clone() };
        let mut view = view(vec![meanwhile.clone()]);
        let (mac, ips) = ("BC:24:11:00:00:01", BTreeMap::from([("eth0".into(), vec!["10.0.0.4".into()])]));
        let told = [answer(&asked, Told::Config(config(mac))), answer(&asked, Told::Addresses(ips))];
        let delta = fill(&mut view, told.into(), 7);
        let expected = ContainerRecord {
            config: Some(config(mac)),
            hwaddrs: vec![mac.to_owned()],
            ips: vec!["10.0.0.4".to_owned()],
            ..meanwhile
        };
        assert_eq!(view.containers[&104].row, expected);
        assert_eq!(delta.rows.last(), Some(&expected));
    }

    #[test]
    fn an_answer_about_what_was_replaced_meanwhile_is_dropped() {
        let (asked, now) = (row(104), row(104));
        let mut view = view(vec![now.clone()]);
        let told = Told::Config(config("BC:24:11:00:00:01"));
        let delta = fill(&mut view, vec![answer(&asked, told)], 7);
        assert_eq!(view.containers[&104].row, now);
        assert!(delta.rows.is_empty() && view.containers[&104].wants_config);
    }

    #[test]
    fn another_incarnation_inherits_nothing() {
        let known = ContainerRecord {
            attention: Some("op".into()),
            config: Some(config("BC:24:11:00:00:01")),
            hwaddrs: vec!["BC:24:11:00:00:01".to_owned()],
            ..row(104)
        };
        let mut view = view(vec![known.clone()]);
        let told = Told::Config(config("BC:24:11:00:00:02"));
        let delta = fill(&mut view, vec![answer(&known, told)], 7);
        let new = &view.containers[&104].row;
        assert_eq!((delta.closed, new.attention.as_deref()), (vec![known.id], None));
        assert_ne!(new.id, known.id);
    }
}

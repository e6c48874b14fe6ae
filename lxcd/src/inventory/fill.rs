//! Configs and addresses, read in the background: what identifies an incarnation, and where it is reached.
//! Owns what is asked when; few at a time, never in the way of a listing.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use lxc_core::ids::{ContainerId, Micros, Vmid};
use lxc_core::op::EventKind;
use lxc_core::ports::{Identity, PveApi, PveError};
use lxc_core::pve::{Config, Power};
use lxc_core::timing::{Timing, micros};

use super::addresses;
use super::merge::event;
use super::view::{Entry, RemoteView};
use crate::pve::PveClient;
use crate::store::{ContainerRow, NewEvent};

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

/// What reading configs came to.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) rows: Vec<ContainerRow>,
    pub(super) closed: Vec<ContainerId>,
    pub(super) events: Vec<NewEvent>,
    pub(super) entries: Vec<(Vmid, Entry)>,
}

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

/// Reads what is wanted and decides which incarnation each container is.
pub(super) async fn fill(client: &PveClient, view: &RemoteView, now: Micros, timing: &Timing) -> Filled {
    let asks = wanted(view, now, timing);
    let answers: Vec<(Vmid, Arc<Entry>, Result<Told, PveError>)> = stream::iter(asks)
        .map(|(vmid, entry, ask)| async move {
            let told = match ask {
                Ask::Config => client.config(&entry.row.node, vmid).await.map(Told::Config),
                Ask::Addresses => client.interfaces(&entry.row.node, vmid).await.map(Told::Addresses),
            };
            (vmid, entry, told)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut filled = Filled::default();
    for (vmid, entry, told) in answers {
        match told {
            Ok(Told::Config(config)) => filled.take_config(&view.name, vmid, &entry, config, now),
            Ok(Told::Addresses(interfaces)) => filled.take_addresses(vmid, &entry, &interfaces, now),
            // Asked again with the next round.
            Err(_) => {}
        }
    }
    filled
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
        let fixed = entry.row.config.as_ref().is_none_or(|config| config.static_ip().is_some());
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

impl Filled {
    fn take_config(&mut self, remote: &str, vmid: Vmid, entry: &Entry, config: Config, now: Micros) {
        let unchanged = entry.row.config.as_ref() == Some(&config);
        let (mut entry, replaced) = identify(entry, config, now);
        entry.config_read = Some(now);
        if let Some(old) = replaced {
            self.closed.push(old.id);
            let gone = "its vmid belongs to another container";
            self.events.push(event(remote, &old, EventKind::Vanished, gone));
            self.events.push(event(remote, &entry.row, EventKind::Discovered, "seen for the first time"));
        }
        if !unchanged {
            self.rows.push(entry.row.clone());
        }
        self.entries.push((vmid, entry));
    }

    fn take_addresses(
        &mut self,
        vmid: Vmid,
        entry: &Entry,
        interfaces: &BTreeMap<String, Vec<String>>,
        now: Micros,
    ) {
        let mut entry = entry.clone();
        entry.addresses_read = Some(now);
        let ips = addresses::ordered(interfaces);
        if entry.row.ips != ips {
            entry.row.ips = ips;
            self.rows.push(entry.row.clone());
        }
        self.entries.push((vmid, entry));
    }
}

/// The entry with its config; and the row it replaces when it is another incarnation, which inherits
/// nothing (ARCHITECTURE.md, Identity).
fn identify(entry: &Entry, config: Config, now: Micros) -> (Entry, Option<ContainerRow>) {
    let known = Identity { hwaddrs: entry.row.hwaddrs.clone(), marker: entry.row.marker.clone() };
    let mut entry = entry.clone();
    let mut replaced = None;
    if entry.row.config.is_some() && !known.matches(&config) {
        replaced = Some(entry.row.clone());
        entry.row.id = ContainerId::generate();
        entry.row.lifecycle = "ready".to_owned();
        entry.row.template = None;
        entry.row.attention = None;
        entry.row.error_op = None;
        entry.row.first_seen = now;
        entry.row.ips = Vec::new();
    }
    entry.row.hwaddrs = config.hwaddrs();
    entry.row.marker = config.marker().map(|marker| marker.to_string());
    if let Some(ip) = config.static_ip() {
        entry.row.ips = vec![ip];
    } else if entry.row.config.as_ref().is_some_and(|old| old.static_ip().is_some()) {
        entry.row.ips = Vec::new();
    }
    entry.row.config = Some(config);
    entry.wants_config = false;
    (entry, replaced)
}

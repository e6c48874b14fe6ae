//! Configs, read in the background: what identifies an incarnation, and its addresses. Owns which config
//! is read when; few at a time, never in the way of a listing.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use lxc_core::ids::{ContainerId, Micros, Vmid};
use lxc_core::op::EventKind;
use lxc_core::ports::{Identity, PveApi, PveError};
use lxc_core::pve::Config;

use super::merge::event;
use super::view::{Entry, RemoteView};
use crate::pve::PveClient;
use crate::store::{ContainerRow, NewEvent};

/// At once per remote; a node has four places in all.
const AT_ONCE: usize = 8;
/// Per round; the rest comes with the next one.
const PER_ROUND: usize = 400;

/// What reading configs came to.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) rows: Vec<ContainerRow>,
    pub(super) closed: Vec<ContainerId>,
    pub(super) events: Vec<NewEvent>,
    pub(super) entries: Vec<(Vmid, Entry)>,
}

/// Reads what is wanted and decides which incarnation each container is.
pub(super) async fn fill(client: &PveClient, view: &RemoteView, now: Micros) -> Filled {
    let wanted: Vec<(Vmid, Arc<Entry>)> = view
        .containers
        .iter()
        .filter(|(_, entry)| entry.wants_config && entry.row.gone_since.is_none())
        .filter(|(_, entry)| view.nodes.get(&entry.row.node).is_some_and(|node| node.trouble.is_none()))
        .take(PER_ROUND)
        .map(|(vmid, entry)| (*vmid, entry.clone()))
        .collect();
    let answers: Vec<(Vmid, Arc<Entry>, Result<Config, PveError>)> = stream::iter(wanted)
        .map(|(vmid, entry)| async move {
            let config = client.config(&entry.row.node, vmid).await;
            (vmid, entry, config)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut filled = Filled::default();
    for (vmid, entry, config) in answers {
        if let Ok(config) = config {
            let (entry, replaced) = identify(&entry, config, now);
            if let Some(old) = replaced {
                filled.closed.push(old.id);
                filled.events.push(event(
                    &view.name,
                    &old,
                    EventKind::Vanished,
                    "its vmid belongs to another container",
                ));
                filled.events.push(event(
                    &view.name,
                    &entry.row,
                    EventKind::Discovered,
                    "seen for the first time",
                ));
            }
            filled.rows.push(entry.row.clone());
            filled.entries.push((vmid, entry));
        }
    }
    filled
}

/// The entry with its config; and the row it replaces when it is another incarnation, which inherits
/// nothing (DESIGN.md, Identity).
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
    }
    entry.row.config = Some(config);
    entry.wants_config = false;
    (entry, replaced)
}

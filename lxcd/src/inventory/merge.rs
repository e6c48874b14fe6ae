//! What a round of answers makes of the picture. Pure: the picture before and the answers in; the picture
//! after, the rows to write and the events out. One dead node never hurts the rest.

use lxc_core::picture::{Entry, Freshness, NodeView, RemoteView, Rights, Trouble};
use lxc_core::record::{ContainerRecord, NewEvent};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lxc_core::error::Code;
use lxc_core::ids::{ContainerId, Micros, Vmid};
use lxc_core::op::EventKind;
use lxc_core::ports::PveError;
use lxc_core::pve::{Live, Resource};

use super::sample::Sample;

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Delta {
    pub(super) rows: Vec<ContainerRecord>,
    pub(super) closed: Vec<ContainerId>,
    pub(super) events: Vec<NewEvent>,
}

/// Why a remote or node cannot be asked, keeping since when.
pub(super) fn trouble(before: Option<&Trouble>, code: Code, error: &str, now: Micros) -> Trouble {
    let since = before.map_or(now, |before| before.since);
    Trouble { code, since, why: error.to_owned() }
}

/// The code of a failed question to a whole remote.
pub(super) fn code_of(error: &PveError) -> Code {
    match error {
        PveError::Unauthorized(_) => Code::PveUnauthorized,
        PveError::Untrusted { .. } => Code::CertificateChanged,
        PveError::Garbage(_) => Code::NotProxmox,
        PveError::Refused(_) => Code::PvePrivilege,
        PveError::NotDelivered(_) | PveError::Lost(_) => Code::RemoteUnreachable,
    }
}

/// Merges a round into a remote. `busy` = vmids our operations hold: their power is theirs to tell.
/// `rights` tell if what is missing would have been shown.
pub(super) fn merge(
    before: &RemoteView,
    sample: &Sample,
    busy: &HashSet<Vmid>,
    rights: Option<Arc<Rights>>,
) -> (RemoteView, Delta) {
    let now = sample.at;
    let mut after = before.clone();
    let known_rights = rights.clone();
    after.rights = rights.or(after.rights.take());
    let mut delta = Delta::default();
    let (nodes, resources) = match (&sample.nodes, &sample.resources) {
        (Ok(nodes), Ok(resources)) => (nodes, resources),
        (Err(error), _) | (_, Err(error)) => {
            after.trouble = Some(trouble(before.trouble.as_ref(), code_of(error), &error.to_string(), now));
            for entry in after.containers.values_mut() {
                Arc::make_mut(entry).freshness = Freshness::Stale;
            }
            return (after, delta);
        }
    };
    after.trouble = None;
    after.polled = Some(now);
    after.vms = resources.iter().filter(|r| r.is_vm).map(|r| r.vmid).collect();
    after.nodes = nodes
        .iter()
        .map(|node| {
            let old = before.nodes.get(&node.name).and_then(|node| node.trouble.as_ref());
            let unreachable = |why: &str| Some(trouble(old, Code::NodeUnreachable, why, now));
            let trouble = match sample.lists.get(&node.name) {
                // An operation that failed to reach it after this round began knows better.
                Some(Ok(_)) => old.filter(|old| !older(old.since, now)).cloned(),
                // The list of a node fails for a moment while a container on it goes down.
                Some(Err(error @ PveError::Refused(_))) if error.passes() => None,
                Some(Err(error)) => unreachable(&error.to_string()),
                None => unreachable("the node is offline"),
            };
            (node.name.clone(), NodeView { node: node.clone(), observed: now, trouble })
        })
        .collect();
    let lists = index(sample);
    // A remote that is new to us brings its containers along; that is no news of any of them.
    let first_round = before.polled.is_none() && before.containers.is_empty();
    let mut present = HashSet::new();
    for resource in resources.iter().filter(|resource| !resource.is_vm) {
        present.insert(resource.vmid);
        let live = lists.get(&resource.vmid);
        let entry =
            one(&after, resource, live.copied(), busy.contains(&resource.vmid), first_round, now, &mut delta);
        after.containers.insert(resource.vmid, Arc::new(entry));
    }
    for (vmid, entry) in &mut after.containers {
        // A delete of ours tells its own end; what was made by us a moment ago may not be listed yet.
        if present.contains(vmid) || lists.contains_key(vmid) || busy.contains(vmid) {
            continue;
        }
        if !known_rights.as_ref().is_some_and(|rights| rights.would_show(*vmid, entry.seen_with)) {
            Arc::make_mut(entry).hidden = true;
            continue;
        }
        if entry.row.gone_since.is_none() && older(entry.row.observed, now) {
            let entry = Arc::make_mut(entry);
            entry.hidden = false;
            entry.row.gone_since = Some(now);
            entry.row.observed = now;
            entry.freshness = Freshness::Live;
            delta.rows.push(entry.row.clone());
            delta.events.push(event(
                &after.name,
                &entry.row,
                EventKind::Vanished,
                "Proxmox no longer has it",
            ));
        }
    }
    (after, delta)
}

/// Every container by vmid, from the lists that came, with its node.
fn index(sample: &Sample) -> BTreeMap<Vmid, (&str, &Live)> {
    sample
        .lists
        .iter()
        .filter_map(|(node, list)| Some((node, list.as_ref().ok()?)))
        .flat_map(|(node, list)| list.iter().map(move |live| (live.vmid, (node.as_str(), live))))
        .collect()
}

fn one(
    view: &RemoteView,
    resource: &Resource,
    live: Option<(&str, &Live)>,
    busy: bool,
    first_round: bool,
    now: Micros,
    delta: &mut Delta,
) -> Entry {
    let seen_with = view.rights.as_ref().map(|rights| rights.folded());
    let known = view.containers.get(&resource.vmid).map(|entry| (**entry).clone());
    let (node, sample) = match live {
        Some((node, live)) => (node.to_owned(), live.clone()),
        None => (resource.node.clone(), from_resource(resource)),
    };
    let reachable = view.nodes.get(&node).is_some_and(|node| node.trouble.is_none());
    let Some(mut entry) = known else {
        let row = fresh_row(view, resource, &node, sample, live.is_some(), now);
        if !first_round {
            delta.events.push(event(&view.name, &row, EventKind::Discovered, "seen for the first time"));
        }
        delta.rows.push(row.clone());
        let freshness = if live.is_some() { Freshness::Live } else { Freshness::Stale };
        return Entry { seen_with, ..Entry::new(row, freshness) };
    };
    let old = entry.row.clone();
    entry.hidden = false;
    entry.seen_with = seen_with.or(entry.seen_with);
    let row = &mut entry.row;
    row.node = node;
    row.pool.clone_from(&resource.pool);
    if live.is_none() {
        // Placement, lock, tags and pool are live there; power and figures are not.
        row.live.lock.clone_from(&sample.lock);
        row.live.tags = sample.tags;
        entry.freshness = if reachable { Freshness::Cached } else { Freshness::Stale };
    } else if older(row.observed, now) {
        row.name = sample.name.clone().or(row.name.take());
        let ha = resource.ha_state.clone().map(|state| lxc_core::pve::Ha { state });
        row.live = Live { ha, ..sample };
        row.power = Some(row.live.power);
        row.observed = now;
        entry.freshness = Freshness::Live;
    }
    if row.gone_since.take().is_some() {
        // Whether it is the same again is told by its config.
        entry.wants_config = true;
    }
    // A different name is how a reused vmid shows itself between two rounds.
    if old.name != row.name {
        entry.wants_config = true;
    }
    if old.power != row.power || old.live.usage.uptime > row.live.usage.uptime {
        entry.addresses_read = None;
    }
    if material(&old, row) {
        if !busy && old.power.is_some() && old.power != row.power {
            let (kind, words) = match row.live.power {
                lxc_core::pve::Power::Running => (EventKind::Started, "started outside lxcd"),
                lxc_core::pve::Power::Stopped => (EventKind::Stopped, "stopped outside lxcd"),
            };
            delta.events.push(event(&view.name, row, kind, words));
        }
        delta.rows.push(row.clone());
    }
    entry
}

/// Whether an observation is no newer than `now`. One from the far side of `now` was made before the clock
/// was put back: it is older too, whatever it says.
fn older(observed: Micros, now: Micros) -> bool {
    /// More than any operation of ours is ahead of a round that began before it.
    const AHEAD: Micros = 120_000_000;
    observed <= now || observed > now.saturating_add(AHEAD)
}

/// Whether the change is worth a write; figures alone are not.
fn material(old: &ContainerRecord, new: &ContainerRecord) -> bool {
    old.name != new.name
        || old.node != new.node
        || old.power != new.power
        || old.gone_since != new.gone_since
        || old.pool != new.pool
        || old.live.lock != new.live.lock
        || old.live.tags != new.live.tags
        || old.live.template != new.live.template
        || old.live.ha != new.live.ha
}

fn fresh_row(
    view: &RemoteView,
    resource: &Resource,
    node: &str,
    live: Live,
    observed: bool,
    now: Micros,
) -> ContainerRecord {
    ContainerRecord {
        power: observed.then_some(live.power),
        pool: resource.pool.clone(),
        ..ContainerRecord::seen(&view.installation, node, live, now)
    }
}

fn from_resource(resource: &Resource) -> Live {
    Live {
        vmid: resource.vmid,
        name: resource.name.clone(),
        power: resource.power.unwrap_or(lxc_core::pve::Power::Stopped),
        lock: resource.lock.clone(),
        template: resource.template,
        ha: resource.ha_state.clone().map(|state| lxc_core::pve::Ha { state }),
        tags: resource.tags.clone(),
        usage: resource.usage.clone(),
    }
}

/// An event about a container, outside of any operation.
pub(super) fn event(remote: &str, row: &ContainerRecord, kind: EventKind, message: &str) -> NewEvent {
    NewEvent {
        kind,
        installation: row.installation.clone(),
        vmid: row.vmid,
        container_id: row.id,
        target: format!("{remote}/{}", row.vmid),
        name: row.name.clone(),
        message: message.to_owned(),
    }
}

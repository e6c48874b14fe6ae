//! One container in a round: what was known of it and what is seen now become its entry. Pure, as `merge` is.

use lxc_core::ids::Micros;
use lxc_core::op::EventKind;
use lxc_core::picture::{Entry, Freshness, RemoteView};
use lxc_core::pve::{Live, Resource};
use lxc_core::record::ContainerRecord;

use super::{Delta, event, older};

/// What becomes of a container that is listed: as its node has it, else as its installation has it.
pub(super) fn one(
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
        let told = reachable && !view.unread.contains_key(&row.node);
        entry.freshness = if told { Freshness::Cached } else { Freshness::Stale };
    } else if older(row.observed, now) {
        // Until it is made Proxmox calls it CT and its number, and its own name is taken all the same.
        let unnamed = row.name.is_some() && sample.lock.as_deref() == Some("create");
        if !unnamed {
            row.name = sample.name.clone().or(row.name.take());
        }
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

/// As the list of its node has it, where that of all guests cannot be read.
pub(super) fn from_list(view: &RemoteView, node: &str, live: &Live) -> Resource {
    Resource {
        vmid: live.vmid,
        node: node.to_owned(),
        is_vm: false,
        name: live.name.clone(),
        power: Some(live.power),
        lock: live.lock.clone(),
        tags: live.tags.clone(),
        pool: view.containers.get(&live.vmid).and_then(|entry| entry.row.pool.clone()),
        ha_state: live.ha.clone().map(|ha| ha.state),
        template: live.template,
        usage: live.usage.clone(),
    }
}

//! What a round of answers makes of the picture. Pure: the picture before and the answers in; the picture
//! after, the rows to write and the events out. One dead node never hurts the rest.

mod row;

use lxc_core::picture::{Freshness, NodeView, RemoteView, Rights, Trouble};
use lxc_core::record::{ContainerRecord, NewEvent};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lxc_core::error::Code;
use lxc_core::ids::{ContainerId, Micros, Vmid};
use lxc_core::op::EventKind;
use lxc_core::ports::PveError;
use lxc_core::pve::{Live, Resource};
use lxc_core::text;

use row::{from_list, one};

use super::sample::Sample;
use crate::pve::Rows;

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
    after.vms = resources.rows.iter().filter(|r| r.is_vm).map(|r| r.vmid).collect();
    after.unread = unread(before, sample, resources, now);
    after.nodes = nodes
        .iter()
        .map(|node| {
            let old = before.nodes.get(&node.name).and_then(|node| node.trouble.as_ref());
            let away = |code: Code, why: &str| Some(trouble(old, code, why, now));
            let trouble = match sample.lists.get(&node.name) {
                // An operation that failed to reach it after this round began knows better.
                Some(Ok(_)) => old.filter(|old| !older(old.since, now)).cloned(),
                // The list of a node fails for a moment while a container on it goes down.
                Some(Err(error @ PveError::Refused(_))) if error.passes() => None,
                Some(Err(error @ PveError::Garbage(_))) => away(code_of(error), &error.to_string()),
                Some(Err(error)) => away(Code::NodeUnreachable, &error.to_string()),
                None => away(Code::NodeUnreachable, "the node is offline"),
            };
            (node.name.clone(), NodeView { node: node.clone(), observed: now, trouble })
        })
        .collect();
    let lists = index(sample);
    // A remote that is new to us brings its containers along; that is no news of any of them.
    let first_round = before.polled.is_none() && before.containers.is_empty();
    let mut present = HashSet::new();
    let placed: HashSet<Vmid> = resources.rows.iter().map(|resource| resource.vmid).collect();
    // Whose row in the list of all guests could not be read may still be on its node's.
    let found =
        lists.values().filter(|(_, live)| !resources.unread.is_empty() && !placed.contains(&live.vmid));
    let found: Vec<Resource> = found.map(|(node, live)| from_list(&after, node, live)).collect();
    for resource in resources.rows.iter().filter(|resource| !resource.is_vm).chain(&found) {
        present.insert(resource.vmid);
        let live = lists.get(&resource.vmid);
        let entry =
            one(&after, resource, live.copied(), busy.contains(&resource.vmid), first_round, now, &mut delta);
        after.containers.insert(resource.vmid, Arc::new(entry));
    }
    for (vmid, entry) in &mut after.containers {
        // A delete of ours tells its own end; what was made by us a moment ago may not be listed yet. What is still to be
        // made may have been asked for after `busy` was read, and before the round began by its own account.
        let ours = busy.contains(vmid) || entry.row.is_being_made();
        if present.contains(vmid) || lists.contains_key(vmid) || ours {
            continue;
        }
        // It may be the one whose row could not be read.
        if after.unread.contains_key("") || after.unread.contains_key(&entry.row.node) {
            Arc::make_mut(entry).freshness = Freshness::Stale;
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
        .flat_map(|(node, list)| list.rows.iter().map(move |live| (live.vmid, (node.as_str(), live))))
        .collect()
}

/// What could not be read of lists that could be, otherwise: by node, the list of all guests under "".
fn unread(
    before: &RemoteView,
    sample: &Sample,
    resources: &Rows<Resource>,
    now: Micros,
) -> BTreeMap<String, Trouble> {
    let lists =
        sample.lists.iter().filter_map(|(node, list)| Some((node.as_str(), &list.as_ref().ok()?.unread)));
    let broken = std::iter::once(("", &resources.unread)).chain(lists).filter(|(_, rows)| !rows.is_empty());
    broken
        .map(|(node, rows)| {
            let whose: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
            let whose = match whose.as_slice() {
                [] => String::new(),
                known => format!(", of {}", known.join(", ")),
            };
            let number = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            let why = format!("{} of its list of containers{whose}", text::counted(number, "row"));
            (node.to_owned(), trouble(before.unread.get(node), Code::NotProxmox, &why, now))
        })
        .collect()
}

/// Whether an observation is no newer than `now`. One from the far side of `now` was made before the clock
/// was put back: it is older too, whatever it says.
fn older(observed: Micros, now: Micros) -> bool {
    /// More than any operation of ours is ahead of a round that began before it.
    const AHEAD: Micros = 120_000_000;
    observed <= now || observed > now.saturating_add(AHEAD)
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

#[cfg(test)]
mod tests {
    use lxc_core::pve::{Permissions, Power};

    use super::*;
    use crate::inventory::tests::{row, view};

    fn resource(vmid: Vmid) -> Resource {
        Resource {
            vmid,
            node: "pve1".to_owned(),
            is_vm: false,
            name: Some(format!("ct{vmid}")),
            power: Some(Power::Running),
            lock: None,
            tags: Vec::new(),
            pool: None,
            ha_state: None,
            template: false,
            usage: Default::default(),
        }
    }

    fn round(resources: Rows<Resource>, list: Result<Rows<Live>, PveError>) -> (RemoteView, Delta) {
        round_of(vec![row(104), row(105)], resources, list)
    }

    fn round_of(
        known: Vec<ContainerRecord>,
        resources: Rows<Resource>,
        list: Result<Rows<Live>, PveError>,
    ) -> (RemoteView, Delta) {
        let before = RemoteView { polled: Some(0), ..view(known) };
        let nodes = Ok(vec![before.nodes["pve1"].node.clone()]);
        let sample =
            Sample { at: 10, nodes, resources: Ok(resources), lists: [("pve1".to_owned(), list)].into() };
        let audit = [("VM.Audit".to_owned(), true)].into();
        let rights = Rights::new(Permissions { paths: [("/".to_owned(), audit)].into() });
        merge(&before, &sample, &HashSet::new(), Some(Arc::new(rights)))
    }

    fn running(vmid: Vmid) -> Live {
        Live { name: Some(format!("ct{vmid}")), ..Live::bare(vmid, Power::Running) }
    }

    #[test]
    fn a_row_that_cannot_be_read_hides_nobody_else() {
        let resources = Rows { rows: vec![resource(104)], unread: vec![Some(105)] };
        let list = Rows { rows: vec![running(104)], unread: vec![None] };
        let (after, delta) = round(resources, Ok(list));
        let (good, lost) = (&after.containers[&104], &after.containers[&105]);
        assert_eq!((good.row.power, good.freshness), (Some(Power::Running), Freshness::Live));
        assert_eq!((lost.row.gone_since, lost.freshness), (None, Freshness::Stale), "it may be that row's");
        assert!(delta.events.iter().all(|event| event.kind != EventKind::Vanished));
        assert_eq!(after.nodes["pve1"].trouble, None);
        let said = |node: &str| (after.unread[node].code, after.unread[node].why.as_str());
        assert_eq!(said(""), (Code::NotProxmox, "1 row of its list of containers, of 105"));
        assert_eq!(said("pve1"), (Code::NotProxmox, "1 row of its list of containers"));
    }

    #[test]
    fn what_is_being_made_is_not_gone_for_not_being_there_yet() {
        let gone = |lifecycle: &str| {
            let mine = ContainerRecord { lifecycle: lifecycle.to_owned(), ..row(105) };
            let known = vec![row(104), mine];
            let (after, _) = round_of(known, vec![resource(104)].into(), Ok(vec![running(104)].into()));
            after.containers[&105].row.gone_since
        };
        assert_eq!((gone("ready"), gone(ContainerRecord::CREATING)), (Some(10), None));
    }

    #[test]
    fn what_is_being_made_keeps_its_name() {
        let named = |lock: Option<&str>| {
            let live = Live { name: Some("CT104".to_owned()), lock: lock.map(str::to_owned), ..running(104) };
            let (after, delta) = round(vec![resource(104), resource(105)].into(), Ok(vec![live].into()));
            let written = delta.rows.iter().find(|row| row.vmid == 104).and_then(|row| row.name.clone());
            (after.containers[&104].row.name.clone(), written)
        };
        let known = row(104).name;
        assert_eq!(named(Some("create")), (known.clone(), known), "also in the database");
        assert_eq!(named(None).0.as_deref(), Some("CT104"));
    }

    #[test]
    fn whose_row_cannot_be_read_is_found_on_its_node() {
        let resources = Rows { rows: vec![resource(104)], unread: vec![None] };
        let (after, _) = round(resources, Ok(vec![running(104), running(105)].into()));
        let found = &after.containers[&105];
        assert_eq!((found.row.power, found.freshness), (Some(Power::Running), Freshness::Live));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_not_a_node_that_is_away() {
        let both = || Rows::from(vec![resource(104), resource(105)]);
        let code =
            |error| round(both(), Err(error)).0.nodes["pve1"].trouble.as_ref().map(|trouble| trouble.code);
        assert_eq!(code(PveError::Garbage("<html>".into())), Some(Code::NotProxmox));
        assert_eq!(code(PveError::Lost("595".into())), Some(Code::NodeUnreachable));
    }
}

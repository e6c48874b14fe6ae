//! What operations find out, taken over into the picture: rows they have written, nodes they could not reach.
//! Owns which of the two, picture or store, counts for what; must not write.

use lxc_core::picture::{Entry, Freshness, RemoteView};
use lxc_core::record::ContainerRecord;
use std::collections::HashSet;
use std::sync::Arc;

use lxc_core::error::Code;
use lxc_core::ids::{ContainerId, Installation, Micros, Vmid};
use lxc_core::pve::Usage;

use super::merge::trouble;
use super::poller::Inventory;
use super::unwritten::Unwritten;
use crate::bus::{Finding, Found};
use crate::store::Result;

impl Inventory {
    /// Takes over what operations find out, until stopped.
    pub async fn follow_operations(&self) {
        self.follow(self.bus.findings()).await;
    }

    pub(super) async fn follow(&self, mut findings: Found) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                finding = findings.next() => match finding {
                    Finding::Container(..) | Finding::Rows(_) if self.store.is_shared() => {
                        self.catch_up().await;
                    }
                    Finding::Container(installation, vmid) => {
                        self.read_again(&installation, Some(vmid)).await;
                    }
                    Finding::Rows(installation) => self.read_again(&installation, None).await,
                    Finding::Poll(installation) => self.asked_for(&installation),
                    Finding::Silent { installation, node, why } => {
                        self.note_silent(&installation, &node, &why);
                    }
                    Finding::Anything if self.store.is_shared() => self.asked_meanwhile().await,
                    Finding::Anything => {
                        for view in self.picture().values() {
                            self.read_again(&view.installation, None).await;
                        }
                    }
                },
            }
        }
    }

    /// Reads rows again after others have written them: one container's, or all of an installation.
    pub(super) async fn read_again(&self, installation: &Installation, vmid: Option<Vmid>) {
        match self.stored(installation, vmid).await {
            Ok((rows, closed)) => self.change(|picture| {
                let view = picture.values_mut().find(|view| view.installation == *installation);
                let mut unwritten = self.unwritten.lock();
                if let Some(view) = view {
                    let unwritten = unwritten.entry(installation.clone()).or_default();
                    take_over(Arc::make_mut(view), rows, &closed, unwritten);
                }
            }),
            Err(error) => tracing::warn!(%error, %installation, "cannot read containers again"),
        }
    }

    /// The open rows, and which of the containers we know have none because theirs is closed.
    async fn stored(
        &self,
        installation: &Installation,
        vmid: Option<Vmid>,
    ) -> Result<(Vec<ContainerRecord>, HashSet<ContainerId>)> {
        let rows = match vmid {
            Some(vmid) => self.store.container(installation, vmid).await?.into_iter().collect(),
            None => self.store.containers(Some(installation)).await?,
        };
        let open: HashSet<ContainerId> = rows.iter().map(|row: &ContainerRecord| row.id).collect();
        let picture = self.picture();
        let views = picture.values().filter(|view| view.installation == *installation);
        let known = views.flat_map(|view| view.containers.values()).map(|entry| &entry.row);
        let mut closed = HashSet::new();
        for row in known.filter(|row| vmid.is_none_or(|vmid| vmid == row.vmid) && !open.contains(&row.id)) {
            if self.store.container_closed(row.id).await? {
                closed.insert(row.id);
            }
        }
        Ok((rows, closed))
    }

    /// A container that is to be made is known before Proxmox knows it: whoever sees it there first sees it is ours.
    pub fn made(&self, row: ContainerRecord) {
        self.change(|picture| {
            if let Some(view) = picture.values_mut().find(|view| view.installation == row.installation) {
                let entry = Entry::new(row.clone(), Freshness::Live);
                Arc::make_mut(view).containers.insert(row.vmid, Arc::new(entry));
            }
        });
    }

    /// A node that an operation could not reach is shown so at once, and asked again.
    fn note_silent(&self, installation: &Installation, node: &str, why: &str) {
        let now = self.clock.now();
        let picture = self.picture();
        let Some(view) = picture.values().find(|view| view.installation == *installation) else { return };
        if view.trouble.is_some() || view.nodes.get(node).is_some_and(|node| node.trouble.is_some()) {
            return;
        }
        self.change(|picture| {
            if let Some(view) = picture.get_mut(&view.name) {
                silent(Arc::make_mut(view), node, why, now);
            }
        });
        self.poll_soon(&view.name);
    }
}

fn silent(view: &mut RemoteView, node: &str, why: &str, now: Micros) {
    if let Some(node) = view.nodes.get_mut(node) {
        node.trouble = Some(trouble(node.trouble.as_ref(), Code::NodeUnreachable, why, now));
    }
}

/// What the store says beside what is known.
pub(super) fn take_over(
    view: &mut RemoteView,
    rows: Vec<ContainerRecord>,
    closed: &HashSet<ContainerId>,
    unwritten: &mut Unwritten,
) {
    view.containers.retain(|_, entry| !closed.contains(&entry.row.id));
    for row in rows {
        match view.containers.get_mut(&row.vmid) {
            Some(entry) if entry.row.id == row.id => update(Arc::make_mut(entry), row),
            // Its end is on the way to the store.
            Some(_) if unwritten.closed().contains(&row.id) => {}
            known => {
                if let Some(ours) = known {
                    unwritten.forget(ours.row.id);
                }
                renumbered(view, &row);
                view.containers.insert(row.vmid, Arc::new(Entry::new(row, Freshness::Live)));
            }
        }
    }
}

/// One that is being made may get another number; it is not at both.
pub(super) fn renumbered(view: &mut RemoteView, row: &ContainerRecord) {
    if row.is_being_made() {
        view.containers.retain(|vmid, entry| entry.row.id != row.id || *vmid == row.vmid);
    }
}

/// The same record: operations own its marks, and its power and place as far as they saw them later.
fn update(entry: &mut Entry, row: ContainerRecord) {
    entry.row.attention = row.attention;
    entry.row.lifecycle = row.lifecycle;
    entry.row.error_op = row.error_op;
    entry.row.inside = row.inside;
    if row.observed < entry.row.observed {
        return;
    }
    entry.row.node = row.node;
    entry.row.power = row.power;
    entry.row.observed = row.observed;
    entry.freshness = Freshness::Live;
    if let Some(power) = row.power.filter(|power| *power != entry.row.live.power) {
        entry.row.live.power = power;
        entry.row.live.usage = without_run(&entry.row.live.usage);
        entry.addresses_read = None;
    }
}

/// The figures that only a running container has, taken out.
pub(super) fn without_run(usage: &Usage) -> Usage {
    Usage { cpu: None, memory: None, swap: None, uptime: None, ..usage.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::merge::{Delta, merge};
    use crate::inventory::sample::Sample;
    use crate::inventory::tests::{row, view};
    use crate::pve::Rows;

    #[test]
    fn marks_are_the_operations_and_the_newer_sight_counts() {
        let seen = ContainerRecord { observed: 20, ..row(104) };
        let mut view = view(vec![seen.clone()]);
        let stored = ContainerRecord {
            attention: Some("op".into()),
            node: "pve2".into(),
            observed: 10,
            ..seen.clone()
        };
        take_over(&mut view, vec![stored.clone()], &HashSet::new(), &mut Unwritten::default());
        let entry = &view.containers[&104].row;
        assert_eq!((entry.attention.as_deref(), entry.node.as_str()), (Some("op"), "pve1"));
        let stored = ContainerRecord { observed: 30, ..stored };
        take_over(&mut view, vec![stored], &HashSet::new(), &mut Unwritten::default());
        assert_eq!(view.containers[&104].row.node, "pve2");
    }

    #[test]
    fn a_round_that_began_before_does_not_deny_it() {
        let sample = |at| Sample {
            at,
            nodes: Ok(vec![view(Vec::new()).nodes["pve1"].node.clone()]),
            resources: Ok(Rows::default()),
            lists: [("pve1".to_owned(), Ok(Rows::default()))].into(),
        };
        let mut view = view(Vec::new());
        silent(&mut view, "pve1", "no route to host", 20);
        let after = |at| merge(&view, &sample(at), &HashSet::new(), None).0.nodes["pve1"].trouble.clone();
        assert_eq!(after(10).map(|trouble| trouble.why).as_deref(), Some("no route to host"));
        assert_eq!(after(30), None);
    }

    #[test]
    fn only_a_closed_record_goes() {
        let (old, new) = (row(104), row(105));
        let mut view = view(vec![old.clone(), new.clone()]);
        take_over(&mut view, Vec::new(), &HashSet::from([old.id]), &mut Unwritten::default());
        assert_eq!(view.containers.keys().copied().collect::<Vec<_>>(), [105], "one not written yet stays");
    }

    #[test]
    fn the_record_of_another_counts_unless_its_end_is_on_the_way() {
        let (ours, theirs) = (row(104), row(104));
        let mut unwritten = Unwritten::default();
        unwritten.add(Delta { rows: vec![ours.clone()], ..Delta::default() });
        let mut picture = view(vec![ours.clone()]);
        take_over(&mut picture, vec![theirs.clone()], &HashSet::new(), &mut unwritten);
        assert_eq!(picture.containers[&104].row.id, theirs.id);
        assert!(unwritten.is_empty(), "ours is not written any more");

        let mut ending = Unwritten::default();
        ending.add(Delta { rows: vec![ours.clone()], closed: vec![theirs.id], ..Delta::default() });
        let mut picture = view(vec![ours.clone()]);
        take_over(&mut picture, vec![theirs], &HashSet::new(), &mut ending);
        assert_eq!(picture.containers[&104].row.id, ours.id);
        assert_eq!(ending.due().0.len(), 1);
    }
}

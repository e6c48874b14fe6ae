//! What was seen and is not in the store yet. Pure: a failed write loses nothing, a later observation takes
//! the place of an earlier one. Must not write.

use lxc_core::record::{ContainerRecord, NewEvent};
use std::collections::BTreeMap;

use lxc_core::ids::ContainerId;

use super::merge::Delta;

/// Events that are kept for a store that does not take them; then the oldest are forgotten.
const MOST_EVENTS: usize = 10_000;

/// Of one installation.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Unwritten {
    rows: BTreeMap<ContainerId, ContainerRecord>,
    closed: Vec<ContainerId>,
    events: Vec<NewEvent>,
}

impl Unwritten {
    pub(super) fn add(&mut self, delta: Delta) {
        for id in delta.closed {
            // One that was never written need not be closed, and must not be opened beside its successor.
            self.rows.remove(&id);
            self.closed.push(id);
        }
        self.rows.extend(delta.rows.into_iter().map(|row| (row.id, row)));
        self.events.extend(delta.events);
        let over = self.events.len().saturating_sub(MOST_EVENTS);
        self.events.drain(..over);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.closed.is_empty() && self.events.is_empty()
    }

    /// A copy of everything that is to be written: rows, ends, events.
    pub(super) fn due(&self) -> (Vec<ContainerRecord>, Vec<ContainerId>, Vec<NewEvent>) {
        (self.rows.values().cloned().collect(), self.closed.clone(), self.events.clone())
    }

    pub(super) fn closed(&self) -> &[ContainerId] {
        &self.closed
    }

    /// Another record of the same container counts.
    pub(super) fn forget(&mut self, id: ContainerId) {
        self.rows.remove(&id);
    }

    /// Takes out what was written; what has come since stays.
    pub(super) fn written(&mut self, rows: &[ContainerRecord], closed: &[ContainerId], events: usize) {
        for row in rows {
            if self.rows.get(&row.id) == Some(row) {
                self.rows.remove(&row.id);
            }
        }
        self.closed.retain(|id| !closed.contains(id));
        self.events.drain(..events.min(self.events.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::row;

    #[test]
    fn what_comes_while_a_write_is_under_way_stays() {
        let (old, other) = (row(104), row(105));
        let mut unwritten = Unwritten::default();
        unwritten.add(Delta { rows: vec![old.clone(), other], ..Delta::default() });
        let (rows, closed, events) = unwritten.due();
        let newer = ContainerRecord { name: Some("new".into()), ..old };
        unwritten.add(Delta { rows: vec![newer.clone()], ..Delta::default() });
        unwritten.written(&rows, &closed, events.len());
        assert_eq!(unwritten.due().0, [newer]);
    }

    #[test]
    fn one_that_was_never_written_is_not_opened_beside_its_successor() {
        let (old, new) = (row(104), row(104));
        let mut unwritten = Unwritten::default();
        unwritten.add(Delta { rows: vec![old.clone()], ..Delta::default() });
        unwritten.add(Delta { rows: vec![new.clone()], closed: vec![old.id], ..Delta::default() });
        assert_eq!(unwritten.due().0, [new]);
    }
}

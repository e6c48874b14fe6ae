//! The config file lock of each container.
//!
//! Owns who holds `/run/lock/lxc/pve-config-N.lock` and who waits for it, first come, first served.

use std::collections::{HashMap, VecDeque};

use super::{TaskId, Vmid};
use crate::pvesim::clock::Ms;

/// How long anything waits for a lock before it gives up.
pub const PATIENCE_MS: Ms = 10_000;

#[derive(Debug, Default)]
struct Lock {
    holder: Option<TaskId>,
    waiters: VecDeque<TaskId>,
}

/// All config file locks.
#[derive(Debug, Default)]
pub(super) struct Locks {
    by_vmid: HashMap<Vmid, Lock>,
}

impl Locks {
    /// Takes the lock or joins the queue; true if taken.
    pub(super) fn acquire(&mut self, vmid: Vmid, task: TaskId) -> bool {
        let lock = self.by_vmid.entry(vmid).or_default();
        if lock.holder.is_none() {
            lock.holder = Some(task);
            return true;
        }
        lock.waiters.push_back(task);
        false
    }

    /// Leaves the queue, or gives the lock to the next waiter, which is returned.
    pub(super) fn release(&mut self, vmid: Vmid, task: TaskId) -> Option<TaskId> {
        let lock = self.by_vmid.get_mut(&vmid)?;
        if lock.holder != Some(task) {
            lock.waiters.retain(|w| *w != task);
            return None;
        }
        lock.holder = lock.waiters.pop_front();
        let next = lock.holder;
        if next.is_none() {
            self.by_vmid.remove(&vmid);
        }
        next
    }

    /// Who holds the lock of a container.
    #[must_use]
    pub(super) fn holder(&self, vmid: Vmid) -> Option<TaskId> {
        self.by_vmid.get(&vmid).and_then(|lock| lock.holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiters_are_served_in_order() {
        let mut locks = Locks::default();
        assert!(locks.acquire(104, 1));
        assert!(!locks.acquire(104, 2));
        assert!(!locks.acquire(104, 3));
        assert_eq!(locks.release(104, 2), None, "leaves the queue");
        assert_eq!(locks.release(104, 1), Some(3));
        assert_eq!(locks.release(104, 3), None);
        assert_eq!(locks.holder(104), None);
    }
}

//! The queue of what will happen.
//!
//! Owns order: by time, then by insertion. Must not know what an event does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{TaskId, Vmid};
use crate::pvesim::clock::Ms;

/// Something that will happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A task takes its next step, unless it was interrupted since.
    Step {
        /// Which one.
        task: TaskId,
        /// Its turn when this was scheduled.
        turn: u32,
    },
    /// A task has waited long enough for a config lock.
    LockTimeout {
        /// Which one.
        task: TaskId,
        /// Its turn when this was scheduled.
        turn: u32,
    },
    /// An interrupted worker is killed.
    Kill(TaskId),
    /// HA acts on a request.
    HaAct {
        /// The service's container.
        vmid: Vmid,
        /// The request's turn.
        turn: u64,
    },
    /// HA resets a node that has been lost for too long.
    Fence {
        /// Which one.
        node: usize,
        /// Since when it is lost; it may have come back meanwhile.
        since: Ms,
    },
    /// HA takes the services of a fenced node elsewhere.
    Recover(usize),
    /// A node comes back.
    NodeUp(usize),
}

/// Events by time.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(Ms, u64, Event)>>,
    next: u64,
}

impl Queue {
    /// Lets `event` happen at `t`.
    pub(super) fn push(&mut self, t: Ms, event: Event) {
        self.heap.push(Reverse((t, self.next, event)));
        self.next += 1;
    }

    /// The next event due by `t`.
    pub(super) fn pop_due(&mut self, t: Ms) -> Option<(Ms, Event)> {
        let due = self.heap.peek().is_some_and(|Reverse((at, _, _))| *at <= t);
        due.then(|| self.heap.pop()).flatten().map(|Reverse((at, _, event))| (at, event))
    }
}

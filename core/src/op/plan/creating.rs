//! A container to be made: whose is what stands at its number, when the next number is tried, and what a making that
//! came to nothing means (ARCHITECTURE.md, rule 9). A container is ours iff it carries our marker.

use super::{CREATING, Change, Next, Seen, Turn};
use crate::op::kind::{Kind, StepKind};
use crate::op::outcome::Outcome;
use crate::op::step::{StepState, Watch};
use crate::op::words;
use crate::pve::{Refusal, RefusalKind, TaskExit};

impl Turn<'_> {
    /// Nothing is under way: may it be sent?
    pub(super) fn make(&self, seen: &Seen) -> Next {
        match seen {
            Seen::Absent => match self.kind.call(&self.op.kind, self.op.target.vmid, false) {
                Some(call) => {
                    Next::Dispatch { step: self.step, call, node: self.op.target.node.clone(), ha: false }
                }
                None => self.done("-", None),
            },
            _ if self.reached(seen) && self.op.if_needed && !self.op.touched() => {
                self.finish(Outcome::unchanged("already there"))
            }
            _ if self.reached(seen) => self.done("-", None),
            _ => self.unmade(seen, self.sent()),
        }
    }

    /// A dispatch of it is unresolved, or was: what the state says when no task can be found.
    pub(super) fn unmade(&self, seen: &Seen, sent: u32) -> Next {
        match seen {
            // What Proxmox still makes shows no marker: it may be ours, left behind by a worker that was killed.
            Seen::There { live, .. } if sent > 0 && live.lock.as_deref() == Some(CREATING) => {
                self.finish(Outcome::unknown(words::stuck(self.op)))
            }
            Seen::There { same: Some(true), .. } => self.finish(Outcome::unknown(words::stuck(self.op))),
            // Proxmox refuses to make a second one, so this one was there before our call, which had no effect.
            Seen::There { .. } | Seen::Vm => self.next_number(),
            Seen::Absent if sent < 2 => Next::Commit(Change::Again(self.step)),
            Seen::Absent => self.finish(Outcome::unknown(words::lost(self.op, StepKind::Create))),
        }
    }

    /// Proxmox says the number is taken. After a call without an answer it may be taken by that call.
    pub(super) fn exists(&self, sent: u32) -> Next {
        match &self.op.steps[self.step].state {
            StepState::Dispatching { dispatch, .. } if sent > 1 => self.lost(dispatch, sent),
            _ => self.next_number(),
        }
    }

    /// Tries the next number, where any would do.
    fn next_number(&self) -> Next {
        let any = matches!(&self.op.kind, Kind::Create { spec, .. } if spec.any_vmid);
        match self.facts.free_vmid {
            _ if !any => self.refuse(words::vmid_taken(self.op)),
            Some(vmid) => Next::Commit(Change::Renumbered { step: self.step, vmid }),
            None => Next::TakeVmid { above: self.op.target.vmid },
        }
    }

    /// Its task has ended, and it is not there as it should be.
    pub(super) fn not_made(
        &self,
        watch: &Watch,
        exit: &TaskExit,
        tail: &[String],
        seen: &Seen,
        busy: u32,
    ) -> Next {
        let locked = matches!(seen, Seen::There { live, .. } if live.lock.as_deref() == Some(CREATING));
        match exit {
            _ if locked => self.finish(Outcome::unknown(words::stuck(self.op))),
            TaskExit::Error(text) if Refusal::from_text(text).kind == RefusalKind::Exists => {
                self.next_number()
            }
            TaskExit::Error(text) => self.task_failed(watch, text, tail, seen, busy),
            TaskExit::Vanished(text) => self.fail(words::vanished(self.op, &watch.dispatch.node, text, seen)),
            TaskExit::Ok | TaskExit::Warnings(_) => match seen {
                Seen::Absent => self.fail(words::absent(self.op)),
                Seen::There { .. } | Seen::Vm => self.fail(words::replaced(self.op)),
            },
        }
    }

    fn sent(&self) -> u32 {
        match self.op.steps[self.step].state {
            StepState::Pending { sent, .. } => sent,
            _ => 1,
        }
    }
}

//! A call that was recorded: what its answer means, and where to look when there is none. Owns the way back
//! to Pending and the decision to send once more (ARCHITECTURE.md, rules 8 and 10).

use std::time::Duration;

use super::{Change, Next, Reply, Seen, Turn};
use crate::error::Error;
use crate::op::adopt::{Adoption, adopt};
use crate::op::kind::StepKind;
use crate::op::outcome::Outcome;
use crate::op::step::Dispatch;
use crate::op::words;
use crate::ports::PveError;
use crate::pve::{Refusal, RefusalKind};
use crate::timing::micros;

impl Turn<'_> {
    pub(super) fn dispatching(&self, dispatch: &Dispatch, busy: u32, sent: u32) -> Next {
        match &self.facts.reply {
            Some(Reply::Accepted(upid)) => {
                Next::Commit(Change::Watching { step: self.step, upid: upid.clone(), adopted: false })
            }
            Some(Reply::Held) => self.later(self.timing.look, false),
            Some(Reply::Error(PveError::Refused(refusal))) => self.refused(refusal, busy, sent),
            // Nothing has happened yet and nothing will: an answer to whoever waits. Between two steps the
            // operation holds on; the look before the next attempt tells when the node answers again.
            Some(Reply::Error(error @ PveError::NotDelivered(_)))
                if busy >= self.timing.busy_tries && !self.begun(sent) =>
            {
                self.finish(Outcome::refused(words::unreachable(self.op, error)))
            }
            Some(Reply::Error(PveError::NotDelivered(_))) => self.later(self.timing.trouble.0, true),
            Some(Reply::Error(error @ (PveError::Unauthorized(_) | PveError::Untrusted { .. }))) => {
                self.had_no_effect(words::unreachable(self.op, error), sent)
            }
            Some(Reply::Error(PveError::Lost(_) | PveError::Garbage(_))) | None => self.lost(dispatch, sent),
        }
    }

    /// A refused call had no effect: an answer, in Proxmox's words.
    fn refused(&self, refusal: &Refusal, busy: u32, sent: u32) -> Next {
        let op = self.op;
        match refusal.kind {
            RefusalKind::Exists if self.kind == StepKind::Create => self.exists(sent),
            RefusalKind::Busy if busy < self.timing.busy_tries => self.again_later(),
            RefusalKind::Locked(_) if op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) => {
                self.later(self.timing.look, false)
            }
            // The state changed between the look and the call: look again, and say what is true now.
            RefusalKind::AlreadyRunning | RefusalKind::NotRunning | RefusalKind::NoConfig if busy < 1 => {
                self.again_later()
            }
            _ => self.had_no_effect(words::refused(op, refusal), sent),
        }
    }

    /// Whether anything may have had an effect before this call.
    fn begun(&self, sent: u32) -> bool {
        sent > 1 || self.op.steps[..self.step].iter().any(|step| step.state.touched())
    }

    /// This call had none, and it was the last one.
    fn had_no_effect(&self, error: Error, sent: u32) -> Next {
        if self.begun(sent) { self.fail(error) } else { self.finish(Outcome::refused(error)) }
    }

    pub(super) fn again_later(&self) -> Next {
        let (least, most) = self.timing.busy_wait;
        self.later(least + (most - least).mul_f64(self.facts.jitter.clamp(0.0, 1.0)), true)
    }

    /// Back to Pending. What has a deadline of its own is not counted as `busy`.
    pub(super) fn later(&self, pause: Duration, busy: bool) -> Next {
        Next::Commit(Change::NotSent { step: self.step, not_before: self.in_(pause), busy })
    }

    /// No answer to tell by: look for the task.
    pub(super) fn lost(&self, dispatch: &Dispatch, sent: u32) -> Next {
        let elapsed =
            Duration::from_micros(u64::try_from(self.facts.now.saturating_sub(dispatch.at)).unwrap_or(0));
        let at = |point: Duration| dispatch.at.saturating_add(micros(point));
        let next = self.timing.next_adoption(elapsed);
        let list = |at| Next::List { call: dispatch.call.clone(), node: dispatch.node.clone(), at };
        let Some(listed) = &self.facts.listed else {
            // After the schedule, once and at once: a daemon that was away for long still looks.
            return list(next.map_or(self.facts.now, at));
        };
        match adopt(dispatch, self.op.target.vmid, listed, &self.facts.taken) {
            Adoption::One(upid) => Next::Commit(Change::Watching { step: self.step, upid, adopted: true }),
            // Which of them is ours nobody can tell, and one that never ends must not hold the container for ever.
            Adoption::Many { all_ended: false }
                if self.op.abandon || elapsed >= self.timing.attention_after =>
            {
                self.finish(Outcome::unknown(words::lost(self.op, self.kind)))
            }
            Adoption::Many { all_ended: false } => {
                list(next.map_or_else(|| self.in_(self.timing.trouble.0 * 10), at))
            }
            Adoption::None if next.is_some() => list(next.map_or(self.facts.now, at)),
            Adoption::Many { all_ended: true } | Adoption::None => self.decide_by_state(dispatch, sent),
        }
    }

    /// No task to be found: the state of the container, or of the image, decides.
    fn decide_by_state(&self, dispatch: &Dispatch, sent: u32) -> Next {
        if let Some(download) = self.download() {
            return self.unfetched(download, dispatch, sent);
        }
        match &self.facts.seen {
            Some(seen) => self.by_state(seen, dispatch, sent, false),
            None => Next::Look { config: true, ha: true },
        }
    }

    /// The same, of a state that may have been read on another node, while the one of the dispatch is silent.
    pub(super) fn by_state(&self, seen: &Seen, dispatch: &Dispatch, sent: u32, silent: bool) -> Next {
        if self.settled(seen) && !matches!(seen, Seen::There { same: Some(false), .. }) {
            let gone = silent && matches!(seen, Seen::Absent);
            return self.done("-", gone.then(|| words::left_behind(self.op, &dispatch.node, seen)));
        }
        let elapsed = self.facts.now.saturating_sub(dispatch.at);
        match seen {
            _ if self.kind == StepKind::Create => self.unmade(seen, sent),
            Seen::There { same: Some(false), .. } => self.fail(words::replaced(self.op)),
            Seen::Absent => self.fail(words::absent(self.op)),
            Seen::Vm => self.fail(words::is_vm(self.op)),
            // HA is about to start what should stand still: then it can be asked to stop it.
            Seen::There { .. } if self.reached(seen) => {
                if self.op.abandon || elapsed >= micros(self.timing.attention_after) {
                    return self.finish(Outcome::unknown(words::lost(self.op, self.kind)));
                }
                Next::Wait { until: self.in_(self.timing.look) }
            }
            // Every verb so far is repeat-safe on the same incarnation, once.
            Seen::There { .. } if sent < 2 => Next::Commit(Change::Again(self.step)),
            Seen::There { .. } => self.finish(Outcome::unknown(words::lost(self.op, self.kind))),
        }
    }
}

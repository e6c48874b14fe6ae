//! A node that does not answer, and a container that is somewhere else by now: how long to hold on, when to look
//! past the node, what is decided where the container is (docs/adr/0008). Must not do the looking.

use std::time::Duration;

use super::{Change, Found, Next, Seen, Turn};
use crate::ids::Micros;
use crate::op::kind::{Goal, StepKind};
use crate::op::outcome::Outcome;
use crate::op::step::StepState;
use crate::op::words;
use crate::ports::{JobError, PveError};
use crate::pve::{Power, TaskExit};
use crate::timing::micros;

impl Turn<'_> {
    /// It reached its goal, and HA does not undo that by itself: a service that is down may be one that HA is
    /// about to start (again), here or on another node.
    pub(super) fn settled(&self, seen: &Seen) -> bool {
        let coming = matches!(seen, Seen::There { live, .. }
            if self.kind.goal() == Goal::Power(Power::Stopped)
                && live.ha.as_ref().is_some_and(|ha| !ha.leaves_it_down()));
        self.reached(seen) && !coming
    }

    /// Where it is now is written down before anything is made of it, once something was sent: the record of
    /// the container, the node's slots and every later look go by it. An orderly move is nothing to warn of.
    pub(super) fn moved(&self, seen: &Seen) -> Option<Next> {
        match seen {
            Seen::There { node, live, same, .. }
                if *same != Some(false) && *node != self.op.target.node && self.op.touched() =>
            {
                let op = self.op;
                let left = op.degraded_since.is_some();
                let warning = left.then(|| words::taken(op, &op.target.node, node, live));
                Some(Next::Commit(Change::Moved { node: node.clone(), warning }))
            }
            _ => None,
        }
    }

    /// The node of a call in doubt that cannot be asked about it. A look finds its way by itself; of a download nothing is
    /// to be seen on any other node.
    fn silent(&self, trouble: &PveError) -> Option<&str> {
        let unreachable = matches!(trouble, PveError::NotDelivered(_) | PveError::Lost(_));
        if self.kind.goal() == Goal::Image {
            return None;
        }
        match &self.op.steps[self.step].state {
            StepState::Dispatching { dispatch, .. } if unreachable => Some(&dispatch.node),
            StepState::Watching { watch, .. } if unreachable => Some(&watch.dispatch.node),
            _ => None,
        }
    }

    /// The container has left the node that does not answer (docs/adr/0008): its task there is over, however it
    /// went, and what it did is read where the container is.
    fn elsewhere(&self, seen: &Seen) -> Next {
        if let Some(moved) = self.moved(seen) {
            return moved;
        }
        match &self.op.steps[self.step].state {
            StepState::Dispatching { dispatch, sent, .. } => self.by_state(seen, dispatch, *sent, true),
            _ => Next::Commit(Change::TaskEnded {
                step: self.step,
                exit: TaskExit::Vanished(TaskExit::NO_ANSWER.to_owned()),
                log: Vec::new(),
            }),
        }
    }

    /// Proxmox could not be asked. Before anything was sent that is an answer to the caller; afterwards
    /// the operation holds on, `degraded`, for as long as it may, or until its container is found elsewhere.
    pub(super) fn trouble(&self, trouble: &PveError) -> Next {
        let op = self.op;
        if !op.touched() {
            return self.refuse(words::unreachable(op, trouble));
        }
        let Some(since) = op.degraded_since else {
            return Next::Commit(Change::Degraded(format!("Proxmox: {trouble}")));
        };
        if op.abandon {
            return self.give_up(trouble);
        }
        let lasted = self.facts.now.saturating_sub(since);
        // Before it is given up, too: this daemon may have been away for longer than that.
        match (&self.facts.found, self.silent(trouble)) {
            (Some(Found::Elsewhere(seen)), Some(_)) => return self.elsewhere(seen),
            (None, Some(silent)) if lasted >= micros(self.timing.elsewhere) => {
                return Next::Search { silent: silent.to_owned() };
            }
            _ => {}
        }
        if lasted >= micros(self.timing.attention_after) {
            self.give_up(trouble)
        } else {
            self.hold_on(since)
        }
    }

    /// Nobody waits for its node any longer. Where no more than an image was asked for there is nothing that anybody has to
    /// look after.
    fn give_up(&self, trouble: &PveError) -> Next {
        let op = self.op;
        let asked = op.steps.iter().any(|step| step.kind != StepKind::Download && step.state.touched());
        match op.kind.download() {
            Some(_) if !asked && op.abandon => self
                .finish(Outcome::cancelled("its node did not answer; at most an image was asked for", true)),
            Some(_) if !asked => self.fail(words::unreachable(op, trouble)),
            _ => self.finish(Outcome::unknown(words::gave_up(op))),
        }
    }

    /// A job that may have begun cannot be asked about. Whatever the reason, it may go on, and must not run again: so does
    /// the operation, until somebody mends that.
    pub(super) fn unreached(&self, error: &JobError) -> Next {
        let op = self.op;
        let Some(since) = op.degraded_since else {
            return Next::Commit(Change::Degraded(format!("SSH: {error}")));
        };
        if op.abandon || self.facts.now.saturating_sub(since) >= micros(self.timing.attention_after) {
            return self.finish(Outcome::unknown(words::gave_up(op)));
        }
        self.hold_on(since)
    }

    /// Waits, the longer the longer it has lasted.
    fn hold_on(&self, since: Micros) -> Next {
        let lasted = self.facts.now.saturating_sub(since);
        let (first, longest) = self.timing.trouble;
        let pause = Duration::from_micros(u64::try_from(lasted).unwrap_or(0)).clamp(first, longest);
        Next::Wait { until: self.in_(pause) }
    }
}

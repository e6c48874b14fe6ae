//! A step that is not under way: may it be sent, must it be refused, is it true already? Owns the checks of
//! the live state before a call (ARCHITECTURE.md, rule 7a).

use super::{Next, Seen, Turn};
use crate::ids::Micros;
use crate::op::kind::{Kind, StepKind};
use crate::op::outcome::Outcome;
use crate::op::words;
use crate::pve::{Config, Ha, Live, Power};

impl Turn<'_> {
    pub(super) fn pending(&self, not_before: Option<Micros>) -> Next {
        let op = self.op;
        if op.cancel {
            let touched = op.touched();
            return self.finish(Outcome::cancelled(
                if touched { "between two steps" } else { "before anything was sent" },
                touched,
            ));
        }
        if self.kind == StepKind::Forget {
            return self.done("-", None);
        }
        if let Some(until) = not_before.filter(|until| *until > self.facts.now) {
            return Next::Wait { until };
        }
        if let Some(download) = self.download() {
            return self.held().unwrap_or_else(|| self.fetch(download));
        }
        let Some(seen) = &self.facts.seen else {
            return match self.follows_at_once() {
                Some(working) => Next::Commit(working),
                None => Next::Look { config: true, ha: true },
            };
        };
        if let Some(held) = self.held() {
            return held;
        }
        if self.kind == StepKind::Create {
            return self.make(seen);
        }
        let (node, live, same, config) = match seen {
            Seen::Absent if self.reached(seen) => return self.gone_already(),
            Seen::Absent => return self.refuse(words::absent(op)),
            Seen::Vm => return self.refuse(words::is_vm(op)),
            Seen::There { node, live, same, config } => (node, live, *same, config),
        };
        if same == Some(false) {
            return self.refuse(words::replaced(op));
        }
        if let StepKind::Part(_) = self.kind {
            return self.begin_work(node, live);
        }
        if self.reached(seen) {
            return self.reached_already(live, node);
        }
        if let Some(lock) = live.lock.as_deref().filter(|lock| *lock != "mounted") {
            if op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) {
                return Next::Wait { until: self.in_(self.timing.look) };
            }
            return self.refuse(words::pve_locked(op, lock));
        }
        if self.kind == StepKind::Start && config.as_ref().is_some_and(Config::template) {
            return self.refuse(words::template(op));
        }
        if self.kind == StepKind::Delete && config.as_ref().is_some_and(Config::protected) {
            return self.refuse(words::protected(op));
        }
        let ha = live.ha.is_some();
        if self.kind != StepKind::Delete && live.ha.as_ref().is_some_and(Ha::failed) {
            return self.refuse(words::ha_error(op));
        }
        match self.kind.call(&op.kind, op.target.vmid, ha) {
            Some(call) => Next::Dispatch { step: self.step, call, node: node.clone(), ha },
            None => self.done("-", None),
        }
    }

    /// Somebody else's script holds the key of the container: wait for it, or be refused.
    fn held(&self) -> Option<Next> {
        let (value, left) = self.facts.held.as_ref()?;
        if self.op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) {
            return Some(Next::Wait { until: self.in_(self.timing.look) });
        }
        Some(self.refuse(words::foreign_locked(self.op, value, *left)))
    }

    /// Delete of what Proxmox no longer has.
    fn gone_already(&self) -> Next {
        if self.op.if_needed && !self.op.touched() {
            return self.finish(Outcome::unchanged("already gone"));
        }
        self.done("-", None)
    }

    /// The goal of a step is true before it was sent (or sent again).
    fn reached_already(&self, live: &Live, node: &str) -> Next {
        let op = self.op;
        // A restart of a stopped container is a start.
        let skippable = matches!(op.kind, Kind::Restart { .. }) && self.kind == StepKind::Shutdown;
        if op.touched() || skippable {
            return self.done("-", None);
        }
        let error = words::already(op, live, node);
        if op.if_needed {
            return self.finish(Outcome::unchanged(match live.power {
                Power::Running => "already running",
                Power::Stopped => "already stopped",
            }));
        }
        self.finish(Outcome::refused(error))
    }
}

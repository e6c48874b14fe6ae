//! A task that runs, and one that has ended: when to look, when to abort, and what its ending means beside
//! the container's real state (ARCHITECTURE.md, rules 11, 12 and 14).

use super::{Change, Next, Seen, Turn};
use crate::error::{Code, Error};
use crate::ids::Micros;
use crate::op::change::grace_end;
use crate::op::kind::{Goal, StepKind};
use crate::op::outcome::Outcome;
use crate::op::state::Operation;
use crate::op::step::Watch;
use crate::op::words;
use crate::pve::{Ha, Refusal, RefusalKind, TaskExit};
use crate::timing::micros;

impl Turn<'_> {
    pub(super) fn watching(&self, watch: &Watch) -> Next {
        if let Some(page) = &self.facts.log {
            return Next::Commit(Change::Log { step: self.step, page: page.clone() });
        }
        if let Some((exit, log)) = &self.facts.ended {
            return Next::Commit(Change::TaskEnded { step: self.step, exit: exit.clone(), log: log.clone() });
        }
        if self.op.cancel && self.kind.can_be_cut_off() && !watch.stop_requested {
            return Next::StopTask { step: self.step, upid: watch.upid.clone() };
        }
        // While its node is silent there is nothing to see of it, and what is seen elsewhere is not its work.
        let open = watch.outlived_grace.is_none() && self.op.degraded_since.is_none();
        let grace_end = grace_end(&watch.dispatch, self.timing).filter(|_| open);
        let follow = |until| Next::Follow {
            upid: watch.upid.clone(),
            until,
            since: watch.dispatch.at,
            log_next: watch.log_next,
        };
        let Some(end) = grace_end.filter(|end| self.facts.now >= *end) else { return follow(grace_end) };
        let Some(seen) = &self.facts.seen else { return Next::Look { config: false, ha: true } };
        // Killing takes Proxmox most of a second. A look that comes later and finds it stopped cannot tell
        // whether it was killed: nobody looked.
        let late = self.facts.now > end.saturating_add(micros(self.timing.pve_second / 2));
        if late && self.reached(seen) {
            return follow(None);
        }
        Next::Commit(Change::GraceOver { step: self.step, outlived: !self.reached(seen) })
    }

    pub(super) fn verifying(
        &self,
        watch: &Watch,
        exit: &TaskExit,
        tail: &[String],
        ended: Micros,
        busy: u32,
    ) -> Next {
        if let Some(download) = self.download() {
            return self.fetched(download, watch, exit, tail);
        }
        let vanished = matches!(exit, TaskExit::Vanished(_));
        let Some(seen) = &self.facts.seen else {
            // Of a call that was not HA's, and ended well on a node that answered all the while, only the state counts.
            let well = matches!(exit, TaskExit::Ok | TaskExit::Warnings(_));
            let ha = !well || watch.dispatch.ha || self.op.degraded_since.is_some();
            // Where only the state can tell, it has to be the right container's.
            return Next::Look { config: vanished || self.kind == StepKind::Create, ha };
        };
        if vanished && matches!(seen, Seen::There { same: Some(false), .. }) {
            return self.fail(words::replaced(self.op));
        }
        let reached = self.reached(seen);
        let node = watch.dispatch.node.as_str();
        match exit {
            _ if self.kind == StepKind::Create && !reached => self.not_made(watch, exit, tail, seen, busy),
            TaskExit::Ok | TaskExit::Warnings(_) if reached => self.done(&exit.text(), warning(exit, tail)),
            TaskExit::Ok | TaskExit::Warnings(_) if watch.dispatch.ha => {
                self.await_ha(watch, seen, ended, words::ha_slow)
            }
            TaskExit::Ok | TaskExit::Warnings(_) => {
                let now = match seen {
                    Seen::There { live, .. } => live.power.as_str(),
                    Seen::Absent | Seen::Vm => "gone",
                };
                self.done(
                    &exit.text(),
                    Some(format!("Proxmox says OK, but {} is {now}", self.op.target.path())),
                )
            }
            TaskExit::Vanished(text) if self.settled(seen) => {
                let gone = exit.is_silence() && matches!(seen, Seen::Absent);
                self.done(text, gone.then(|| words::left_behind(self.op, node, seen)))
            }
            TaskExit::Vanished(_) if watch.stop_requested => {
                self.finish(Outcome::cancelled("its Proxmox task was aborted", true))
            }
            // What HA was asked for outlives the node that was asked, and what it looks after it starts again.
            TaskExit::Vanished(text) if self.kind.goal() != Goal::Gone && managed(seen) => {
                self.await_ha(watch, seen, ended, |op| words::vanished(op, node, text, seen))
            }
            TaskExit::Vanished(text) => self.fail(words::vanished(self.op, node, text, seen)),
            TaskExit::Error(text) => self.task_failed(watch, text, tail, seen, busy),
        }
    }

    pub(super) fn task_failed(
        &self,
        watch: &Watch,
        text: &str,
        tail: &[String],
        seen: &Seen,
        busy: u32,
    ) -> Next {
        let reached = self.reached(seen);
        let moved = matches!(seen, Seen::There { node, .. } if *node != watch.dispatch.node);
        let refusal = Refusal::from_text(text);
        let harmless = matches!(
            refusal.kind,
            RefusalKind::AlreadyRunning | RefusalKind::NotRunning | RefusalKind::NoConfig
        );
        match refusal.kind {
            _ if harmless && reached => self.done(text, None),
            // It left the node between the look and the task, which found nothing there to act on.
            _ if harmless && moved && busy < self.timing.busy_tries => self.again_later(),
            _ if watch.dispatch.ha && !reached && failed(seen) => self.fail(words::ha_error(self.op)),
            RefusalKind::Busy if busy < self.timing.busy_tries => self.again_later(),
            RefusalKind::Locked(_)
                if self.op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) =>
            {
                self.later(self.timing.look, false)
            }
            _ => {
                let mut error = words::refused(self.op, &refusal);
                if error.code == Code::TaskFailed {
                    // The last lines often hold the reason behind a generic ending.
                    let extra: Vec<&String> = tail
                        .iter()
                        .filter(|line| !line.contains(text) && !line.starts_with("TASK "))
                        .collect();
                    error
                        .why
                        .extend(extra[extra.len().saturating_sub(2)..].iter().map(|line| (*line).clone()));
                }
                self.fail(error)
            }
        }
    }

    /// Under HA the task is only the request: the manager acts later (docs/proxmox.md, HA).
    fn await_ha(
        &self,
        watch: &Watch,
        seen: &Seen,
        ended: Micros,
        late: impl FnOnce(&Operation) -> Error,
    ) -> Next {
        if failed(seen) {
            return self.fail(words::ha_error(self.op));
        }
        let grace = self.op.kind.grace().filter(|_| self.kind == StepKind::Shutdown);
        let allowed = grace.map_or(self.timing.ha, |(grace, _)| self.timing.pve(2 * grace + 35));
        let begin = watch.resumed.unwrap_or(ended).max(ended);
        if self.facts.now > begin.saturating_add(micros(allowed)) {
            return self.fail(late(self.op));
        }
        Next::Wait { until: self.in_(self.timing.look) }
    }
}

fn managed(seen: &Seen) -> bool {
    matches!(seen, Seen::There { live, .. } if live.ha.is_some())
}

fn failed(seen: &Seen) -> bool {
    matches!(seen, Seen::There { live, .. } if live.ha.as_ref().is_some_and(Ha::failed))
}

fn warning(exit: &TaskExit, tail: &[String]) -> Option<String> {
    let TaskExit::Warnings(count) = exit else { return None };
    let line =
        tail.iter().find_map(|line| line.strip_prefix("WARN: ").or_else(|| line.strip_prefix("WARNING: ")));
    Some(line.map_or_else(
        || format!("Proxmox ended with {count} warnings"),
        |line| format!("Proxmox warns: {line}"),
    ))
}

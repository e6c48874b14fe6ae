//! What comes next. [`plan`] is pure and total: an operation, what was learned in this turn and the time
//! in; one act out. Owns every decision of the engine; must not act, wait or know how facts are got.

use std::collections::HashSet;
use std::time::Duration;

use super::adopt::{Adoption, adopt};
use super::change::{Change, grace_end};
use super::kind::{Kind, StepKind};
use super::outcome::Outcome;
use super::state::{Dispatch, Operation, State, StepState, Watch};
use super::words;
use crate::error::Code;
use crate::ids::Micros;
use crate::ports::PveError;
use crate::pve::{Call, Config, Live, Power, Refusal, RefusalKind, TaskEntry, TaskExit, Upid};
use crate::timing::{Timing, micros};

/// The container, as seen a moment ago.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It is there.
    There {
        /// Node it is on now.
        node: String,
        /// Its live state.
        live: Box<Live>,
        /// Whether it is the incarnation that was meant; None where nobody compared.
        same: Option<bool>,
        /// Its config, where it was read.
        config: Option<Config>,
    },
    /// The installation answers without it.
    Absent,
    /// The vmid is a virtual machine's now.
    Vm,
}

/// The answer to a dispatch of this very turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A task was made.
    Accepted(Upid),
    /// No answer, or none that tells.
    Error(PveError),
}

/// What this turn has learned. Emptied after each change.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Our clock.
    pub now: Micros,
    /// 0..1, for jitter.
    pub jitter: f64,
    /// The container.
    pub seen: Option<Seen>,
    /// The answer to our call; None after a crash.
    pub reply: Option<Reply>,
    /// The task list, and when it was asked for.
    pub listed: Option<Vec<TaskEntry>>,
    /// UPIDs of other operations.
    pub taken: HashSet<Upid>,
    /// The watched task has ended.
    pub ended: Option<(TaskExit, Vec<String>)>,
    /// The node answers, though there is nothing new; told only where that was in doubt.
    pub answered: bool,
    /// Proxmox could not be asked just now.
    pub trouble: Option<PveError>,
}

/// The one act that is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Read the live state; the config too when `config`.
    Look {
        /// Also read the config and compare incarnations.
        config: bool,
    },
    /// Record the dispatch, send the call once, learn the answer.
    Dispatch {
        /// Which step.
        step: usize,
        /// What.
        call: Call,
        /// Where.
        node: String,
        /// HA manages the container.
        ha: bool,
    },
    /// List the tasks of the container on that node at that time, for adoption.
    List {
        /// The node of the dispatch.
        node: String,
        /// Not before.
        at: Micros,
    },
    /// Follow the task until it ends, or until then.
    Follow {
        /// The task.
        upid: Upid,
        /// Come back at this time in any case.
        until: Option<Micros>,
        /// What of it cost us before counts: when it was dispatched.
        since: Micros,
    },
    /// Ask Proxmox to abort the task; then record that.
    StopTask {
        /// Which step.
        step: usize,
        /// The task.
        upid: Upid,
    },
    /// Commit this.
    Commit(Change),
    /// Nothing to do until then; what was learned is stale by then.
    Wait {
        /// When to go on.
        until: Micros,
    },
    /// Nothing to do at all.
    Idle,
}

/// Decides.
#[must_use]
pub fn plan(op: &Operation, facts: &Facts, timing: &Timing) -> Next {
    if op.state != State::Running {
        return Next::Idle;
    }
    let Some(step) = op.current_step() else {
        return Next::Commit(Change::Finish(success(op)));
    };
    let turn = Turn { op, step, kind: op.steps[step].kind, facts, timing };
    if let Some(trouble) = &facts.trouble {
        return turn.trouble(trouble);
    }
    if op.degraded_since.is_some() && turn.has_learned() {
        return Next::Commit(Change::Recovered);
    }
    match &op.steps[step].state {
        StepState::Pending { not_before, .. } => turn.pending(*not_before),
        StepState::Dispatching { dispatch, busy, sent } => turn.dispatching(dispatch, *busy, *sent),
        StepState::Watching { watch, .. } => turn.watching(watch),
        StepState::Verifying { watch, exit, tail, ended, busy, .. } => {
            turn.verifying(watch, exit, tail, *ended, *busy)
        }
        // current_step() skips done ones; a failed or unknown one ends the operation in the same commit.
        StepState::Done { .. } | StepState::Failed { .. } | StepState::Unknown { .. } => Next::Idle,
    }
}

fn success(op: &Operation) -> Outcome {
    let mut outcome = Outcome::done();
    outcome.warnings.clone_from(&op.warnings);
    outcome.how = op.steps.iter().find_map(|step| match step.state {
        StepState::Done { how, .. } => how,
        _ => None,
    });
    outcome
}

/// Borrowed once, so that the decisions below read as sentences.
struct Turn<'a> {
    op: &'a Operation,
    step: usize,
    kind: StepKind,
    facts: &'a Facts,
    timing: &'a Timing,
}

impl Turn<'_> {
    fn finish(&self, outcome: Outcome) -> Next {
        Next::Commit(Change::Finish(outcome))
    }

    fn fail(&self, error: crate::error::Error) -> Next {
        self.finish(Outcome::failed(error, self.op.touched()))
    }

    fn refuse(&self, error: crate::error::Error) -> Next {
        if self.op.touched() { self.fail(error) } else { self.finish(Outcome::refused(error)) }
    }

    fn done(&self, exit: &str, warning: Option<String>) -> Next {
        Next::Commit(Change::StepDone { step: self.step, exit: exit.to_owned(), warning })
    }

    fn has_learned(&self) -> bool {
        let facts = self.facts;
        facts.answered
            || facts.seen.is_some()
            || facts.listed.is_some()
            || facts.ended.is_some()
            || facts.reply.is_some()
    }

    fn in_(&self, duration: Duration) -> Micros {
        self.facts.now.saturating_add(micros(duration))
    }

    fn reached(&self, seen: &Seen) -> bool {
        match (seen, self.kind.goal()) {
            (Seen::Absent, None) => true,
            (Seen::There { live, .. }, Some(goal)) => live.power == goal,
            _ => false,
        }
    }

    /// Proxmox could not be asked. Before anything was sent that is an answer to the caller; afterwards
    /// the operation holds on, `degraded`, for as long as it may.
    fn trouble(&self, trouble: &PveError) -> Next {
        let op = self.op;
        if !op.touched() {
            return self.refuse(words::unreachable(op, trouble));
        }
        let Some(since) = op.degraded_since else {
            return Next::Commit(Change::Degraded(trouble.to_string()));
        };
        let lasted = self.facts.now.saturating_sub(since);
        if op.abandon || lasted >= micros(self.timing.attention_after) {
            return self.finish(Outcome::unknown(words::gave_up(op)));
        }
        let (first, longest) = self.timing.trouble;
        let pause = Duration::from_micros(u64::try_from(lasted).unwrap_or(0)).clamp(first, longest);
        Next::Wait { until: self.in_(pause) }
    }

    fn pending(&self, not_before: Option<Micros>) -> Next {
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
        let Some(seen) = &self.facts.seen else {
            return Next::Look { config: true };
        };
        let (node, live, same, config) = match seen {
            Seen::Absent if self.reached(seen) => return self.gone_already(),
            Seen::Absent => return self.refuse(words::absent(op)),
            Seen::Vm => return self.refuse(words::is_vm(op)),
            Seen::There { node, live, same, config } => (node, live, *same, config),
        };
        if same == Some(false) {
            return self.refuse(words::replaced(op));
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
        if self.kind != StepKind::Delete && live.ha.as_ref().is_some_and(|ha| ha.state == "error") {
            return self.refuse(words::ha_error(op));
        }
        match self.kind.call(&op.kind, ha) {
            Some(call) => Next::Dispatch { step: self.step, call, node: node.clone(), ha },
            None => self.done("-", None),
        }
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

    fn dispatching(&self, dispatch: &Dispatch, busy: u32, sent: u32) -> Next {
        match &self.facts.reply {
            Some(Reply::Accepted(upid)) => {
                Next::Commit(Change::Watching { step: self.step, upid: upid.clone(), adopted: false })
            }
            Some(Reply::Error(PveError::Refused(refusal))) => self.refused(refusal, busy, sent),
            Some(Reply::Error(PveError::NotDelivered(_))) => Next::Commit(Change::NotSent {
                step: self.step,
                not_before: self.in_(self.timing.trouble.0),
                busy: false,
            }),
            Some(Reply::Error(error @ (PveError::Unauthorized(_) | PveError::Untrusted { .. }))) => {
                self.fail(words::unreachable(self.op, error))
            }
            Some(Reply::Error(PveError::Lost(_) | PveError::Garbage(_))) | None => self.lost(dispatch, sent),
        }
    }

    /// A refused call had no effect: an answer, in Proxmox's words.
    fn refused(&self, refusal: &Refusal, busy: u32, sent: u32) -> Next {
        let op = self.op;
        match refusal.kind {
            RefusalKind::Busy if busy < self.timing.busy_tries => self.again_later(),
            RefusalKind::Locked(_) if op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) => {
                self.later(self.timing.look)
            }
            // The state changed between the look and the call: look again, and say what is true now.
            RefusalKind::AlreadyRunning | RefusalKind::NotRunning | RefusalKind::NoConfig if busy < 1 => {
                self.again_later()
            }
            _ => {
                let error = words::refused(op, refusal);
                let begun = sent > 1 || op.steps[..self.step].iter().any(|step| step.state.touched());
                if begun { self.fail(error) } else { self.finish(Outcome::refused(error)) }
            }
        }
    }

    fn again_later(&self) -> Next {
        let (least, most) = self.timing.busy_wait;
        self.later(least + (most - least).mul_f64(self.facts.jitter.clamp(0.0, 1.0)))
    }

    fn later(&self, pause: Duration) -> Next {
        Next::Commit(Change::NotSent { step: self.step, not_before: self.in_(pause), busy: true })
    }

    /// No answer to tell by: look for the task.
    fn lost(&self, dispatch: &Dispatch, sent: u32) -> Next {
        let elapsed =
            Duration::from_micros(u64::try_from(self.facts.now.saturating_sub(dispatch.at)).unwrap_or(0));
        let at = |point: Duration| dispatch.at.saturating_add(micros(point));
        let next = self.timing.next_adoption(elapsed);
        let list = |at| Next::List { node: dispatch.node.clone(), at };
        let Some(listed) = &self.facts.listed else {
            // After the schedule, once and at once: a daemon that was away for long still looks.
            return list(next.map_or(self.facts.now, at));
        };
        match adopt(dispatch, self.op.target.vmid, listed, &self.facts.taken) {
            Adoption::One(upid) => Next::Commit(Change::Watching { step: self.step, upid, adopted: true }),
            Adoption::Many { all_ended: false } => {
                list(next.map_or_else(|| self.in_(self.timing.trouble.0 * 10), at))
            }
            Adoption::None if next.is_some() => list(next.map_or(self.facts.now, at)),
            Adoption::Many { all_ended: true } | Adoption::None => self.decide_by_state(sent),
        }
    }

    /// No task to be found: the container's state decides.
    fn decide_by_state(&self, sent: u32) -> Next {
        let Some(seen) = &self.facts.seen else {
            return Next::Look { config: true };
        };
        if self.reached(seen) {
            return self.done("-", None);
        }
        match seen {
            Seen::There { same: Some(false), .. } => self.fail(words::replaced(self.op)),
            Seen::Absent => self.fail(words::absent(self.op)),
            Seen::Vm => self.fail(words::is_vm(self.op)),
            // Every verb so far is repeat-safe on the same incarnation, once.
            Seen::There { .. } if sent < 2 => Next::Commit(Change::Again(self.step)),
            Seen::There { .. } => self.finish(Outcome::unknown(words::lost(self.op, self.kind))),
        }
    }

    fn watching(&self, watch: &Watch) -> Next {
        if let Some((exit, tail)) = &self.facts.ended {
            return Next::Commit(Change::TaskEnded {
                step: self.step,
                exit: exit.clone(),
                tail: tail.clone(),
            });
        }
        if self.op.cancel && self.kind.can_be_cut_off() && !watch.stop_requested {
            return Next::StopTask { step: self.step, upid: watch.upid.clone() };
        }
        let grace_end = grace_end(&watch.dispatch, self.timing).filter(|_| watch.outlived_grace.is_none());
        match (grace_end, &self.facts.seen) {
            (Some(end), None) if self.facts.now >= end => Next::Look { config: false },
            (Some(end), Some(seen)) if self.facts.now >= end => {
                Next::Commit(Change::GraceOver { step: self.step, outlived: !self.reached(seen) })
            }
            (until, _) => Next::Follow { upid: watch.upid.clone(), until, since: watch.dispatch.at },
        }
    }

    fn verifying(&self, watch: &Watch, exit: &TaskExit, tail: &[String], ended: Micros, busy: u32) -> Next {
        let Some(seen) = &self.facts.seen else {
            return Next::Look { config: false };
        };
        let reached = self.reached(seen);
        match exit {
            TaskExit::Ok | TaskExit::Warnings(_) if reached => self.done(&exit.text(), warning(exit, tail)),
            TaskExit::Ok | TaskExit::Warnings(_) if watch.dispatch.ha => self.await_ha(seen, ended),
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
            TaskExit::Vanished(text) if reached => self.done(text, None),
            TaskExit::Vanished(_) if watch.stop_requested => {
                self.finish(Outcome::cancelled("its Proxmox task was aborted", true))
            }
            TaskExit::Vanished(text) => self.fail(words::vanished(self.op, text)),
            TaskExit::Error(text) => self.task_failed(text, tail, reached, busy),
        }
    }

    fn task_failed(&self, text: &str, tail: &[String], reached: bool, busy: u32) -> Next {
        let refusal = Refusal::from_text(text);
        let harmless = matches!(
            refusal.kind,
            RefusalKind::AlreadyRunning | RefusalKind::NotRunning | RefusalKind::NoConfig
        );
        match refusal.kind {
            _ if harmless && reached => self.done(text, None),
            RefusalKind::Busy if busy < self.timing.busy_tries => self.again_later(),
            RefusalKind::Locked(_)
                if self.op.lock_deadline.is_some_and(|deadline| self.facts.now < deadline) =>
            {
                self.later(self.timing.look)
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

    /// Under HA the task is only the request: the manager acts later (PVE.md, HA).
    fn await_ha(&self, seen: &Seen, ended: Micros) -> Next {
        if let Seen::There { live, .. } = seen
            && live.ha.as_ref().is_some_and(|ha| ha.state == "error")
        {
            return self.fail(words::ha_error(self.op));
        }
        let grace = self.op.kind.grace().filter(|_| self.kind == StepKind::Shutdown);
        let allowed = grace.map_or(self.timing.ha, |(grace, _)| self.timing.pve(2 * grace + 35));
        if self.facts.now > ended.saturating_add(micros(allowed)) {
            return self.fail(words::ha_slow(self.op));
        }
        Next::Wait { until: self.in_(self.timing.look) }
    }
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

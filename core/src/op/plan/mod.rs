//! What comes next. [`plan`] is pure and total: an operation, what was learned in this turn and the time
//! in; one act out. Owns every decision of the engine; must not act, wait or know how facts are got.

mod creating;
mod dispatching;
mod downloading;
mod facts;
mod pending;
mod trouble;
mod watching;
mod working;

use std::time::Duration;

use super::change::Change;
use super::kind::{Goal, Kind, StepKind};
use super::outcome::Outcome;
use super::state::{Operation, State};
use super::step::{Step, StepState};
use crate::create::{OnFailure, Part};
use crate::error::Error;
use crate::ids::{Micros, Vmid};
use crate::pve::{Call, Upid};
use crate::timing::{Timing, micros};

pub use facts::{Facts, Found, Reply, Seen};

/// Proxmox's lock on a container that is being made.
const CREATING: &str = "create";

/// The one act that is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Read the live state; the config too when `config`.
    Look {
        /// Also read the config and compare incarnations.
        config: bool,
        /// Whether it matters what HA makes of it; without, the state may come without.
        ha: bool,
    },
    /// Look whether the OS image is on its storage.
    LookForImage {
        /// Where.
        node: String,
        /// Which storage of that node.
        storage: String,
        /// Which volume.
        volume: String,
    },
    /// Look for the container anywhere but on this node, which does not answer.
    Search {
        /// The silent one.
        silent: String,
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
    /// List the tasks that are about the same as the call, on that node at that time, for adoption.
    List {
        /// The call.
        call: Call,
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
        /// Where its log has been read up to.
        log_next: u64,
    },
    /// Start the job of a step, unless it was started before, and read what it says.
    Work {
        /// Which step.
        step: usize,
        /// Where.
        node: String,
        /// Where its output has been read up to.
        next: u64,
    },
    /// Ask the node to end the job; then record that.
    StopWork {
        /// Which step.
        step: usize,
        /// Where.
        node: String,
    },
    /// Ask Proxmox to abort the task; then record that.
    StopTask {
        /// Which step.
        step: usize,
        /// The task.
        upid: Upid,
    },
    /// Find and hold a number above this one that nobody has.
    TakeVmid {
        /// The one that is taken.
        above: Vmid,
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
    if let Some(error) = &facts.unreached {
        return turn.unreached(error);
    }
    if let Some(moved) = facts.seen.as_ref().and_then(|seen| turn.moved(seen)) {
        return moved;
    }
    if op.degraded_since.is_some() && turn.has_learned() {
        return Next::Commit(Change::Recovered);
    }
    match &op.steps[step].state {
        StepState::Pending { not_before, .. } => turn.pending(*not_before),
        StepState::Dispatching { dispatch, busy, sent } => turn.dispatching(dispatch, *busy, *sent),
        StepState::Watching { watch, .. } => turn.watching(watch),
        StepState::Working { work } => turn.working(work),
        StepState::Verifying { watch, exit, tail, ended, busy, .. } => {
            turn.verifying(watch, exit, tail, *ended, *busy)
        }
        // current_step() skips done ones; a failed or unknown one ends the operation in the same commit.
        StepState::Done { .. } | StepState::Failed { .. } | StepState::Unknown { .. } => Next::Idle,
    }
}

fn success(op: &Operation) -> Outcome {
    if let Some(error) = op.steps.iter().find_map(cleaned_up) {
        return Outcome::failed(error, true);
    }
    let mut outcome = Outcome::done();
    outcome.warnings.clone_from(&op.warnings);
    outcome.detail = made(op);
    outcome.how = op.steps.iter().find_map(|step| match step.state {
        StepState::Done { how, .. } => how,
        _ => None,
    });
    outcome
}

/// The error of a step whose container is gone by now: it cannot be taken up again.
fn cleaned_up(step: &Step) -> Option<Error> {
    let StepState::Failed { error: Some(error), .. } = &step.state else { return None };
    let mut error = Error::clone(error).because("the container was deleted, for --on-failure delete");
    error.tries.retain(|hint| !hint.command.contains(" op retry "));
    Some(error)
}

/// What is said of a container that was made: `10.0.0.24, 4/4 services`.
fn made(op: &Operation) -> String {
    let Kind::Create { spec, .. } = &op.kind else { return String::new() };
    let reported = |wanted: fn(&Part) -> bool| {
        let step = op.steps.iter().find(|step| op.kind.part(step.kind).is_some_and(wanted))?;
        match &step.state {
            StepState::Done { exit, .. } if exit != "OK" => Some(exit.clone()),
            _ => None,
        }
    };
    let address = reported(|part| *part == Part::Reach)
        .and_then(|all| all.split(", ").next().map(str::to_owned))
        .or_else(|| spec.network.fixed().first().map(ToString::to_string));
    let services = reported(|part| *part == Part::Discover);
    address.into_iter().chain(services).collect::<Vec<_>>().join(", ")
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

    fn fail(&self, error: Error) -> Next {
        if self.cleans_up() {
            return Next::Commit(Change::CleanUp { step: self.step, error: Box::new(error) });
        }
        self.finish(Outcome::failed(error, self.op.touched()))
    }

    /// It has made a container that is not to stay when something fails.
    fn cleans_up(&self) -> bool {
        let Kind::Create { spec, .. } = &self.op.kind else { return false };
        spec.on_failure == OnFailure::Delete && self.op.has_made() && self.kind != StepKind::Delete
    }

    fn refuse(&self, error: Error) -> Next {
        if self.op.touched() { self.fail(error) } else { self.finish(Outcome::refused(error)) }
    }

    fn done(&self, exit: &str, warning: Option<String>) -> Next {
        Next::Commit(Change::StepDone { step: self.step, exit: exit.to_owned(), warning })
    }

    fn has_learned(&self) -> bool {
        let facts = self.facts;
        facts.answered
            || facts.seen.is_some()
            || facts.image.is_some()
            || facts.listed.is_some()
            || facts.ended.is_some()
            || facts.log.is_some()
            || facts.reply.is_some()
            || facts.reading.is_some()
    }

    fn in_(&self, duration: Duration) -> Micros {
        self.facts.now.saturating_add(micros(duration))
    }

    fn reached(&self, seen: &Seen) -> bool {
        match (seen, self.kind.goal()) {
            (Seen::Absent, Goal::Gone) => true,
            (Seen::There { live, .. }, Goal::Power(goal)) => live.power == goal,
            (Seen::There { live, same, .. }, Goal::Made) => {
                *same == Some(true) && live.lock.as_deref() != Some(CREATING)
            }
            _ => false,
        }
    }
}

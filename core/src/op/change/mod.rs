//! The one way an operation moves. [`apply`] is total: a change that does not fit the state is refused,
//! never bent. Owns the transitions and the events they make; must not decide when (`op::plan`).

mod advance;
mod draft;
mod output;

use super::event::{EventDraft, EventKind};
use super::kind::StepKind;
use super::outcome::{Ending, Outcome};
use super::state::{Operation, State};
use super::step::{Dispatch, Step, StepState};
use crate::error::Error;
use crate::ids::{Micros, Vmid};
use crate::job::JobReading;
use crate::ports::LogPage;
use crate::pve::{TaskExit, Upid};
use crate::timing::Timing;

use self::advance::advance;

/// How the progress of an operation begins that gets no answers: `waiting for Proxmox: …`, `waiting for SSH: …`. What
/// follows the colon are somebody else's words.
pub const WAITING: &str = "waiting for";
pub(super) use self::advance::grace_end;

/// One transition.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Queued → Running.
    Admitted,
    /// Pending → Dispatching; committed before the call leaves.
    Dispatching(usize, Dispatch),
    /// Dispatching → Pending: the call had no effect and may be sent again from then on.
    NotSent {
        /// Which step.
        step: usize,
        /// From when on.
        not_before: Micros,
        /// Because the config file was busy; counted.
        busy: bool,
    },
    /// … → Pending, under another number: this one is somebody's.
    Renumbered {
        /// Which step.
        step: usize,
        /// The number that is held for it now.
        vmid: Vmid,
    },
    /// Dispatching or Verifying → Pending: PVE makes it safe to send once more.
    Again(usize),
    /// Dispatching → Watching.
    Watching {
        /// Which step.
        step: usize,
        /// The task.
        upid: Upid,
        /// Found in the task list instead of in an answer.
        adopted: bool,
    },
    /// The grace is over, and somebody looked.
    GraceOver {
        /// Which step.
        step: usize,
        /// It was still running.
        outlived: bool,
    },
    /// Proxmox was asked to abort the task, or the node to end the job.
    StopRequested(usize),
    /// Pending → Working; committed before the job is started.
    Working {
        /// Which step.
        step: usize,
        /// Where the job is to run.
        node: String,
    },
    /// The job has said more.
    Output {
        /// Which step.
        step: usize,
        /// What, and where to go on.
        reading: JobReading,
    },
    /// The job has ended well, with the last of its output.
    Worked {
        /// Which step.
        step: usize,
        /// The last of its output.
        reading: JobReading,
    },
    /// The task has said more.
    Log {
        /// Which step.
        step: usize,
        /// The lines, and where to go on.
        page: LogPage,
    },
    /// Watching → Verifying.
    TaskEnded {
        /// Which step.
        step: usize,
        /// How the task ended.
        exit: TaskExit,
        /// The rest of its log, as far as it was read.
        log: Vec<String>,
    },
    /// … → Done.
    StepDone {
        /// Which step.
        step: usize,
        /// Proxmox's word for it, `-` when nothing was sent.
        exit: String,
        /// Something to say in the end.
        warning: Option<String>,
    },
    /// The step failed; the container goes, before the operation ends with that error.
    CleanUp {
        /// Which step.
        step: usize,
        /// Why.
        error: Box<Error>,
    },
    /// The node does not answer (any more).
    Degraded(String),
    /// The node answers again.
    Recovered,
    /// The container is on this node now.
    Moved {
        /// Where.
        node: String,
        /// Something to say in the end, when it was not an orderly move.
        warning: Option<String>,
    },
    /// → a terminal state.
    Finish(Outcome),
}

/// The change does not fit the state; a fault of ours.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{change} does not fit an operation that is {state}")]
pub struct Misfit {
    change: String,
    state: String,
}

/// Moves `op` and says which facts that makes. On a misfit `op` is as it was.
///
/// # Errors
/// When the change does not fit the state.
pub fn apply(
    op: &mut Operation,
    change: Change,
    now: Micros,
    timing: &Timing,
) -> Result<Vec<EventDraft>, Misfit> {
    let misfit = |op: &Operation, change: &Change| Misfit {
        change: format!("{change:?}").chars().take(60).collect(),
        state: op.current_step().map_or(op.state.name(), |i| op.steps[i].state.name()).to_owned(),
    };
    match (&op.state, &change) {
        (State::Queued, Change::Admitted | Change::Finish(_)) => {}
        (State::Running, change) if !matches!(change, Change::Admitted) => {}
        _ => return Err(misfit(op, &change)),
    }
    match change {
        Change::Admitted => {
            op.state = State::Running;
            op.started = Some(now);
            Ok(Vec::new())
        }
        Change::Finish(outcome) => Ok(finish(op, outcome, now)),
        Change::Degraded(why) => {
            op.degraded_since.get_or_insert(now);
            Ok(vec![EventDraft::new(EventKind::Progress, format!("{WAITING} {why}"))])
        }
        Change::Moved { node, warning } => {
            op.warnings.extend(warning);
            resume(op, now);
            let from = std::mem::replace(&mut op.target.node, node);
            let text = format!("it is on {} now, no longer on {from}", op.target.node);
            Ok(vec![EventDraft::new(EventKind::Progress, text)])
        }
        Change::CleanUp { step, error } if op.current_step() == Some(step) => {
            let upid = op.steps[step].state.upid().cloned();
            let exit = error.why.first().cloned().unwrap_or_else(|| error.message.clone());
            op.steps[step].state = StepState::Failed { upid, exit, error: Some(error.clone()) };
            op.steps[step].finished = Some(now);
            op.steps.push(Step {
                kind: StepKind::Delete,
                state: StepState::NEW,
                started: None,
                finished: None,
            });
            let failed = EventDraft::new(EventKind::Error, error.message).in_step(step);
            Ok(vec![failed, EventDraft::new(EventKind::Progress, "deleting it, for --on-failure delete")])
        }
        Change::Recovered => {
            op.degraded_since = None;
            resume(op, now);
            Ok(vec![EventDraft::new(EventKind::Progress, "there are answers again")])
        }
        change => {
            let step = step_of(&change);
            if op.current_step() != Some(step) {
                return Err(misfit(op, &change));
            }
            let from = op.steps[step].state.clone();
            match advance(op, step, from, change.clone(), now, timing) {
                Some(events) => {
                    let percent = op.percent();
                    Ok(events.into_iter().map(|event| event.in_step(step).at(percent)).collect())
                }
                None => Err(misfit(op, &change)),
            }
        }
    }
}

fn step_of(change: &Change) -> usize {
    match change {
        Change::Dispatching(step, _) | Change::Again(step) | Change::StopRequested(step) => *step,
        Change::NotSent { step, .. }
        | Change::Renumbered { step, .. }
        | Change::Watching { step, .. }
        | Change::GraceOver { step, .. }
        | Change::Log { step, .. }
        | Change::Working { step, .. }
        | Change::Output { step, .. }
        | Change::Worked { step, .. }
        | Change::TaskEnded { step, .. }
        | Change::StepDone { step, .. } => *step,
        Change::Admitted
        | Change::CleanUp { .. }
        | Change::Degraded(_)
        | Change::Recovered
        | Change::Moved { .. }
        | Change::Finish(_) => usize::MAX,
    }
}

/// From now on what the current step waits for can go on.
fn resume(op: &mut Operation, now: Micros) {
    let Some(step) = op.current_step() else { return };
    if let StepState::Watching { watch, .. } | StepState::Verifying { watch, .. } = &mut op.steps[step].state
    {
        watch.resumed = Some(now);
    }
}

fn finish(op: &mut Operation, outcome: Outcome, now: Micros) -> Vec<EventDraft> {
    if let Some(step) = op.current_step() {
        let words = outcome.error.as_ref().map_or_else(String::new, |error| {
            error.pve_message.clone().unwrap_or_else(|| error.message.clone())
        });
        let begun = op.steps[step].state.touched();
        if begun || outcome.ending == Ending::NeedsAttention {
            let upid = op.steps[step].state.upid().cloned();
            op.steps[step].state = match outcome.ending {
                Ending::NeedsAttention => StepState::Unknown { exit: words },
                _ => StepState::Failed { upid, exit: words, error: None },
            };
            op.steps[step].finished = Some(now);
        }
    }
    let kind = match outcome.ending {
        Ending::Failed if outcome.word == super::outcome::Word::Failed => EventKind::Error,
        Ending::NeedsAttention => EventKind::Error,
        _ => EventKind::Step,
    };
    let message = outcome.error.as_ref().map_or_else(
        || outcome.detail.clone(),
        |error| {
            error.why.first().map_or_else(|| error.message.clone(), |why| format!("{}: {why}", error.message))
        },
    );
    op.finished = Some(now);
    op.degraded_since = None;
    let message = if message.is_empty() { outcome.result(&op.kind).to_owned() } else { message };
    op.state = State::Ended(Box::new(outcome));
    vec![EventDraft::new(kind, message)]
}

//! The one way an operation moves. [`apply`] is total: a change that does not fit the state is refused,
//! never bent. Owns the transitions and the events they make; must not decide when (`op::plan`).

use super::event::{EventDraft, EventKind};
use super::kind::StepKind;
use super::outcome::{Ending, How, Outcome};
use super::state::{Dispatch, Operation, State, StepState, Watch};
use crate::ids::Micros;
use crate::ports::LogPage;
use crate::pve::{TaskExit, Upid};
use crate::timing::{Timing, micros};

/// Last lines of a log that are kept with the step.
const TAIL: usize = 20;
/// Bytes of one log line (ARCHITECTURE.md, rule 17).
const LONGEST_LINE: usize = 16 * 1024;

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
    /// Proxmox was asked to abort the task.
    StopRequested(usize),
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
    /// The node does not answer (any more).
    Degraded(String),
    /// The node answers again.
    Recovered,
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
            Ok(vec![EventDraft::new(EventKind::Progress, format!("waiting for Proxmox: {why}"))])
        }
        Change::Recovered => {
            op.degraded_since = None;
            Ok(vec![EventDraft::new(EventKind::Progress, "Proxmox answers again")])
        }
        change => {
            let step = step_of(&change);
            if op.current_step() != Some(step) {
                return Err(misfit(op, &change));
            }
            let from = op.steps[step].state.clone();
            match advance(op, step, from, change.clone(), now, timing) {
                Some(events) => Ok(events.into_iter().map(|event| event.in_step(step)).collect()),
                None => Err(misfit(op, &change)),
            }
        }
    }
}

fn step_of(change: &Change) -> usize {
    match change {
        Change::Dispatching(step, _) | Change::Again(step) | Change::StopRequested(step) => *step,
        Change::NotSent { step, .. }
        | Change::Watching { step, .. }
        | Change::GraceOver { step, .. }
        | Change::Log { step, .. }
        | Change::TaskEnded { step, .. }
        | Change::StepDone { step, .. } => *step,
        Change::Admitted | Change::Degraded(_) | Change::Recovered | Change::Finish(_) => usize::MAX,
    }
}

/// The transitions of a step; None = does not fit.
fn advance(
    op: &mut Operation,
    step: usize,
    from: StepState,
    change: Change,
    now: Micros,
    timing: &Timing,
) -> Option<Vec<EventDraft>> {
    let prefix = op.step_prefix(step);
    let (next, events) = match (from, change) {
        (StepState::Pending { busy, sent, .. }, Change::Dispatching(_, dispatch)) => {
            op.target.node.clone_from(&dispatch.node);
            op.steps[step].started.get_or_insert(now);
            (StepState::Dispatching { dispatch, busy, sent: sent + 1 }, vec![silent("dispatching")])
        }
        (StepState::Dispatching { busy, sent, .. }, Change::NotSent { not_before, busy: was_busy, .. }) => {
            let state = StepState::Pending {
                not_before: Some(not_before),
                busy: busy + u32::from(was_busy),
                sent: sent - 1,
            };
            (state, vec![silent("not sent")])
        }
        // A task that failed on a busy config file had no effect either.
        (StepState::Verifying { busy, sent, .. }, Change::NotSent { not_before, busy: was_busy, .. }) => {
            let state = StepState::Pending {
                not_before: Some(not_before),
                busy: busy + u32::from(was_busy),
                sent: sent - 1,
            };
            (state, vec![progress(&prefix, "the config file is busy, trying again")])
        }
        (StepState::Dispatching { busy, sent, .. }, Change::Again(_)) => (
            StepState::Pending { not_before: None, busy, sent },
            vec![progress(&prefix, "no trace of the first call, sending it once more")],
        ),
        (StepState::Dispatching { dispatch, busy, sent }, Change::Watching { upid, .. }) => {
            let event = watching(op, step, &prefix, &dispatch, timing);
            let watch = Watch { dispatch, upid, outlived_grace: None, stop_requested: false, log_next: 0 };
            (StepState::Watching { watch, busy, sent }, vec![event])
        }
        (StepState::Watching { mut watch, busy, sent }, Change::GraceOver { outlived, .. }) => {
            watch.outlived_grace = Some(outlived);
            let events = if outlived {
                vec![progress(&prefix, "grace is over, Proxmox kills it")]
            } else {
                Vec::new()
            };
            (StepState::Watching { watch, busy, sent }, events)
        }
        (StepState::Watching { mut watch, busy, sent }, Change::StopRequested(_)) => {
            watch.stop_requested = true;
            (StepState::Watching { watch, busy, sent }, vec![progress(&prefix, "cancelling")])
        }
        (StepState::Watching { mut watch, busy, sent }, Change::Log { page, .. }) => {
            watch.log_next = page.next;
            (StepState::Watching { watch, busy, sent }, log_events(&page.lines))
        }
        (StepState::Watching { watch, busy, sent }, Change::TaskEnded { exit, log, .. }) => {
            let mut events = log_events(&log);
            events.push(silent("verifying"));
            let tail = log[log.len().saturating_sub(TAIL)..].to_vec();
            (StepState::Verifying { watch, exit, tail, ended: now, busy, sent }, events)
        }
        (from, Change::StepDone { exit, warning, .. }) => {
            let upid = from.upid().cloned();
            let how = how_stopped(op.steps[step].kind, &from, timing);
            op.warnings.extend(warning);
            op.steps[step].finished = Some(now);
            let event = fact(op.steps[step].kind, how, from.touched());
            (StepState::Done { upid, exit, how }, vec![event])
        }
        _ => return None,
    };
    op.steps[step].state = next;
    Some(events)
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
                _ => StepState::Failed { upid, exit: words },
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

/// How the container of a finished step was stopped: forced iff somebody looked when the grace was over
/// and it still ran (ARCHITECTURE.md, rule 11).
#[must_use]
pub fn how_stopped(kind: StepKind, state: &StepState, timing: &Timing) -> Option<How> {
    if kind != StepKind::Shutdown {
        return None;
    }
    let StepState::Verifying { watch, ended, .. } = state else {
        return state.touched().then_some(How::Unobserved);
    };
    Some(match (watch.outlived_grace, grace_end(&watch.dispatch, timing)) {
        (Some(true), _) => How::Forced,
        (Some(false), _) | (_, None) => How::Graceful,
        (None, Some(end)) if *ended <= end => How::Graceful,
        (None, Some(_)) => How::Unobserved,
    })
}

/// When Proxmox kills what it was asked to shut down; None when it will not.
#[must_use]
pub fn grace_end(dispatch: &Dispatch, timing: &Timing) -> Option<Micros> {
    match dispatch.call {
        crate::pve::Call::Shutdown { timeout, force_stop: true } => {
            Some(dispatch.at.saturating_add(micros(timing.pve(timeout))))
        }
        _ => None,
    }
}

fn log_events(lines: &[String]) -> Vec<EventDraft> {
    lines.iter().map(|line| EventDraft::new(EventKind::Log, cut(line))).collect()
}

/// A line, cut to its longest at a character boundary.
fn cut(line: &str) -> String {
    let mut end = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].to_owned()
}

fn silent(what: &str) -> EventDraft {
    EventDraft::new(EventKind::Step, what)
}

fn progress(prefix: &str, what: &str) -> EventDraft {
    EventDraft::new(EventKind::Progress, format!("{prefix}{what}"))
}

fn watching(op: &Operation, step: usize, prefix: &str, dispatch: &Dispatch, timing: &Timing) -> EventDraft {
    let forced_at = grace_end(dispatch, timing);
    let text = match (op.steps[step].kind, op.kind.grace()) {
        (StepKind::Shutdown, Some((grace, force))) => {
            let no_force = if force && dispatch.ha { ", HA never forces it" } else { "" };
            format!("grace {}{no_force}", crate::text::span(u64::from(grace)))
        }
        _ => format!("task on {}", dispatch.node),
    };
    // The first line of a lone shutdown has told its grace already.
    let told = op.steps.len() == 1 && op.steps[step].kind == StepKind::Shutdown && !dispatch.ha;
    let mut event = if told { silent("watching") } else { progress(prefix, &text) };
    event.forced_at = forced_at;
    event
}

fn fact(kind: StepKind, how: Option<How>, touched: bool) -> EventDraft {
    let (event, words) = match kind {
        StepKind::Start => (EventKind::Started, "started"),
        StepKind::Stop | StepKind::Shutdown => (EventKind::Stopped, "stopped"),
        StepKind::Delete => (EventKind::Deleted, "deleted"),
        StepKind::Forget => (EventKind::Changed, "forgotten"),
    };
    let event =
        if touched || kind == StepKind::Forget || kind == StepKind::Delete { event } else { EventKind::Step };
    let mut draft = EventDraft::new(
        event,
        how.map_or_else(|| words.to_owned(), |how| format!("{words} ({})", how.as_str())),
    );
    draft.how = how;
    draft
}

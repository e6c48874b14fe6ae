//! The transitions of one step, and what its end says about how the container was stopped. Pure.

use super::Change;
use super::draft::{fact, log_events, progress, silent, watching};
use super::output::{found, take, worked};
use crate::create::Part;
use crate::ids::Micros;
use crate::job::JobState;
use crate::op::event::EventDraft;
use crate::op::kind::StepKind;
use crate::op::outcome::How;
use crate::op::state::Operation;
use crate::op::step::{Dispatch, StepState, Watch, Work};
use crate::pve::TaskExit;
use crate::timing::{Timing, micros};

/// Last lines of a log that are kept with the step.
const TAIL: usize = 20;
/// The transitions of a step; None = does not fit.
pub(super) fn advance(
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
        // A task that failed on a busy config file had no effect either, nor one that found no container.
        (
            StepState::Verifying { watch, busy, sent, .. },
            Change::NotSent { not_before, busy: was_busy, .. },
        ) => {
            let moved = op.target.node != watch.dispatch.node;
            let why = if moved { "it has moved meanwhile" } else { "the config file is busy" };
            let state = StepState::Pending {
                not_before: Some(not_before),
                busy: busy + u32::from(was_busy),
                sent: sent - 1,
            };
            (state, vec![progress(&prefix, &format!("{why}, trying again"))])
        }
        (
            StepState::Pending { busy, .. }
            | StepState::Dispatching { busy, .. }
            | StepState::Verifying { busy, .. },
            Change::Renumbered { vmid, .. },
        ) => {
            let taken = std::mem::replace(&mut op.target.vmid, vmid);
            let event = progress(&prefix, &format!("vmid {taken} is taken, trying {vmid}"));
            // Nothing of it had an effect there.
            (StepState::Pending { not_before: None, busy, sent: 0 }, vec![event])
        }
        (StepState::Dispatching { busy, sent, .. }, Change::Again(_)) => (
            StepState::Pending { not_before: None, busy, sent },
            vec![progress(&prefix, "no trace of the first call, sending it once more")],
        ),
        (StepState::Dispatching { dispatch, busy, sent }, Change::Watching { upid, .. }) => {
            let event = watching(op, step, &prefix, &dispatch, timing);
            let watch = Watch {
                dispatch,
                upid,
                outlived_grace: None,
                stop_requested: false,
                log_next: 0,
                resumed: None,
            };
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
        (StepState::Pending { .. }, Change::Working { node, .. }) => {
            op.target.node.clone_from(&node);
            op.steps[step].started.get_or_insert(now);
            let work = Work {
                node,
                at: now,
                next: 0,
                rest: Vec::new(),
                detail: String::new(),
                fault: String::new(),
                tail: Vec::new(),
                stop_requested: false,
            };
            let doing = op.kind.part(op.steps[step].kind).map_or_else(String::new, Part::doing);
            (StepState::Working { work }, vec![progress("", &doing)])
        }
        (StepState::Working { mut work }, Change::StopRequested(_)) => {
            work.stop_requested = true;
            (StepState::Working { work }, vec![progress("", "cancelling")])
        }
        (StepState::Working { mut work }, Change::Output { reading, .. }) => {
            let ended = matches!(reading.state, JobState::Ended(_) | JobState::Lost(_));
            let events = take(&mut work, &reading, ended);
            (StepState::Working { work }, events)
        }
        (StepState::Working { mut work }, Change::Worked { reading, .. }) => {
            op.steps[step].finished = Some(now);
            let part = op.kind.part(op.steps[step].kind);
            // What it found is read by us, not by people.
            let mut events = match part {
                Some(Part::Discover) => found(&mut work, &reading),
                _ => take(&mut work, &reading, true),
            };
            events.extend(part.map(|part| worked(part, &work)));
            let exit = if work.detail.is_empty() { "OK".to_owned() } else { work.detail };
            (StepState::Done { upid: None, exit, how: None }, events)
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
            // Each of several tasks may warn of the same.
            op.warnings.extend(warning.filter(|warning| !op.warnings.contains(warning)));
            op.steps[step].finished = Some(now);
            let event = fact(op.steps[step].kind, how, from.touched());
            (StepState::Done { upid, exit, how }, vec![event])
        }
        _ => return None,
    };
    op.steps[step].state = next;
    Some(events)
}

/// How the container of a finished step was stopped: forced iff somebody looked when the grace was over
/// and it still ran (ARCHITECTURE.md, rule 11).
pub(super) fn how_stopped(kind: StepKind, state: &StepState, timing: &Timing) -> Option<How> {
    if kind != StepKind::Shutdown {
        return None;
    }
    let StepState::Verifying { watch, ended, exit, .. } = state else {
        return state.touched().then_some(How::Unobserved);
    };
    // Its worker is gone, perhaps with its whole node: who stopped the container nobody knows.
    if matches!(exit, TaskExit::Vanished(_)) && watch.outlived_grace != Some(false) {
        return Some(How::Unobserved);
    }
    Some(match (watch.outlived_grace, grace_end(&watch.dispatch, timing)) {
        (Some(true), _) => How::Forced,
        (Some(false), _) | (_, None) => How::Graceful,
        (None, Some(end)) if *ended <= end => How::Graceful,
        (None, Some(_)) => How::Unobserved,
    })
}

/// When Proxmox kills what it was asked to shut down; None when it will not.
#[must_use]
pub(in crate::op) fn grace_end(dispatch: &Dispatch, timing: &Timing) -> Option<Micros> {
    match dispatch.call {
        crate::pve::Call::Shutdown { timeout, force_stop: true } => {
            Some(dispatch.at.saturating_add(micros(timing.pve(timeout))))
        }
        _ => None,
    }
}

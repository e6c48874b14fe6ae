//! Pieces of work in a container: when one begins without a look, and what is made of a job that cannot be asked
//! about, or that is gone.

use lxc_core::create::OnFailure;
use lxc_core::error::Code;
use lxc_core::ids::Micros;
use lxc_core::job::{JobReading, JobState};
use lxc_core::op::{Change, Ending, Facts, Next, Operation, StepKind, StepState, Work, plan};
use lxc_core::ports::JobError;
use lxc_core::timing::Timing;

use super::arbitrary::{T0, create, operation};

const S: Micros = 1_000_000;

/// A create that is at its second piece; the first one ended at [`T0`].
fn at_the_second_piece() -> (Operation, usize) {
    let mut op = operation(create(true, OnFailure::Keep));
    let first = op.steps.iter().position(|step| matches!(step.kind, StepKind::Part(_))).unwrap();
    for step in &mut op.steps[..=first] {
        step.state = StepState::Done { upid: None, exit: "OK".to_owned(), how: None };
        (step.started, step.finished) = (Some(T0), Some(T0));
    }
    (op, first + 1)
}

/// … whose job may have begun.
fn begun() -> Operation {
    let (mut op, step) = at_the_second_piece();
    let work = Work {
        node: "pve1".to_owned(),
        at: T0,
        next: 0,
        rest: Vec::new(),
        detail: String::new(),
        fault: String::new(),
        tail: Vec::new(),
        stop_requested: false,
    };
    op.steps[step].state = StepState::Working { work };
    op
}

fn next(op: &Operation, facts: Facts) -> Next {
    plan(op, &facts, &Timing::default())
}

fn at(now: Micros) -> Facts {
    Facts { now, ..Facts::default() }
}

fn ending(next: &Next) -> Option<Ending> {
    match next {
        Next::Commit(Change::Finish(outcome)) => Some(outcome.ending),
        _ => None,
    }
}

#[test]
fn a_piece_right_behind_another_needs_no_look() {
    let (op, step) = at_the_second_piece();
    let begins = Next::Commit(Change::Working { step, node: "pve1".to_owned() });
    assert_eq!(next(&op, at(T0 + S)), begins);
    let looks = Next::Look { config: true, ha: true };
    assert_eq!(next(&op, at(T0 + 2 * S)), looks, "somebody may have stopped it meanwhile");
    assert_eq!(next(&op, at(T0 - S)), looks, "by a clock that was put back");
    let mut first = op.clone();
    first.steps[step - 1].state = StepState::NEW;
    assert_eq!(next(&first, at(T0)), looks, "behind the start of the container");
}

#[test]
fn what_may_have_begun_is_held_on_to() {
    let op = begun();
    let changed = || JobError::HostKeyChanged { fingerprint: "SHA256:x".to_owned() };
    let unreached = || Facts { unreached: Some(changed()), ..at(T0) };
    let Next::Commit(Change::Degraded(why)) = next(&op, unreached()) else { panic!("it ended") };
    assert!(why.starts_with("SSH: ") && why.contains("SHA256:x"), "{why}");
    let degraded = Operation { degraded_since: Some(T0 - S), ..op.clone() };
    assert!(matches!(next(&degraded, unreached()), Next::Wait { until } if until > T0));
    let abandoned = Operation { abandon: true, ..degraded.clone() };
    assert_eq!(ending(&next(&abandoned, unreached())), Some(Ending::NeedsAttention));
    // What has certainly not begun fails at once.
    let refused = Facts { no_access: Some(changed()), ..at(T0) };
    assert_eq!(ending(&next(&op, refused)), Some(Ending::Failed));
}

#[test]
fn a_job_that_is_gone_is_not_begun_again() {
    let op = begun();
    let reading = JobReading { skipped: 0, output: Vec::new(), next: 0, state: JobState::Absent };
    let gone = next(&op, Facts { reading: Some(reading), ..at(T0) });
    let Next::Commit(Change::Finish(outcome)) = gone else { panic!("{gone:?}") };
    assert_eq!(outcome.error.unwrap().code, Code::JobLost);
}

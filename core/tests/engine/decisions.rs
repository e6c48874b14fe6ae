//! `plan` and `apply`, one turn at a time.

use lxc_core::op::{Change, Next, Outcome, State, StepKind, StepState, apply, plan};
use lxc_core::pve::TaskExit;
use lxc_core::timing::Timing;
use proptest::prelude::*;

use super::arbitrary::{any_facts, any_operation};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever it is given, `plan` answers, and what it wants committed fits.
    #[test]
    fn what_is_planned_can_be_applied(op in any_operation(), facts in any_facts()) {
        let timing = Timing::default();
        match plan(&op, &facts, &timing) {
            Next::Commit(change) => {
                let mut next = op.clone();
                let events = apply(&mut next, change.clone(), facts.now, &timing);
                prop_assert!(events.is_ok(), "{change:?}: {events:?}");
                prop_assert_ne!(&next, &op, "a commit moves: {:?}", change);
            }
            Next::Dispatch { step, .. } => {
                prop_assert_eq!(op.current_step(), Some(step));
                prop_assert_eq!(op.steps[step].state.name(), "pending");
                let looked = match op.steps[step].kind {
                    StepKind::Download => facts.image == Some(false),
                    _ => facts.seen.is_some(),
                };
                prop_assert!(looked, "never without a look");
            }
            Next::LookForImage { .. } => {
                prop_assert!(facts.image.is_none());
                prop_assert_eq!(op.steps[op.current_step().unwrap()].kind, StepKind::Download);
            }
            Next::Follow { upid, .. } | Next::StopTask { upid, .. } => {
                let step = op.current_step().unwrap();
                prop_assert_eq!(op.steps[step].state.upid(), Some(&upid));
            }
            Next::Wait { until } => prop_assert!(until > facts.now || facts.now == i64::MAX),
            Next::Look { ha, .. } => {
                prop_assert!(facts.seen.is_none());
                let step = &op.steps[op.current_step().unwrap()].state;
                let needless = matches!(step, StepState::Verifying { watch, exit, .. }
                    if !watch.dispatch.ha && matches!(exit, TaskExit::Ok | TaskExit::Warnings(_)));
                prop_assert!(ha || (needless && op.degraded_since.is_none()), "HA may have a say in {}", step.name());
            }
            Next::List { .. } => {}
            Next::Work { step, .. } | Next::StopWork { step, .. } => {
                prop_assert_eq!(op.current_step(), Some(step));
                let working = matches!(op.steps[step].state, StepState::Working { .. });
                prop_assert!(working);
            }
            Next::TakeVmid { above } => prop_assert_eq!(above, op.target.vmid),
            Next::Search { .. } => {
                prop_assert!(facts.trouble.is_some() && facts.found.is_none(), "once a turn, and only in trouble")
            }
            Next::Idle if op.state == State::Running => {
                let over = op.steps[op.current_step().unwrap()].state.name();
                prop_assert!(over == "failed" || over == "unknown", "{}", over);
            }
            Next::Idle => {}
        }
    }

    /// What has ended neither moves nor wants to.
    #[test]
    fn terminal_is_terminal(op in any_operation(), facts in any_facts(), from in any_operation()) {
        let timing = Timing::default();
        let ended = lxc_core::op::Operation { state: State::Ended(Box::new(Outcome::done())), ..op };
        prop_assert_eq!(plan(&ended, &facts, &timing), Next::Idle);
        let wanted = match plan(&from, &facts, &timing) {
            Next::Commit(change) => change,
            _ => Change::Finish(Outcome::done()),
        };
        for change in [wanted, Change::Admitted, Change::Recovered] {
            let mut same = ended.clone();
            prop_assert!(apply(&mut same, change, facts.now, &timing).is_err());
            prop_assert_eq!(&same, &ended, "a misfit changes nothing");
        }
    }

    /// A change that does not fit is refused and leaves the operation as it was.
    #[test]
    fn a_misfit_changes_nothing(op in any_operation(), other in any_operation(), facts in any_facts()) {
        let timing = Timing::default();
        if let Next::Commit(change) = plan(&other, &facts, &timing) {
            let mut next = op.clone();
            if apply(&mut next, change, facts.now, &timing).is_err() {
                prop_assert_eq!(next, op);
            }
        }
    }
}

//! Whole operations: driven as lxcd drives them, against a world in which calls are lost, tasks fail, nodes
//! go away and lxcd itself is killed between any two acts.

use lxc_core::op::{
    Change, Dispatch, Ending, Facts, Found, Goal, Kind, Next, Operation, StepState, Word, apply, plan,
};
use lxc_core::pve::Power;
use lxc_core::timing::Timing;
use proptest::prelude::*;

use super::arbitrary::{OURS, T0, kind, operation};
use super::world::{Fate, World};

/// More turns than any operation may take once nothing goes wrong any more.
const PATIENCE: usize = 4_000;

/// How an operation went.
struct Run {
    op: Operation,
    world: World,
    /// Dispatch records of each step, by the largest `sent` they reached.
    sent: Vec<u32>,
}

fn commit(op: &mut Operation, facts: &mut Facts, change: Change, timing: &Timing) {
    let events = apply(op, change.clone(), facts.now, timing);
    assert!(events.is_ok(), "{change:?}: {events:?}");
    *facts = Facts { now: facts.now, ..Facts::default() };
}

fn drive(mut op: Operation, mut world: World, fate: Vec<u8>) -> Run {
    let timing = Timing::default();
    let mut fate = Fate(fate.into_iter());
    let mut facts = Facts { now: T0, ..Facts::default() };
    // … and one that may come to clean up.
    let mut sent = vec![0; op.steps.len() + 1];
    for _ in 0..PATIENCE {
        // Killed here: all that was learned is gone, all that was committed is not.
        if fate.next() == 1 {
            let sending = op.current_step().map(|step| op.steps[step].state.name());
            world.lost += u32::from(sending == Some("dispatching"));
            facts = Facts { now: facts.now + 1_000_000, ..Facts::default() };
        }
        facts.jitter = 0.5;
        match plan(&op, &facts, &timing) {
            Next::Idle => break,
            Next::Commit(change) => {
                let number = op.target.vmid;
                commit(&mut op, &mut facts, change, &timing);
                if op.target.vmid != number {
                    world.renumbered();
                }
            }
            Next::Look { .. } => world.look(&mut fate, &mut facts),
            Next::LookForImage { .. } => world.look_for_image(&mut fate, &mut facts),
            Next::Wait { until } => {
                assert!(until > facts.now, "a wait that never ends");
                world.pass();
                facts = Facts { now: until, ..Facts::default() };
            }
            Next::Dispatch { step, call, node, ha } => {
                let dispatch = Dispatch {
                    call: call.clone(),
                    node,
                    identity: OURS.into(),
                    baseline: Vec::new(),
                    newest_start: i64::from(world.accepted) + 1,
                    at: facts.now,
                    ha,
                };
                commit(&mut op, &mut facts, Change::Dispatching(step, dispatch), &timing);
                if let StepState::Dispatching { sent: now, .. } = op.steps[step].state {
                    sent[step] = sent[step].max(now);
                }
                facts.reply = world.dispatch(&call, &mut fate);
            }
            Next::Work { step, next, .. } => world.work(step, next, &mut fate, &mut facts),
            Next::StopWork { step, .. } => {
                world.stop_work(step);
                commit(&mut op, &mut facts, Change::StopRequested(step), &timing);
            }
            Next::TakeVmid { above } => facts.free_vmid = Some(above + 1),
            Next::Search { .. } => facts.found = Some(Found::Nowhere),
            Next::List { at, .. } => {
                facts.now = facts.now.max(at);
                facts.listed = None;
                world.list(&mut fate, &mut facts);
            }
            Next::Follow { upid, until, .. } => {
                facts.now = until.map_or(facts.now + 1_000_000, |until| until.min(facts.now + 1_000_000));
                world.follow(&upid, &mut fate, &mut facts);
            }
            Next::StopTask { step, upid } => {
                world.stop_task(&upid);
                commit(&mut op, &mut facts, Change::StopRequested(step), &timing);
            }
        }
    }
    Run { op, world, sent }
}

fn power() -> impl Strategy<Value = Power> {
    prop_oneof![Just(Power::Running), Just(Power::Stopped)]
}

/// Trouble at every second act or so.
fn fate() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => Just(0_u8), 2 => 1..7_u8], 0..60)
}

fn goal(kind: &Kind) -> Option<Power> {
    match kind.steps().last().map(|step| step.goal()) {
        Some(Goal::Power(power)) => Some(power),
        Some(Goal::Made) => Some(Power::Stopped),
        Some(Goal::Gone | Goal::Image) | None => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    /// It ends, and what it says is true.
    #[test]
    fn it_ends_and_tells_the_truth(kind in kind(), power in power(), fate in fate(), cancel in prop::bool::weighted(0.1)) {
        let op = Operation { cancel, ..operation(kind.clone()) };
        let run = drive(op, World::of(&kind, power), fate);
        let Some(outcome) = run.op.outcome() else {
            return Err(TestCaseError::fail(format!("never ends: {:#?}", run.op)));
        };
        let about = format!("{outcome:#?}\n{:#?}\n{:#?}", run.op, run.world);
        if outcome.ending == Ending::Succeeded && kind != Kind::Forget {
            prop_assert_eq!(run.world.power, goal(&kind), "{}", about);
            prop_assert!(run.world.image, "{}", about);
        }
        if matches!(outcome.word, Word::Refused | Word::Unchanged)
            && run.world.lost == 0
            && run.world.failed == 0
        {
            prop_assert_eq!(run.world.accepted, 0, "{}", about);
        }
        if outcome.ending == Ending::NeedsAttention {
            prop_assert!(run.world.lost > 0, "{}", about);
        }
        if outcome.word == Word::Cancelled {
            prop_assert!(cancel, "{}", about);
        }
    }

    /// Once per step, unless an answer was lost; then twice at most.
    #[test]
    fn a_call_is_made_once_unless_its_answer_was_lost(kind in kind(), power in power(), fate in fate()) {
        let run = drive(operation(kind.clone()), World::of(&kind, power), fate);
        let about = format!("{:#?}\n{:#?}", run.op, run.world);
        for sent in &run.sent {
            prop_assert!(*sent <= 2, "{}", about);
        }
        if run.world.lost == 0 && run.world.failed == 0 {
            let steps = u32::try_from(run.op.steps.len()).unwrap();
            prop_assert!(run.sent.iter().all(|sent| *sent <= 1), "{}", about);
            prop_assert!(run.world.accepted <= steps, "{}", about);
        }
    }

    /// A node that never comes back is waited for, until a day is over.
    #[test]
    fn a_dead_node_is_waited_for(kind in kind(), power in power(), fate in fate()) {
        let world = World::of(&kind, power).dead();
        let run = drive(operation(kind.clone()), world, fate);
        match run.op.outcome() {
            Some(outcome) if run.world.accepted == 0 && run.world.lost == 0 => {
                let told = outcome.word == Word::Refused || outcome.ending == Ending::Succeeded;
                prop_assert!(told, "{:#?}", run.op);
            }
            Some(_) => {}
            None => return Err(TestCaseError::fail(format!("neither ends nor is given up: {:#?}", run.op))),
        }
    }

    /// A person's patience ends sooner.
    #[test]
    fn a_dead_node_can_be_given_up(kind in kind(), power in power(), fate in fate()) {
        let op = Operation { cancel: true, abandon: true, ..operation(kind.clone()) };
        let run = drive(op, World::of(&kind, power).dead(), fate);
        prop_assert!(run.op.outcome().is_some(), "{:#?}", run.op);
    }
}

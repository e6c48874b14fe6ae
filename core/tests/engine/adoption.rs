//! `adopt`, for whatever is listed.

use std::collections::HashSet;

use lxc_core::op::{Adoption, Change, Dispatch, Ending, Facts, Kind, Next, StepState, adopt, plan};
use lxc_core::pve::{Call, TaskEntry, Upid};
use lxc_core::timing::{Timing, micros};
use proptest::prelude::*;

use super::arbitrary::{OURS, T0, listed, operation};

/// Two tasks could be it, and neither ever ends: the operation does, and lets go of its container.
#[test]
fn several_that_never_end_need_a_person() {
    let timing = Timing::default();
    for kind in [Kind::Start, Kind::Stop, Kind::Delete { destroy_unreferenced_disks: false }] {
        let call = kind.steps()[0].call(&kind, 104, false).unwrap();
        let task = |start: u32| -> TaskEntry {
            let text =
                format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:{}:104:{OURS}:", call.task_types()[0]);
            TaskEntry { upid: text.parse().unwrap(), exit: None, end_time: None }
        };
        let dispatch = Dispatch {
            call: call.clone(),
            node: "pve1".into(),
            identity: OURS.into(),
            baseline: Vec::new(),
            newest_start: 0,
            at: T0,
            ha: false,
        };
        let mut op = operation(kind);
        op.steps[0].state = StepState::Dispatching { dispatch, busy: 0, sent: 1 };
        let mut facts = Facts { now: T0, ..Facts::default() };
        let ending = loop {
            match plan(&op, &facts, &timing) {
                Next::List { at, .. } => {
                    facts.now = at.max(facts.now);
                    facts.listed = Some(vec![task(1), task(2)]);
                }
                Next::Commit(Change::Finish(outcome)) => break outcome.ending,
                other => panic!("{other:?}"),
            }
            assert!(facts.now <= T0 + 2 * micros(timing.attention_after), "it waits for ever");
        };
        assert_eq!(ending, Ending::NeedsAttention);
        assert!(facts.now >= T0 + micros(timing.attention_after), "not before its time");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_can_be_ours(before in listed(), now in listed(), others in listed(), newest in 0..4_i64) {
        let names = |entries: &[lxc_core::pve::TaskEntry]| -> HashSet<Upid> {
            entries.iter().map(|entry| entry.upid.clone()).collect()
        };
        let dispatch = Dispatch {
            call: Call::Start,
            node: "pve1".into(),
            identity: OURS.into(),
            baseline: before.iter().map(|entry| entry.upid.clone()).collect(),
            newest_start: newest,
            at: T0,
            ha: false,
        };
        let taken = names(&others);
        match adopt(&dispatch, 104, &now, &taken) {
            Adoption::One(upid) => {
                prop_assert!(names(&now).contains(&upid));
                prop_assert!(!names(&before).contains(&upid) && !taken.contains(&upid));
                prop_assert_eq!(upid.user.as_str(), OURS);
                prop_assert!(upid.kind == "vzstart" || upid.kind == "hastart");
                prop_assert!(upid.start_time >= newest);
                // Nothing of it depends on the order of the list.
                let turned: Vec<_> = now.iter().rev().cloned().collect();
                prop_assert_eq!(adopt(&dispatch, 104, &turned, &taken), Adoption::One(upid));
            }
            Adoption::Many { .. } => prop_assert!(names(&now).len() > 1, "one task listed twice is one task"),
            Adoption::None => {}
        }
        let everything: HashSet<Upid> = taken.union(&names(&now)).cloned().collect();
        prop_assert_eq!(adopt(&dispatch, 104, &now, &everything), Adoption::None);
    }
}

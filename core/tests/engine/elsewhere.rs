//! A node that does not answer, and what is decided where its container is by now.

use lxc_core::op::{
    Change, Dispatch, Ending, Facts, Found, How, Kind, Next, Operation, Outcome, Seen, StepState, Watch,
    apply, plan,
};
use lxc_core::ports::PveError;
use lxc_core::pve::{Ha, Power, TaskExit, Upid};
use lxc_core::timing::{Timing, micros};

use super::arbitrary::{OURS, T0, live, operation, upid};

const SECOND: i64 = 1_000_000;

/// The container on the second node.
fn there(power: Power, ha: Option<&str>) -> Seen {
    let mut live = live(power);
    live.ha = ha.map(|state| Ha { state: state.to_owned() });
    Seen::There { node: "pve2".into(), live: Box::new(live), same: Some(true), config: None }
}

fn task(kind: &Kind, ha: bool) -> Upid {
    let types = kind.steps()[0].call(kind, 104, ha).unwrap().task_types();
    upid(1, types[usize::from(ha).min(types.len() - 1)], 104, OURS)
}

/// Sent to the first node, at T0; `known` = its task is.
fn sent(kind: Kind, ha: bool, known: bool) -> Operation {
    let dispatch = Dispatch {
        call: kind.steps()[0].call(&kind, 104, ha).unwrap(),
        node: "pve1".into(),
        identity: OURS.into(),
        baseline: Vec::new(),
        newest_start: 0,
        at: T0,
        ha,
    };
    let upid = task(&kind, ha);
    let mut op = operation(kind);
    op.steps[0].state = if known {
        let watch =
            Watch { dispatch, upid, outlived_grace: None, stop_requested: false, log_next: 0, resumed: None };
        StepState::Watching { watch, busy: 0, sent: 1 }
    } else {
        StepState::Dispatching { dispatch, busy: 0, sent: 1 }
    };
    op
}

/// What the rest of the cluster shows: by the second since the call.
type Sight = fn(i64) -> Option<Seen>;

/// Drives it while its first node is silent; what the others show changes as `sight` says. The outcome or, if
/// it wants to send something, where; and when that was, in seconds.
fn drive(mut op: Operation, sight: Sight) -> (Result<Outcome, String>, i64, Operation) {
    let timing = Timing::default();
    let mut facts = Facts { now: T0, ..Facts::default() };
    let away = || Some(PveError::NotDelivered("595 No route to host".into()));
    for _ in 0..20_000 {
        let seen = sight((facts.now - T0) / SECOND);
        match plan(&op, &facts, &timing) {
            Next::Commit(Change::Finish(outcome)) => return (Ok(outcome), (facts.now - T0) / SECOND, op),
            Next::Commit(change) => {
                apply(&mut op, change, facts.now, &timing).unwrap();
                facts = Facts { now: facts.now, ..Facts::default() };
            }
            Next::Wait { until } => facts = Facts { now: until, ..Facts::default() },
            Next::List { at, .. } => {
                facts.now = facts.now.max(at);
                facts.trouble = away();
            }
            Next::Follow { .. } => {
                facts.now += SECOND;
                facts.trouble = away();
            }
            Next::StopTask { .. } => facts.trouble = away(),
            Next::Look { .. } => match seen {
                Some(seen) => facts.seen = Some(seen),
                None => facts.trouble = away(),
            },
            Next::LookForImage { .. } | Next::TakeVmid { .. } | Next::Work { .. } | Next::StopWork { .. } => {
                facts.trouble = away()
            }
            Next::Search { silent } => {
                assert_eq!(silent, "pve1");
                facts.found = Some(seen.map_or(Found::Nowhere, Found::Elsewhere));
            }
            Next::Dispatch { node, .. } => return (Err(node), (facts.now - T0) / SECOND, op),
            Next::Idle => panic!("idle: {op:#?}"),
        }
    }
    panic!("never ends: {op:#?}");
}

fn ended(op: Operation, sight: Sight) -> (Outcome, i64, Operation) {
    let (result, at, op) = drive(op, sight);
    (result.unwrap(), at, op)
}

#[test]
fn a_start_whose_container_runs_elsewhere_has_succeeded() {
    for known in [true, false] {
        let (outcome, at, op) = ended(sent(Kind::Start, true, known), |second| {
            (second >= 130).then(|| there(Power::Running, Some("started")))
        });
        assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:#?}");
        let said = "pve1 did not answer; HA recovered lab/104 on pve2";
        assert_eq!(outcome.warnings, [said]);
        assert!((130..300).contains(&at), "with the next look, not a day later: {at}");
        assert_eq!(op.target.node, "pve2", "its record says where it is");
    }
}

#[test]
fn ha_has_its_time_after_a_recovery_too() {
    // The request was taken, then the node died: HA begins on the other one after more than its usual time.
    let mut op = sent(Kind::Start, true, true);
    let timing = Timing::default();
    apply(&mut op, Change::TaskEnded { step: 0, exit: TaskExit::Ok, log: Vec::new() }, T0, &timing).unwrap();
    let (outcome, at, _) = ended(op.clone(), |second| match second {
        ..130 => None,
        130..160 => Some(there(Power::Stopped, Some("started"))),
        _ => Some(there(Power::Running, Some("started"))),
    });
    assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:#?}");
    assert!((160..200).contains(&at), "{at}");
    // It has no more than that.
    let (outcome, at, _) =
        ended(op, |second| (second >= 130).then(|| there(Power::Stopped, Some("started"))));
    assert_eq!(outcome.error.unwrap().code.as_str(), "LXC0105");
    assert!((250..320).contains(&at), "counted from when it was found there: {at}");
}

#[test]
fn somebody_who_moved_it_by_hand_is_not_called_ha() {
    let (outcome, ..) =
        ended(sent(Kind::Start, false, true), |second| (second >= 600).then(|| there(Power::Running, None)));
    assert_eq!(outcome.warnings, ["pve1 did not answer; lab/104 is on pve2 now"]);
    let (outcome, ..) =
        ended(sent(Kind::Start, false, true), |second| (second >= 600).then(|| there(Power::Stopped, None)));
    assert_eq!(outcome.ending, Ending::Failed, "its task is gone, and nobody starts it: {outcome:#?}");
    assert_eq!(outcome.error.unwrap().code.as_str(), "LXC0104");
}

#[test]
fn what_ha_is_about_to_start_is_waited_for() {
    let (outcome, at, _) = ended(sent(Kind::Start, true, true), |second| match second {
        ..130 => None,
        130..220 => Some(there(Power::Stopped, Some("recovery"))),
        _ => Some(there(Power::Running, Some("started"))),
    });
    assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:#?}");
    assert!((220..260).contains(&at), "{at}");
}

#[test]
fn a_stop_that_ha_undoes_elsewhere_has_failed() {
    // Down for a moment, as everything is that HA recovers: that is not the stop that was asked for.
    let (outcome, at, _) = ended(sent(Kind::Stop, true, true), |second| match second {
        ..130 => None,
        130..150 => Some(there(Power::Stopped, Some("recovery"))),
        _ => Some(there(Power::Running, Some("started"))),
    });
    assert_eq!(outcome.ending, Ending::Failed, "{outcome:#?}");
    let error = outcome.error.unwrap();
    assert_eq!(error.code.as_str(), "LXC0104");
    assert!(error.why[0].contains("HA recovered lab/104 on pve2, where it is running"), "{error:#?}");
    assert!(at < 600, "{at}");
}

#[test]
fn a_stop_that_holds_elsewhere_has_succeeded() {
    for state in ["stopped", "request_stop", "disabled"] {
        assert!(Ha { state: state.into() }.leaves_it_down());
    }
    let (outcome, _, op) = ended(sent(Kind::Shutdown { grace: 30, force: true }, true, true), |second| {
        (second >= 130).then(|| there(Power::Stopped, Some("stopped")))
    });
    assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:#?}");
    let StepState::Done { how, .. } = op.steps[0].state else { panic!("{op:#?}") };
    assert_eq!(how, Some(How::Unobserved), "nobody knows who stopped it");
}

#[test]
fn a_call_without_a_trace_is_sent_once_more_where_the_container_is() {
    let lost = |second| (second >= 130).then(|| there(Power::Running, Some("started")));
    let (again, at, _) = drive(sent(Kind::Stop, true, false), lost);
    assert_eq!(again, Err("pve2".to_owned()));
    assert!((130..300).contains(&at), "{at}");
    // Once, and not a second time.
    let mut op = sent(Kind::Stop, true, false);
    let StepState::Dispatching { sent: times, .. } = &mut op.steps[0].state else { panic!() };
    *times = 2;
    assert_eq!(ended(op, lost).0.ending, Ending::NeedsAttention);
    // Not to what HA only lets lie for a moment: there is nothing to stop yet.
    let (again, at, _) = drive(sent(Kind::Stop, true, false), |second| match second {
        ..130 => None,
        130..400 => Some(there(Power::Stopped, Some("recovery"))),
        _ => Some(there(Power::Running, Some("started"))),
    });
    assert_eq!(again, Err("pve2".to_owned()));
    assert!(at >= 400, "{at}");
}

#[test]
fn another_container_elsewhere_is_not_touched() {
    for known in [true, false] {
        let (outcome, ..) = ended(sent(Kind::Start, true, known), |second| {
            let Seen::There { node, live, config, .. } = there(Power::Running, Some("started")) else {
                panic!()
            };
            (second >= 130).then_some(Seen::There { node, live, same: Some(false), config })
        });
        assert_eq!(outcome.error.unwrap().code.as_str(), "LXC0103");
    }
}

#[test]
fn a_delete_is_done_when_the_cluster_has_it_no_more() {
    let delete = Kind::Delete { destroy_unreferenced_disks: false };
    for known in [true, false] {
        let (outcome, ..) = ended(sent(delete.clone(), false, known), |_| Some(Seen::Absent));
        assert_eq!(outcome.ending, Ending::Succeeded, "{outcome:#?}");
        assert!(outcome.warnings[0].contains("no container lab/104 any more"), "{outcome:#?}");
    }
    let (outcome, at, _) = ended(sent(delete, false, true), |second| {
        (second >= 130).then(|| there(Power::Running, Some("started")))
    });
    assert_eq!(outcome.ending, Ending::Failed, "half destroyed at most, and it says where: {outcome:#?}");
    assert!(at < 300, "HA has nothing to do about a delete: {at}");
}

#[test]
fn ha_that_failed_says_what_helps() {
    let (outcome, ..) = ended(sent(Kind::Start, true, true), |second| {
        (second >= 130).then(|| there(Power::Stopped, Some("error")))
    });
    assert_eq!(outcome.error.unwrap().code.as_str(), "LXC0105");
}

#[test]
fn a_silent_node_is_given_up_after_a_day() {
    let timing = Timing::default();
    for known in [true, false] {
        let (outcome, at, _) = ended(sent(Kind::Start, true, known), |_| None);
        assert_eq!(outcome.ending, Ending::NeedsAttention);
        let day = micros(timing.attention_after) / SECOND;
        assert!((day..day + 120).contains(&at), "{at}");
    }
}

#[test]
fn a_short_silence_is_not_looked_past() {
    // An orderly move while the node's daemons restart: its task will tell how it ended, a moment later.
    let (op, timing) = (sent(Kind::Start, true, true), Timing::default());
    let op = Operation { degraded_since: Some(T0), ..op };
    let trouble = Some(PveError::NotDelivered("595 Connection refused".into()));
    let at = |second| Facts { now: T0 + second * SECOND, trouble: trouble.clone(), ..Facts::default() };
    assert!(matches!(plan(&op, &at(29), &timing), Next::Wait { .. }));
    assert_eq!(plan(&op, &at(30), &timing), Next::Search { silent: "pve1".into() });
    let nowhere = Facts { found: Some(Found::Nowhere), ..at(30) };
    assert!(matches!(plan(&op, &nowhere, &timing), Next::Wait { .. }));
    // A refused token says nothing about the node.
    let refused = Facts { trouble: Some(PveError::Unauthorized("no".into())), ..at(30) };
    assert!(matches!(plan(&op, &refused, &timing), Next::Wait { .. }));
}

/// The task was there too late: the container had moved between the look and the call.
#[test]
fn a_task_that_found_no_container_is_sent_after_it() {
    let timing = Timing::default();
    let cases = [
        (Kind::Start, Power::Stopped, "Configuration file 'nodes/pve1/lxc/104.conf' does not exist"),
        (Kind::Stop, Power::Running, "CT 104 not running"),
    ];
    for (kind, power, text) in cases {
        let mut op = sent(kind, false, true);
        let mut facts = Facts { now: T0, ..Facts::default() };
        facts.ended = Some((TaskExit::Error(text.to_owned()), Vec::new()));
        for _ in 0..20 {
            match plan(&op, &facts, &timing) {
                Next::Dispatch { node, .. } => {
                    assert_eq!(node, "pve2");
                    break;
                }
                Next::Commit(change) => {
                    assert!(!matches!(change, Change::Finish(_)), "{change:#?}");
                    apply(&mut op, change, facts.now, &timing).unwrap();
                    facts = Facts { now: facts.now, ..Facts::default() };
                }
                Next::Wait { until } => facts = Facts { now: until, ..Facts::default() },
                Next::Look { .. } => facts.seen = Some(there(power, None)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(op.steps[0].state.name(), "pending", "sent again: {op:#?}");
    }
}

/// What runs elsewhere has not outlived the grace of a shutdown that died with its node.
#[test]
fn a_grace_that_ends_in_silence_is_nobodys() {
    let shutdown = Kind::Shutdown { grace: 30, force: true };
    let (outcome, at, op) =
        ended(sent(shutdown, false, true), |second| (second >= 10).then(|| there(Power::Running, None)));
    assert_eq!(outcome.ending, Ending::Failed, "{outcome:#?}");
    assert!(at < 120, "{at}");
    let StepState::Verifying { watch, .. } = &op.steps[0].state else { panic!("{op:#?}") };
    assert_eq!(watch.outlived_grace, None);
}

//! The OS image that comes before its container: what the end of its task means beside what is on the storage, and what a
//! node that is silent meanwhile changes.

use lxc_core::create::OnFailure;
use lxc_core::error::Code;
use lxc_core::op::{
    Change, Dispatch, Ending, Facts, Kind, Next, Operation, Outcome, Reply, StepKind, StepState, Watch, plan,
};
use lxc_core::ports::PveError;
use lxc_core::pve::{Call, Refusal, TaskExit};
use lxc_core::timing::Timing;

use super::arbitrary::{FILE, OURS, T0, create, operation, upid_of, with_download};

const SECOND: i64 = 1_000_000;

fn kind() -> Kind {
    with_download(create(true, OnFailure::Delete))
}

fn watch() -> Watch {
    let dispatch = Dispatch {
        call: Call::Download { storage: "local".into(), file: FILE.into() },
        node: "pve1".into(),
        identity: OURS.into(),
        baseline: Vec::new(),
        newest_start: 0,
        at: T0,
        ha: false,
    };
    Watch {
        dispatch,
        upid: upid_of(7, "download", FILE, OURS),
        outlived_grace: None,
        stop_requested: false,
        log_next: 0,
        resumed: None,
    }
}

/// A create whose download stands there.
fn standing(state: StepState) -> Operation {
    let mut op = operation(kind());
    op.steps[0].state = state;
    op
}

fn ended(watch: Watch, exit: TaskExit) -> Operation {
    let tail = vec!["downloading it".to_owned(), "wget: unable to resolve host address".to_owned()];
    standing(StepState::Verifying { watch, exit, tail, ended: T0, busy: 0, sent: 1 })
}

fn next(op: &Operation, image: Option<bool>) -> Next {
    plan(op, &Facts { now: T0, image, ..Facts::default() }, &Timing::default())
}

fn outcome(next: Next) -> Outcome {
    match next {
        Next::Commit(Change::Finish(outcome)) => outcome,
        other => panic!("not the end: {other:?}"),
    }
}

#[test]
fn it_comes_first_and_only_a_newer_lxcd_takes_it_up() {
    let (with, without) = (kind(), create(true, OnFailure::Delete));
    assert_eq!(with.steps()[..2], [StepKind::Download, StepKind::Create]);
    assert_eq!((with.version(), without.version(), Kind::VERSION), (3, 2, 3));
    assert_eq!(without.steps()[0], StepKind::Create);
    let stored = serde_json::to_string(&without).unwrap();
    assert!(!stored.contains("download"), "what an older one stored and reads stays as it was: {stored}");
    assert_eq!(serde_json::from_str::<Kind>(&serde_json::to_string(&with).unwrap()).unwrap(), with);
    assert_eq!(with.step_words(StepKind::Download), format!("downloading {FILE}"));
}

#[test]
fn what_is_there_is_not_downloaded() {
    let op = operation(kind());
    assert!(
        matches!(next(&op, None), Next::LookForImage { volume, .. } if volume == format!("local:vztmpl/{FILE}"))
    );
    assert!(matches!(next(&op, Some(true)), Next::Commit(Change::StepDone { step: 0, .. })));
    let Next::Dispatch { call, .. } = next(&op, Some(false)) else { panic!() };
    assert_eq!(call.describe(104), format!("POST …/aplinfo storage=local template={FILE}"));
}

/// Of two creates that want the same image one may be told that there is something in its way.
#[test]
fn that_it_is_there_counts_whatever_its_task_says() {
    for exit in [
        TaskExit::Ok,
        TaskExit::Error("unable to rename".into()),
        TaskExit::Vanished("unexpected status".into()),
    ] {
        let done = next(&ended(watch(), exit.clone()), Some(true));
        assert!(matches!(done, Next::Commit(Change::StepDone { step: 0, .. })), "{exit:?}: {done:?}");
    }
}

#[test]
fn a_task_that_did_not_bring_it_is_a_failure_in_its_words_and_nothing_is_to_be_deleted() {
    for (exit, words) in [
        (TaskExit::Error("download failed: exit code 4".into()), "download failed: exit code 4"),
        (TaskExit::Vanished("unexpected status".into()), "without a word"),
        (TaskExit::Ok, "does not list it"),
    ] {
        let op = ended(watch(), exit);
        assert!(matches!(next(&op, None), Next::LookForImage { .. }), "it is looked at first");
        let outcome = outcome(next(&op, Some(false)));
        let error = outcome.error.unwrap();
        assert_eq!((outcome.ending, error.code), (Ending::Failed, Code::DownloadFailed));
        assert!(error.why[0].contains(words), "{error:?}");
        assert_eq!(error.why.last().unwrap(), "wget: unable to resolve host address");
        assert!(error.tries.iter().any(|hint| hint.command.starts_with("lxcctl op retry ")), "{error:?}");
    }
}

#[test]
fn a_cancel_aborts_it() {
    let mut op = standing(StepState::Watching { watch: watch(), busy: 0, sent: 1 });
    op.cancel = true;
    assert!(matches!(next(&op, None), Next::StopTask { step: 0, .. }));
    for exit in [
        TaskExit::Vanished("received interrupt".into()),
        TaskExit::Error("download failed: interrupted by signal".into()),
    ] {
        let watch = Watch { stop_requested: true, ..watch() };
        let op = Operation { cancel: true, ..ended(watch, exit) };
        assert_eq!(outcome(next(&op, Some(false))).ending, Ending::Cancelled);
    }
}

/// Nothing that matters can be half done: it is a failure, and nobody has to look.
#[test]
fn a_call_that_left_no_trace_is_sent_once_more_then_given_up() {
    let timing = Timing::default();
    let late = T0 + 3600 * SECOND;
    let decide = |sent, image| {
        let op = standing(StepState::Dispatching { dispatch: watch().dispatch, busy: 0, sent });
        let facts = Facts { now: late, listed: Some(Vec::new()), image, ..Facts::default() };
        plan(&op, &facts, &timing)
    };
    assert!(matches!(decide(1, None), Next::LookForImage { .. }));
    assert!(matches!(decide(1, Some(true)), Next::Commit(Change::StepDone { .. })));
    assert_eq!(decide(1, Some(false)), Next::Commit(Change::Again(0)));
    assert_eq!(outcome(decide(2, Some(false))).ending, Ending::Failed);
}

#[test]
fn what_proxmox_refuses_is_refused_before_anything_is_begun() {
    let op = standing(StepState::Dispatching { dispatch: watch().dispatch, busy: 0, sent: 1 });
    let text = "Permission check failed (/storage/local, Datastore.AllocateTemplate)";
    let reply = Some(Reply::Error(PveError::Refused(Refusal::from_text(text))));
    let error =
        outcome(plan(&op, &Facts { now: T0, reply, ..Facts::default() }, &Timing::default())).error.unwrap();
    assert_eq!(error.code, Code::PvePrivilege);
    assert!(error.why[0].contains("Datastore.AllocateTemplate on /storage/local"), "{error:?}");
}

/// A container may be found elsewhere, a task may not.
#[test]
fn while_its_node_is_silent_it_is_waited_for() {
    let mut op = standing(StepState::Watching { watch: watch(), busy: 0, sent: 1 });
    op.degraded_since = Some(T0);
    let trouble = Some(PveError::NotDelivered("no route".into()));
    for after in [1, 60, 3600] {
        let facts = Facts { now: T0 + after * SECOND, trouble: trouble.clone(), ..Facts::default() };
        let next = plan(&op, &facts, &Timing::default());
        assert!(matches!(next, Next::Wait { .. }), "after {after} s: {next:?}");
    }
}

#[test]
fn giving_up_on_its_node_leaves_nothing_to_look_after() {
    let silent = |op: &Operation| {
        let trouble = Some(PveError::NotDelivered("595 No route to host".to_owned()));
        outcome(plan(
            op,
            &Facts { now: T0 + 90_000 * SECOND, trouble, ..Facts::default() },
            &Timing::default(),
        ))
    };
    let mut op = standing(StepState::Watching { watch: watch(), busy: 0, sent: 1 });
    op.degraded_since = Some(T0);
    let late = silent(&op);
    assert_eq!(late.ending, Ending::Failed, "a day later: {late:#?}");
    op.abandon = true;
    assert_eq!(silent(&op).ending, Ending::Cancelled);
    // Once its container was asked for somebody has to look.
    let sent = watch();
    op.steps[0].state = StepState::Done { upid: None, exit: "OK".into(), how: None };
    op.steps[1].state = StepState::Watching { watch: sent, busy: 0, sent: 1 };
    assert_eq!(silent(&op).ending, Ending::NeedsAttention);
}

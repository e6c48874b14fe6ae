//! The commit by an owner: everything of a change or nothing, once, under its fence.

use lxc_core::error::{Code, Error};
use lxc_core::ids::ContainerId;
use lxc_core::op::{Change, Kind, Operation, Outcome, State, StepState};
use lxc_core::ports::{Committed, LogPage, OpStore};
use lxc_core::pve::{Power, TaskExit};
use lxc_core::record::AuditFilter;

use super::make::{
    S, T0, actor, admitted, advance, after, audit, container, daemon, dispatch, installation, operation,
    request, submit, upid,
};

on_both! {
    async fn many_at_once_are_each_written_or_refused_by_themselves(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let mut changed = Vec::new();
        for vmid in 100..116 {
            let op = admitted(&db.store, me, vmid).await;
            let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0).await;
            // A task that another has already cannot be written down.
            let task = if vmid == 112 { 110 } else { vmid };
            let change = Change::Watching { step: 0, upid: upid(1, task), adopted: false };
            let (mut next, events) = after(&op, change, T0 + S);
            next.fence += i64::from(vmid == 114);
            changed.push((next, events));
        }
        let commits = changed.iter().map(|(op, events)| db.store.commit(op, events, T0 + S));
        let committed = futures::future::join_all(commits).await;
        for ((op, _), committed) in changed.iter().zip(committed) {
            let stored = db.store.operation(op.id).await.unwrap().unwrap();
            let written = stored.steps[0].state.name() == "watching";
            match (op.target.vmid, committed) {
                (114, Ok(Committed::Fenced)) => assert!(!written),
                // Whichever of the two came first.
                (110 | 112, result) => assert_eq!(result.is_ok(), written),
                (_, Ok(Committed::Yes { .. })) => assert!(written),
                (vmid, other) => panic!("{vmid}: {other:?}"),
            }
        }
        assert_eq!(db.number("SELECT COUNT(*) FROM step WHERE state = 'watching'").await, 14);
    }

    async fn an_operation_is_read_as_it_was_written_at_every_step(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let ended = Change::TaskEnded { step: 0, exit: TaskExit::Warnings(1), log: vec!["WARN: näh".into()] };
        let changes = [
            Change::Degraded("no route".into()),
            Change::Recovered,
            Change::Dispatching(0, dispatch()),
            Change::NotSent { step: 0, not_before: T0 + S, busy: true },
            Change::Dispatching(0, dispatch()),
            Change::Again(0),
            Change::Dispatching(0, dispatch()),
            Change::Watching { step: 0, upid: upid(1, 104), adopted: true },
            Change::Log { step: 0, page: LogPage { lines: vec!["a line".into()], next: 1 } },
            Change::StopRequested(0),
            ended,
            Change::StepDone { step: 0, exit: "OK".into(), warning: Some("look".into()) },
            Change::Finish(Outcome::done()),
        ];
        let mut op = op;
        for (n, change) in (1..).zip(changes) {
            op = advance(&db.store, &op, change, T0 + n * S).await;
            assert_eq!(db.other.operation(op.id).await.unwrap().unwrap(), op);
        }
        let events = db.store.operation_events(op.id, 0, 100).await.unwrap();
        let seqs: Vec<i64> = events.iter().map(|event| event.operation.unwrap().1).collect();
        assert_eq!(seqs, (1..=op.last_seq).collect::<Vec<_>>());
    }

    async fn the_last_lines_of_a_log_stay(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0).await;
        let mut op =
            advance(&db.store, &op, Change::Watching { step: 0, upid: upid(1, 104), adopted: false }, T0).await;
        let before = db.store.operation_events(op.id, 0, 5_000).await.unwrap();
        for page in 1..=5_u64 {
            let lines = (0..500).map(|n| format!("page {page} line {n}")).collect();
            let change = Change::Log { step: 0, page: LogPage { lines, next: page * 500 } };
            op = advance(&db.store, &op, change, T0 + S).await;
        }
        let events = db.store.operation_events(op.id, 0, 5_000).await.unwrap();
        let log: Vec<&str> =
            events.iter().filter(|event| event.kind == "log").map(|event| event.data.message.as_str()).collect();
        assert_eq!(log.len(), 2_000);
        assert_eq!((log[0], log[1_999]), ("page 2 line 0", "page 5 line 499"));
        assert_eq!(events.len(), before.len() + 2_000, "what is not log stays, whatever its age");
    }

    async fn the_end_takes_lock_audit_and_container_with_it(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let row = container(104);
        db.store.record_containers(&installation(), std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let mut op = operation(Kind::Start, 104);
        op.target.container_id = row.id;
        let op = submit(&db.store, me, &request(vec![op])).await.ours.remove(0);
        let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0 + S).await;
        let op = advance(&db.store, &op, Change::Watching { step: 0, upid: upid(1, 104), adopted: false }, T0 + S).await;
        let op = advance(&db.store, &op, Change::TaskEnded { step: 0, exit: TaskExit::Ok, log: vec![] }, T0 + S).await;
        let op = advance(&db.store, &op, Change::StepDone { step: 0, exit: "OK".into(), warning: None }, T0 + 2 * S).await;
        let seen = db.store.container(&row.installation, 104).await.unwrap().unwrap();
        assert_eq!((seen.power, seen.observed), (Some(Power::Running), T0 + 2 * S), "known with the step");
        assert_eq!(db.store.held_locks().await.unwrap().len(), 1);
        let op = advance(&db.store, &op, Change::Finish(Outcome::done()), T0 + 3 * S).await;
        assert!(db.store.held_locks().await.unwrap().is_empty());
        let audit = db.store.audit_rows(&AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();
        assert_eq!((audit[0].result.as_deref(), audit[0].ended), (Some("started"), Some(T0 + 3 * S)));
        assert_eq!(audit[0].actor, actor());
        let (late, events) = after(&Operation { state: State::Running, ..op.clone() }, Change::Recovered, T0);
        assert_eq!(db.store.commit(&late, &events, T0).await.unwrap(), Committed::Fenced, "over is over");
    }

    async fn a_commit_whose_answer_was_lost_counts_once(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let (next, events) = after(&op, Change::Dispatching(0, dispatch()), T0 + S);
        let first = db.store.commit(&next, &events, T0 + S).await.unwrap();
        assert_eq!(db.store.commit(&next, &events, T0 + S).await.unwrap(), first, "asked again");
        let op = Operation { last_seq: op.last_seq + 1, ..next };
        let (last, events) = after(&op, Change::Finish(Outcome::done()), T0 + 2 * S);
        let first = db.store.commit(&last, &events, T0 + 2 * S).await.unwrap();
        assert_eq!(db.store.commit(&last, &events, T0 + 2 * S).await.unwrap(), first, "its end as well");
        let stored = db.store.operation_events(op.id, 0, 100).await.unwrap();
        assert_eq!(stored.len(), 3, "opening, dispatching, end: {stored:#?}");
    }

    async fn attention_is_marked_and_cleared(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let row = container(104);
        db.store.record_containers(&installation(), std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let mark = async || db.store.container(&row.installation, 104).await.unwrap().unwrap().attention;
        let end = async |outcome| {
            let mut op = operation(Kind::Start, 104);
            op.target.container_id = row.id;
            let op = submit(&db.store, me, &request(vec![op])).await.ours.remove(0);
            advance(&db.store, &op, Change::Finish(outcome), T0 + S).await
        };
        let unknown = || Outcome::unknown(Error::new(Code::OutcomeUnknown, "nobody knows"));
        let op = end(unknown()).await;
        assert_eq!(mark().await, Some(op.id.to_string()));
        assert!(db.store.held_locks().await.unwrap().is_empty(), "the lock is free");
        end(Outcome::refused(Error::new(Code::Locked, "no"))).await;
        assert!(mark().await.is_some(), "a refusal says nothing about it");
        end(Outcome::done()).await;
        assert_eq!(mark().await, None, "a success does");
        let op = end(unknown()).await;
        db.store.resolve_attention(&op, true, &audit("resolve succeeded")).await.unwrap();
        assert_eq!(mark().await, None);
        let resolved = db.store.operation(op.id).await.unwrap().unwrap();
        assert_eq!(resolved.state.name(), "succeeded");
        db.store.resolve_attention(&op, false, &audit("resolve failed")).await.unwrap();
        assert_eq!(db.store.operation(op.id).await.unwrap().unwrap(), resolved, "once");
    }

    async fn a_deleted_container_is_closed_and_its_number_may_be_used_again(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let row = container(104);
        db.store.record_containers(&installation(), std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let mut op = operation(Kind::Forget, 104);
        op.target.container_id = row.id;
        let op = submit(&db.store, me, &request(vec![op])).await.ours.remove(0);
        advance(&db.store, &op, Change::StepDone { step: 0, exit: "-".into(), warning: None }, T0 + S).await;
        assert_eq!(db.store.container(&row.installation, 104).await.unwrap(), None);
        let next = container(104);
        db.store.record_containers(&installation(), std::slice::from_ref(&next), &[], &[], T0 + S).await.unwrap();
        assert_eq!(db.store.container(&row.installation, 104).await.unwrap().unwrap().id, next.id);
    }

    async fn tasks_of_others_are_known(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0 + S).await;
        let op = advance(&db.store, &op, Change::Watching { step: 0, upid: upid(1, 104), adopted: false }, T0 + S).await;
        assert!(db.store.taken_upids(&op).await.unwrap().is_empty(), "its own is not taken");
        let rival = operation(Kind::Start, 104);
        assert_eq!(db.store.taken_upids(&rival).await.unwrap(), [upid(1, 104)].into());
        assert!(db.store.taken_upids(&operation(Kind::Start, 105)).await.unwrap().is_empty());
    }

    async fn what_has_ended_is_not_written_again(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = operation(Kind::Restart { grace: 60, force: true }, 104);
        let op = submit(&db.store, me, &request(vec![op])).await.ours.remove(0);
        let done = |step| Change::StepDone { step, exit: "-".to_owned(), warning: None };
        let op = advance(&db.store, &op, done(0), T0 + S).await;
        let first = "UPDATE step SET kind = 'left alone' WHERE idx = 0";
        sqlx::query(first).execute(&db.raw).await.unwrap();
        let op = advance(&db.store, &op, done(1), T0 + 2 * S).await;
        advance(&db.store, &op, Change::Finish(Outcome::done()), T0 + 3 * S).await;
        assert_eq!(db.number("SELECT COUNT(*) FROM step WHERE kind = 'left alone'").await, 1);
        assert_eq!(db.number("SELECT COUNT(*) FROM step WHERE state = 'done'").await, 2);
    }

    async fn a_step_carried_over_by_a_retry_leaves_its_task_to_who_ran_it(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0 + S).await;
        let op = advance(&db.store, &op, Change::Watching { step: 0, upid: upid(1, 104), adopted: false }, T0 + S).await;
        let failed = Outcome::failed(Error::new(Code::TaskFailed, "no"), true);
        advance(&db.store, &op, Change::Finish(failed), T0 + 2 * S).await;
        let mut retry = operation(Kind::Restart { grace: 30, force: true }, 104);
        (retry.created, retry.retry_of) = (T0 + 10 * S, Some(op.id));
        retry.steps[0].state = StepState::Done { upid: Some(upid(1, 104)), exit: "OK".into(), how: None };
        retry.steps[0].finished = Some(T0 + 2 * S);
        let retry = submit(&db.store, me, &request(vec![retry])).await.ours.remove(0);
        advance(&db.store, &retry, Change::Dispatching(1, dispatch()), T0 + 11 * S).await;
        assert_eq!(db.number("SELECT COUNT(*) FROM step WHERE upid IS NOT NULL").await, 1);
    }

    async fn wishes_are_durable_and_told_with_the_next_commit(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        assert_eq!(db.store.wishes(op.id).await.unwrap(), (false, false));
        assert!(db.other.request_cancel(op.id, false, &audit("cancel")).await.unwrap());
        assert_eq!(db.store.wishes(op.id).await.unwrap(), (true, false));
        assert!(db.other.request_cancel(op.id, true, &audit("cancel")).await.unwrap());
        let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0 + S).await;
        assert!(op.cancel && op.abandon);
    }

    async fn the_identity_that_was_meant_is_found(db: Db) {
        let row = container(104);
        db.store.record_containers(&installation(), std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let mut op = operation(Kind::Start, 104);
        op.target.container_id = row.id;
        let identity = db.store.identity(&op).await.unwrap().unwrap();
        assert_eq!((identity.hwaddrs, identity.marker), (row.hwaddrs, None));
        op.target.container_id = ContainerId::generate();
        assert_eq!(db.store.identity(&op).await.unwrap(), None);
    }
}

/// The first of them may have been asked for by somebody who has given up since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_changes_of_one_operation_in_the_line_are_written_one_after_the_other() {
    let db = crate::database::Db::sqlite().await;
    let me = daemon(&db.store, "a", 3_600 * S).await;
    let mut changed = Vec::new();
    for vmid in 100..105 {
        let op = admitted(&db.store, me, vmid).await;
        let (sent, told) = after(&op, Change::Dispatching(0, dispatch()), T0);
        let mut next = sent.clone();
        next.last_seq += i64::try_from(told.len()).unwrap();
        let watching = Change::Watching { step: 0, upid: upid(1, vmid), adopted: false };
        changed.extend([(sent, told), after(&next, watching, T0 + S)]);
    }
    let commits = changed.iter().map(|(op, events)| db.store.commit(op, events, T0 + S));
    for committed in futures::future::join_all(commits).await {
        assert!(matches!(committed.unwrap(), Committed::Yes { .. }));
    }
    assert_eq!(db.number("SELECT COUNT(*) FROM step WHERE state = 'watching'").await, 5);
}

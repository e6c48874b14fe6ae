//! Submit: one transaction, once per request id, refused or admitted in it.

use lxc_core::record::AuditFilter;
use std::time::Duration;

use lxc_core::error::Code;
use lxc_core::ids::OperationId;
use lxc_core::op::{Kind, State};
use lxc_core::ports::OpStore;
use lxcd::store::Submitted;

use super::make::{S, T0, admitted, audit, daemon, operation, request, submit};

on_both! {
    async fn the_same_request_is_stored_once(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let request = request(vec![operation(Kind::Start, 104)]);
        let claims = submit(&db.store, me, &request).await;
        assert_eq!(claims.ours.len(), 1);
        assert!(matches!(db.store.submit(&request, me).await.unwrap(), Submitted::Replayed(id) if id == request.id));
        let other = lxcd::store::NewRequest { digest: "other".to_owned(), ..request.clone() };
        assert!(matches!(db.store.submit(&other, me).await.unwrap(), Submitted::Reused));
        assert_eq!(db.store.batch(request.id).await.unwrap().len(), 1);
        assert_eq!(db.number("SELECT COUNT(*) FROM event").await, 1, "the opening");
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 1);
    }

    async fn the_same_request_at_once_from_many_is_stored_once(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let request = request(vec![operation(Kind::Start, 104), operation(Kind::Start, 105)]);
        let attempts = (0..8).map(|n| {
            let (store, request) = (if n % 2 == 0 { &db.store } else { &db.other }, &request);
            async move { store.submit(request, me).await.unwrap() }
        });
        let answers = futures::future::join_all(attempts).await;
        let new = answers.iter().filter(|answer| matches!(answer, Submitted::New(_))).count();
        assert_eq!(new, 1, "{answers:?}");
        assert!(!answers.iter().any(|answer| matches!(answer, Submitted::Reused)), "{answers:?}");
        assert_eq!(db.number("SELECT COUNT(*) FROM operation").await, 2);
    }

    async fn a_second_one_is_refused_with_the_holder_named(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let first = admitted(&db.store, me, 104).await;
        let second = request(vec![operation(Kind::Stop, 104)]);
        let claims = submit(&db.store, me, &second).await;
        assert!(claims.ours.is_empty());
        let refused = db.store.operation(claims.ended[0]).await.unwrap().unwrap();
        let error = refused.outcome().unwrap().error.clone().unwrap();
        assert_eq!(error.code, Code::Locked);
        assert!(format!("{error:?}").contains(&first.id.short()), "{error:?}");
        let audit = db.store.audit_rows(&AuditFilter { limit: 10, ..AuditFilter::default() }).await.unwrap();
        assert_eq!(audit[1].result.as_deref(), Some("refused"));
        assert_eq!(audit[1].code.as_deref(), Some(Code::Locked.as_str()));
        let locks = db.store.held_locks().await.unwrap();
        assert_eq!(locks.len(), 1);
        assert_eq!(locks[0].2, first.id.to_string());
    }

    async fn one_that_waits_is_admitted_when_the_lock_is_free_and_refused_when_its_time_is_over(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let first = admitted(&db.store, me, 104).await;
        let mut patient = operation(Kind::Stop, 104);
        patient.lock_deadline = Some(T0 + 60 * S);
        let mut hasty = operation(Kind::Stop, 104);
        hasty.lock_deadline = Some(T0 + 5 * S);
        let claims = submit(&db.store, me, &request(vec![patient.clone()])).await;
        assert!(claims.ours.is_empty() && claims.ended.is_empty());
        // The loop looks after each submit, and is told.
        let waiting = db.store.claim(me, T0.into()).await.unwrap().wake_in;
        assert_eq!(waiting, Some(Duration::from_secs(60)));
        submit(&db.store, me, &request(vec![hasty.clone()])).await;
        let claims = db.store.claim(me, (T0 + 6 * S).into()).await.unwrap();
        assert_eq!(claims.ended, [hasty.id]);
        finish(&db, first.id).await;
        let claims = db.store.claim(me, (T0 + 7 * S).into()).await.unwrap();
        assert_eq!(claims.ours.iter().map(|op| op.id).collect::<Vec<_>>(), [patient.id]);
        assert_eq!(claims.ours[0].state, State::Running);
    }

    async fn a_batch_keeps_to_its_bounds(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (100..110).map(|vmid| operation(Kind::Start, vmid)).collect();
        let batch = lxcd::store::NewRequest { max_parallel: 3, ..request(ops) };
        let claims = submit(&db.store, me, &batch).await;
        assert_eq!(claims.ours.len(), 3);
        assert!(db.store.claim(me, (T0 + S).into()).await.unwrap().ours.is_empty());
        finish(&db, claims.ours[0].id).await;
        assert_eq!(db.store.claim(me, (T0 + 2 * S).into()).await.unwrap().ours.len(), 1);
    }

    async fn slots_of_a_node_are_counted_across_batches_and_daemons(db: Db) {
        let (one, two) = (daemon(&db.store, "a", 30 * S).await, daemon(&db.other, "b", 30 * S).await);
        let delete = Kind::Delete { destroy_unreferenced_disks: false };
        let batch = |first| request((first..first + 8).map(|vmid| operation(delete.clone(), vmid)).collect());
        let (first, second) = (batch(100), batch(200));
        let (a, b) = tokio::join!(submit(&db.store, one, &first), submit(&db.other, two, &second));
        assert_eq!(a.ours.len() + b.ours.len(), 4, "heavy slots of one node");
        assert_eq!(db.number("SELECT COUNT(*) FROM container_lock").await, 4);
    }

    async fn a_batch_that_stops_on_errors_stops(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (100..103).map(|vmid| operation(Kind::Start, vmid)).collect();
        let batch = lxcd::store::NewRequest { max_parallel: 1, on_error_stop: true, ..request(ops) };
        let claims = submit(&db.store, me, &batch).await;
        assert_eq!(claims.ours.len(), 1);
        fail(&db, claims.ours[0].id).await;
        let claims = db.store.claim(me, (T0 + S).into()).await.unwrap();
        assert!(claims.ours.is_empty());
        assert_eq!(claims.ended.len(), 2);
    }

    async fn a_queued_one_that_is_cancelled_never_begins(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let holder = admitted(&db.store, me, 104).await;
        let mut waiting = operation(Kind::Stop, 104);
        waiting.lock_deadline = Some(i64::MAX);
        submit(&db.store, me, &request(vec![waiting.clone()])).await;
        assert!(db.store.request_cancel(waiting.id, false, &audit("cancel")).await.unwrap());
        let claims = db.store.claim(me, (T0 + S).into()).await.unwrap();
        assert_eq!(claims.ended, [waiting.id]);
        finish(&db, holder.id).await;
        assert!(db.store.claim(me, (T0 + S).into()).await.unwrap().ours.is_empty());
        assert!(!db.store.request_cancel(waiting.id, false, &audit("cancel")).await.unwrap(), "over is over");
    }
}

async fn finish(db: &crate::database::Db, id: OperationId) {
    end(db, id, lxc_core::op::Outcome::done()).await;
}

async fn fail(db: &crate::database::Db, id: OperationId) {
    let error = lxc_core::error::Error::new(Code::TaskFailed, "no");
    end(db, id, lxc_core::op::Outcome::failed(error, false)).await;
}

async fn end(db: &crate::database::Db, id: OperationId, outcome: lxc_core::op::Outcome) {
    let op = db.store.operation(id).await.unwrap().unwrap();
    let (op, events) = super::make::after(&op, lxc_core::op::Change::Finish(outcome), T0 + S);
    assert!(matches!(
        db.store.commit(&op, &events, T0 + S).await.unwrap(),
        lxc_core::ports::Committed::Yes { .. }
    ));
}

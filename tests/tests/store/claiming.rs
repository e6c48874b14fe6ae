//! Leases and claims: who drives what, and how it changes hands.

use std::collections::HashSet;

use lxc_core::ids::OperationId;
use lxc_core::op::{Change, Kind, Operation, Outcome};
use lxc_core::ports::{Committed, OpStore};

use super::make::{S, T0, admitted, after, daemon, dispatch, operation, request, submit};

on_both! {
    async fn nobody_takes_what_is_driven(db: Db) {
        let one = daemon(&db.store, "a", 3_600 * S).await;
        let two = daemon(&db.other, "b", 3_600 * S).await;
        admitted(&db.store, one, 104).await;
        assert!(db.other.claim(two, T0.into()).await.unwrap().ours.is_empty());
        assert!(db.store.claim(one, T0.into()).await.unwrap().ours.is_empty(), "its own driver is at it");
    }

    async fn a_lease_that_ended_frees_its_operations_and_fences_the_owner_out(db: Db) {
        let one = daemon(&db.store, "a", -S).await;
        let op = admitted(&db.store, one, 104).await;
        assert_eq!(op.fence, 1);
        let two = daemon(&db.other, "b", 3_600 * S).await;
        let claims = db.other.claim(two, T0.into()).await.unwrap();
        assert_eq!(claims.ours.iter().map(|op| (op.id, op.fence)).collect::<Vec<_>>(), [(op.id, 2)]);
        let (late, events) = after(&op, Change::Dispatching(0, dispatch()), T0 + S);
        assert_eq!(db.store.commit(&late, &events, T0 + S).await.unwrap(), Committed::Fenced);
        let stored = db.store.operation(op.id).await.unwrap().unwrap();
        assert_eq!(stored.last_seq, op.last_seq, "nothing written");
        assert_eq!(stored.steps[0].state.name(), "pending");
        let (ours, events) = after(&claims.ours[0], Change::Dispatching(0, dispatch()), T0 + S);
        assert!(matches!(db.other.commit(&ours, &events, T0 + S).await.unwrap(), Committed::Yes { .. }));
    }

    async fn who_is_fenced_out_or_has_ended_holds_no_other_number(db: Db) {
        let one = daemon(&db.store, "a", -S).await;
        let op = admitted(&db.store, one, 104).await;
        assert!(db.store.hold_vmid(&op, 200, T0).await.unwrap());
        assert!(!db.store.hold_vmid(&op, 200, T0).await.unwrap(), "it is held");
        let two = daemon(&db.other, "b", 3_600 * S).await;
        let ours = db.other.claim(two, T0.into()).await.unwrap().ours.remove(0);
        assert!(!db.store.hold_vmid(&op, 201, T0).await.unwrap(), "another daemon drives it");
        assert!(db.other.hold_vmid(&ours, 201, T0).await.unwrap());
        let (ended, events) = after(&ours, Change::Finish(Outcome::done()), T0 + S);
        assert!(matches!(db.other.commit(&ended, &events, T0 + S).await.unwrap(), Committed::Yes { .. }));
        assert_eq!(db.number("SELECT COUNT(*) FROM container_lock").await, 0);
        assert!(!db.other.hold_vmid(&ours, 202, T0 + S).await.unwrap(), "it has ended");
        assert_eq!(db.number("SELECT COUNT(*) FROM container_lock").await, 0);
    }

    async fn a_retry_knows_what_it_takes_up_again(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let mut chain: Vec<OperationId> = Vec::new();
        for _ in 0..3 {
            let mut op = operation(Kind::Start, 104);
            op.retry_of = chain.last().copied();
            let op = submit(&db.store, me, &request(vec![op])).await.ours.remove(0);
            let earlier: Vec<OperationId> = chain.iter().rev().copied().collect();
            assert_eq!(db.other.earlier(&op).await.unwrap(), earlier);
            let (ended, events) = after(&op, Change::Finish(Outcome::done()), T0 + S);
            db.store.commit(&ended, &events, T0 + S).await.unwrap();
            chain.push(op.id);
        }
    }

    async fn a_restart_of_the_same_state_directory_takes_its_own_at_once(db: Db) {
        let before = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, before, 104).await;
        let again = daemon(&db.store, "a", 3_600 * S).await;
        let claims = db.store.claim(again, T0.into()).await.unwrap();
        assert_eq!(claims.ours.iter().map(|op| op.id).collect::<Vec<_>>(), [op.id]);
        assert!(!db.store.heartbeat(before, T0, T0 + S).await.unwrap(), "declared over");
        assert!(db.store.heartbeat(again, T0, T0 + S).await.unwrap());
    }

    async fn an_orderly_end_hands_over(db: Db) {
        let one = daemon(&db.store, "a", 3_600 * S).await;
        let two = daemon(&db.other, "b", 3_600 * S).await;
        let op = admitted(&db.store, one, 104).await;
        db.store.release_daemon(one).await.unwrap();
        assert_eq!(db.other.claim(two, T0.into()).await.unwrap().ours[0].id, op.id);
    }

    async fn a_heartbeat_keeps_a_lease(db: Db) {
        let one = daemon(&db.store, "a", -S).await;
        admitted(&db.store, one, 104).await;
        assert!(db.store.heartbeat(one, T0, T0 + 3_600 * S).await.unwrap());
        let two = daemon(&db.other, "b", 3_600 * S).await;
        assert!(db.other.claim(two, T0.into()).await.unwrap().ours.is_empty());
    }

    async fn kinds_of_a_newer_lxcd_are_left_alone(db: Db) {
        let gone = daemon(&db.store, "a", -S).await;
        let op = admitted(&db.store, gone, 104).await;
        let holder = operation(Kind::Start, 105);
        submit(&db.store, gone, &request(vec![holder])).await;
        assert!(db.accepts(&format!("UPDATE operation SET kind_version = 99 WHERE id = '{}'", op.id)).await);
        let two = daemon(&db.other, "b", 3_600 * S).await;
        let claimed: Vec<_> = db.other.claim(two, T0.into()).await.unwrap().ours;
        assert_eq!(claimed.iter().map(|op| op.target.vmid).collect::<Vec<_>>(), [105]);
    }

    async fn a_great_many_orphans_are_taken_in_one_go_after_the_other(db: Db) {
        let gone = daemon(&db.store, "gone", -S).await;
        let ops = (100..301).map(|vmid| operation(Kind::Forget, vmid)).collect();
        let all = lxcd::store::NewRequest { max_parallel: 1_000, ..request(ops) };
        // Of a batch, one transaction admits only some: nobody waits long for the one writer.
        let mut admitted = submit(&db.store, gone, &all).await.ours.len();
        assert!((1..201).contains(&admitted), "{admitted}");
        while admitted < 201 {
            let more = db.store.claim(gone, T0.into()).await.unwrap().ours.len();
            assert!(more > 0, "{admitted}");
            admitted += more;
        }
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let first = db.store.claim(me, T0.into()).await.unwrap();
        assert_eq!((first.ours.len(), first.wake_in), (200, Some(std::time::Duration::ZERO)));
        assert_eq!(db.store.claim(me, T0.into()).await.unwrap().ours.len(), 1);
    }

    async fn many_daemons_at_once_never_share_an_operation(db: Db) {
        let gone = daemon(&db.store, "gone", -S).await;
        // Half of them orphans, half of them waiting behind each other for the same containers.
        let mut expected = HashSet::new();
        for vmid in 100..116 {
            expected.insert(admitted(&db.store, gone, vmid).await.id);
        }
        rivals(&db, 200..208).await;
        let mut daemons = Vec::new();
        for n in 0..4 {
            daemons.push(daemon(&db.store, &format!("d{n}"), 3_600 * S).await);
        }
        let passes = daemons.iter().enumerate().map(|(n, me)| {
            let store = if n % 2 == 0 { &db.store } else { &db.other };
            async move {
                let mut mine: Vec<OperationId> = Vec::new();
                for _ in 0..3 {
                    mine.extend(store.claim(*me, T0.into()).await.unwrap().ours.iter().map(|op| op.id));
                }
                mine
            }
        });
        let taken = futures::future::join_all(passes).await.concat();
        let distinct: HashSet<_> = taken.iter().copied().collect();
        assert_eq!(distinct.len(), taken.len(), "given to two");
        assert!(distinct.is_superset(&expected));
        assert_eq!(distinct.len(), 16 + 8, "one of each pair of rivals");
        assert_eq!(db.number("SELECT COUNT(*) FROM container_lock").await, 24);
    }

    async fn looking_for_work_where_there_is_none_takes_no_write_lock(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        // On SQLite this is the one write lock; a pass that wanted it would wait for it.
        let mut writing = db.raw.begin_with(if db.sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }).await.unwrap();
        sqlx::query("UPDATE daemon SET pid = 2").execute(&mut *writing).await.unwrap();
        let claims = tokio::time::timeout(std::time::Duration::from_secs(2), db.other.claim(me, T0.into())).await;
        assert!(claims.unwrap().unwrap().ours.is_empty());
        writing.rollback().await.unwrap();
    }
}

/// Two operations for each container, all waiting, none admitted: the locks in their way are gone, and nobody
/// has looked since.
async fn rivals(db: &crate::database::Db, vmids: std::ops::Range<u32>) {
    let me = daemon(&db.store, "busy", 3_600 * S).await;
    let mut holders = Vec::new();
    for vmid in vmids {
        let waiting = || Operation { lock_deadline: Some(i64::MAX), ..operation(Kind::Forget, vmid) };
        let held = submit(&db.store, me, &request(vec![operation(Kind::Forget, vmid)])).await;
        holders.extend(held.ours);
        for _ in 0..2 {
            assert!(submit(&db.store, me, &request(vec![waiting()])).await.ours.is_empty());
        }
    }
    for holder in holders {
        let (done, events) = after(&holder, Change::Finish(Outcome::done()), T0 + S);
        assert!(matches!(db.store.commit(&done, &events, T0 + S).await.unwrap(), Committed::Yes { .. }));
    }
}

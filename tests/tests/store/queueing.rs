//! A long queue: what has to wait in it never keeps others waiting, and what is due is found wherever it is.

use std::time::Duration;

use lxc_core::op::{Change, Kind, Operation, Outcome};
use lxc_core::ports::{Committed, Now, OpStore};
use lxcd::store::{NewRequest, Store};

use super::make::{S, T0, admitted, after, audit, daemon, operation, request, submit};

/// More than is looked at in one go.
const LONG: u32 = 2_300;

/// Starts of so many containers, from this one on, one at a time.
fn long_batch(first: u32) -> NewRequest {
    let ops = (first..first + LONG).map(|vmid| operation(Kind::Start, vmid)).collect();
    NewRequest { max_parallel: 1, ..request(ops) }
}

fn on_node(node: &str, vmid: u32) -> Operation {
    let mut op = operation(Kind::Start, vmid);
    node.clone_into(&mut op.target.node);
    op
}

/// Ends one that runs.
async fn end(store: &Store, op: &Operation) {
    let (op, events) = after(op, Change::Finish(Outcome::cancelled("by a test", true)), T0 + S);
    assert!(matches!(store.commit(&op, &events, T0 + S).await.unwrap(), Committed::Yes { .. }));
}

on_both! {
    async fn a_long_batch_starves_nobody(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        assert_eq!(submit(&db.store, me, &long_batch(1_000)).await.ours.len(), 1);
        // Neither whoever comes afterwards …
        let begun = submit(&db.store, me, &request(vec![operation(Kind::Start, 104)])).await.ours;
        assert_eq!(begun.iter().map(|op| op.target.vmid).collect::<Vec<_>>(), [104]);
        // … nor whoever is told at once that it cannot begin.
        let ended = submit(&db.store, me, &request(vec![operation(Kind::Stop, 104)])).await.ended;
        assert_eq!(ended.len(), 1);
        assert_eq!(submit(&db.store, me, &long_batch(5_000)).await.ours.len(), 1, "nor another long one");
        assert!(db.store.claim(me, (T0 + S).into()).await.unwrap().ours.is_empty(), "each keeps to its bound");
    }

    async fn a_full_node_keeps_no_other_waiting(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (1_000..1_000 + LONG).map(|vmid| on_node("pve1", vmid));
        let all = ops.chain([on_node("pve2", 104)]).collect();
        let batch = NewRequest { max_parallel: 10_000, ..request(all) };
        let begun = submit(&db.store, me, &batch).await.ours;
        assert_eq!(begun.len(), 17, "the slots of one node, and the only one of the other");
        let alone = request(vec![on_node("pve2", 105)]);
        assert_eq!(submit(&db.store, me, &alone).await.ours.len(), 1);
    }

    async fn who_submits_one_does_not_write_for_those_before_it(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (0..96).map(|n| on_node(&format!("pve{}", n % 8), 1_000 + n)).collect();
        let begun = submit(&db.store, me, &NewRequest { max_parallel: 1_000, ..request(ops) }).await.ours;
        assert!(begun.len() < 96, "the rest is left to the loop: {}", begun.len());
        for node in ["pve1", "elsewhere"] {
            let claims = submit(&db.store, me, &request(vec![on_node(node, 104 + u32::from(node == "pve1"))])).await;
            assert_eq!(claims.ours.len(), 1, "{node}: itself, none of the others");
            assert_eq!(claims.ours[0].target.node, node);
        }
    }

    async fn one_that_is_submitted_alone_takes_its_turn_on_its_node(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (0..40).map(|n| on_node("pve1", 1_000 + n)).collect();
        let batch = NewRequest { max_parallel: 1_000, ..request(ops) };
        let mut running = submit(&db.store, me, &batch).await.ours;
        assert_eq!(running.len(), 16);
        end(&db.store, &running.remove(0)).await;
        // There is room, but others have waited for it longer.
        let late = NewRequest { created: T0 + S, ..request(vec![Operation { created: T0 + S, ..on_node("pve1", 104) }]) };
        assert!(submit(&db.store, me, &late).await.ours.is_empty());
        let begun = db.store.claim(me, (T0 + 2 * S).into()).await.unwrap().ours;
        assert_eq!(begun.iter().map(|op| op.request_id).collect::<Vec<_>>(), [batch.id]);
    }

    async fn what_waits_for_locks_keeps_no_other_waiting(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        admitted(&db.store, me, 104).await;
        let patient = |vmid| Operation { lock_deadline: Some(i64::MAX), ..operation(Kind::Stop, vmid) };
        let all = (0..LONG).map(|_| patient(104)).chain([patient(105)]).collect();
        let begun = submit(&db.store, me, &NewRequest { max_parallel: 1, ..request(all) }).await.ours;
        assert_eq!(begun.iter().map(|op| op.target.vmid).collect::<Vec<_>>(), [105]);
    }

    async fn a_wish_and_a_deadline_are_seen_at_the_end_of_a_long_queue(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let long = long_batch(1_000);
        submit(&db.store, me, &long).await;
        let last = long.operations[long.operations.len() - 1].id;
        assert!(db.store.request_cancel(last, false, &audit("cancel")).await.unwrap());
        assert_eq!(db.store.claim(me, (T0 + S).into()).await.unwrap().ended, [last]);

        admitted(&db.store, me, 104).await;
        let hasty = Operation { lock_deadline: Some(T0 + 5 * S), ..operation(Kind::Stop, 104) };
        submit(&db.store, me, &request(vec![hasty.clone()])).await;
        assert_eq!(db.store.claim(me, (T0 + 4 * S).into()).await.unwrap().wake_in, Some(Duration::from_secs(1)));
        assert_eq!(db.store.claim(me, (T0 + 5 * S).into()).await.unwrap().ended, [hasty.id]);
    }

    async fn a_deadline_is_measured_on_the_steady_clock(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        admitted(&db.store, me, 104).await;
        let hasty = Operation { lock_deadline: Some(T0 + 5 * S), ..operation(Kind::Stop, 104) };
        submit(&db.store, me, &request(vec![hasty.clone()])).await;
        let forward = Now { wall: T0 + 7_200 * S, steady: T0 + 4 * S };
        let claims = db.store.claim(me, forward).await.unwrap();
        assert_eq!((claims.ended.len(), claims.wake_in), (0, Some(Duration::from_secs(1))));
        let back = Now { wall: T0 - 7_200 * S, steady: T0 + 5 * S };
        assert_eq!(db.store.claim(me, back).await.unwrap().ended, [hasty.id]);
    }

    async fn the_clock_is_the_databases_where_it_is_shared(db: Db) {
        let clock = db.store.clock(T0).await.unwrap();
        assert_eq!(clock == T0, db.sqlite, "{clock}");
        assert!(clock >= T0);
    }

    async fn a_stopped_batch_ends_as_a_whole_though_there_is_no_room_in_it(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops: Vec<_> = (1_000..1_000 + LONG).map(|vmid| operation(Kind::Start, vmid)).collect();
        let (second, all) = (ops[1].id, ops.len());
        let batch = NewRequest { max_parallel: 1, on_error_stop: true, ..request(ops) };
        submit(&db.store, me, &batch).await;
        assert!(db.store.request_cancel(second, false, &audit("cancel")).await.unwrap());
        let mut ended = 0;
        loop {
            let claims = db.store.claim(me, (T0 + S).into()).await.unwrap();
            assert!(claims.ours.is_empty());
            ended += claims.ended.len();
            if claims.wake_in != Some(Duration::ZERO) {
                break;
            }
        }
        assert_eq!(ended, all - 1, "all but the one that runs");
    }

    async fn a_pause_is_kept_though_the_clock_was_put_back(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let ops = (100..103).map(|vmid| operation(Kind::Start, vmid)).collect();
        let batch = NewRequest { pause: 10 * S, ..request(ops) };
        let claims = submit(&db.store, me, &batch).await;
        assert_eq!((claims.ours.len(), claims.wake_in), (1, Some(Duration::from_secs(10))));
        assert!(db.store.claim(me, (T0 + 9 * S).into()).await.unwrap().ours.is_empty());
        // An hour back: the one from the future is no reason to wait for an hour.
        let now = T0 - 3_600 * S;
        assert_eq!(db.store.claim(me, now.into()).await.unwrap().ours.len(), 1);
        assert!(db.store.claim(me, (now + 9 * S).into()).await.unwrap().ours.is_empty());
        assert_eq!(db.store.claim(me, (now + 10 * S).into()).await.unwrap().ours.len(), 1);
    }
}

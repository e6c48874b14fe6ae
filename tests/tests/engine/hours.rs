//! A node that stays silent for hours: how often it is asked, and who ends the waiting. The clock leaps over every
//! pause, so that a day passes in a moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lxc_core::ids::OperationId;
use lxc_core::op::Operation;
use lxc_core::record::AuditRecord;
use lxc_core::timing::Timing;
use lxcd::failpoint::Action;
use lxcd::store::{Store, Submitted};

use super::bare::{Daemon, daemon_with, record_of, start_of_104, until};
use super::client::PATIENCE;
use super::fake::Fake;

const HOUR: i64 = 3_600_000_000;

struct Silent {
    store: Store,
    pve: Arc<Fake>,
    daemon: Daemon,
    id: OperationId,
    audit: AuditRecord,
    _dir: tempfile::TempDir,
}

/// A start whose task is known and whose node has just gone silent; the clock may leap so far.
async fn silent(leap: i64) -> Silent {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
    let pve = Arc::new(Fake::default());
    let daemon = daemon_with(&store, &pve, "first", 100 * HOUR, Timing::default()).await;
    let request = start_of_104();
    let op = &request.operations[0];
    store.record_containers(&op.target.installation, &[record_of(&op.target)], &[], &[], 0).await.unwrap();
    let audit = AuditRecord {
        id: 0,
        time: op.created,
        actor: request.actor.clone(),
        verb: "cancel".to_owned(),
        target: op.target.path(),
        operation_id: Some(op.id.to_string()),
        request_id: None,
        result: None,
        code: None,
        ended: None,
        detail: String::new(),
    };
    daemon.scope.arm("upid.after", Action::Pause);
    daemon.hear();
    let Submitted::New(claims) = store.submit(&request, daemon.id).await.unwrap() else { panic!("new") };
    daemon.take(claims.ours);
    tokio::time::timeout(PATIENCE, daemon.scope.reached()).await.unwrap();
    pve.goes_away();
    daemon.clock.leap.store(leap, Ordering::Release);
    daemon.scope.resume();
    Silent { store, pve, daemon, id: op.id, audit, _dir: dir }
}

impl Silent {
    async fn op(&self) -> Operation {
        self.store.operation(self.id).await.unwrap().unwrap()
    }

    async fn ended(&self) -> Operation {
        until("it ends", async || self.op().await.outcome().is_some()).await;
        self.op().await
    }
}

fn lasted(op: &Operation) -> i64 {
    op.finished.unwrap() - op.started.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_silence_needs_a_person() {
    let silent = silent(100 * HOUR).await;
    let op = silent.ended().await;
    assert_eq!(op.state.name(), "needs_attention", "{op:#?}");
    assert!((24 * HOUR..25 * HOUR).contains(&lasted(&op)), "{} s", lasted(&op) / 1_000_000);
    // Twice a minute at most: the task itself, and where its container is.
    let asked = silent.pve.unheard();
    assert!((1_000..24 * 60 * 2 + 100).contains(&asked), "{asked}");
    assert_eq!(silent.pve.calls(), 1, "and nothing was sent again");
    assert!(silent.store.held_locks().await.unwrap().is_empty(), "free for other commands");
    silent.store.resolve_attention(&op, true, &silent.audit).await.unwrap();
    assert_eq!(silent.op().await.state.name(), "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_give_up_after_some_hours() {
    let silent = silent(3 * HOUR).await;
    until("three hours have passed", async || silent.daemon.clock.leapt() >= 3 * HOUR).await;
    let op = silent.op().await;
    assert!(op.outcome().is_none() && op.degraded_since.is_some(), "it holds on: {op:#?}");
    // A mere cancel cannot reach the task either.
    assert!(silent.store.request_cancel(silent.id, false, &silent.audit).await.unwrap());
    silent.daemon.bus.wished(silent.id);
    silent.daemon.clock.leap.store(5 * HOUR, Ordering::Release);
    until("five hours have passed", async || silent.daemon.clock.leapt() >= 5 * HOUR).await;
    assert!(silent.op().await.outcome().is_none());
    assert!(silent.store.request_cancel(silent.id, true, &silent.audit).await.unwrap());
    silent.daemon.bus.wished(silent.id);
    silent.daemon.clock.leap.store(100 * HOUR, Ordering::Release);
    let op = silent.ended().await;
    assert_eq!(op.state.name(), "needs_attention", "{op:#?}");
    assert!(lasted(&op) < 6 * HOUR, "at the next turn: {} s", lasted(&op) / 1_000_000);
    silent.store.resolve_attention(&op, false, &silent.audit).await.unwrap();
    assert_eq!(silent.op().await.state.name(), "failed");
}

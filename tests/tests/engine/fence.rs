//! Two daemons, one operation: a driver that was paused past the end of its lease wakes up while another has
//! long finished its work. Both engines run on one store; only what the database and the lease say keeps them
//! apart.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lxc_core::ports::Clock;
use lxc_core::timing::Timing;
use lxcd::failpoint::Action;
use lxcd::store::{Store, Submitted};

use super::bare::{daemon, record_of, start_of_104, until};
use super::client::PATIENCE;
use super::fake::Fake;

/// The first daemon is paused at `place` past its lease; the second takes over and finishes; then the first
/// wakes up, renews its lease at once, and goes on as if nothing had been. Calls that reached Proxmox.
async fn paused_at(place: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
    let pve = Arc::new(Fake::default());
    // In the database its lease is over already, as it is for everybody else once it is paused.
    let first = daemon(&store, &pve, "first", -1).await;
    first.scope.arm(place, Action::Pause);
    let request = start_of_104();
    let id = request.operations[0].id;
    store
        .record_containers(
            &request.operations[0].target.installation,
            &[record_of(&request.operations[0].target)],
            &[],
            &[],
            0,
        )
        .await
        .unwrap();
    let Submitted::New(claims) = store.submit(&request, first.id).await.unwrap() else { panic!("new") };
    first.take(claims.ours);
    tokio::time::timeout(PATIENCE, first.scope.reached()).await.unwrap();

    let second = daemon(&store, &pve, "second", 3_600_000_000).await;
    second.run();
    until("the second ends it", async || store.operation(id).await.unwrap().unwrap().outcome().is_some())
        .await;
    let ended = store.operation(id).await.unwrap().unwrap();

    first.clock.suspended.store(true, Ordering::Release);
    first.lease.extend(first.clock.boot(), &Timing::default());
    first.scope.resume();
    until("the first gives up", async || first.engine.driving() == 0).await;

    assert_eq!(store.operation(id).await.unwrap().unwrap(), ended, "nothing was written by the first");
    assert_eq!((ended.state.name(), ended.fence), ("succeeded", 2));
    let events = store.operation_events(id, 0, 1000).await.unwrap();
    let seqs: Vec<i64> = events.iter().map(|event| event.operation.unwrap().1).collect();
    assert_eq!(seqs, (1..=ended.last_seq).collect::<Vec<_>>());
    assert!(store.held_locks().await.unwrap().is_empty());
    assert!(pve.runs());
    pve.calls()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_before_the_record() {
    assert_eq!(paused_at("record.before").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_after_the_record_sends_nothing_any_more() {
    assert_eq!(paused_at("record.after").await, 1, "a lease renewed too late is another lease");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_after_the_call_its_task_is_adopted() {
    assert_eq!(paused_at("sent.after").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_before_the_end() {
    assert_eq!(paused_at("terminal.before").await, 1);
}

/// Nobody can help the one that is paused between its last check and the wire. Proxmox refuses its late call,
/// or takes it as it takes any second start; the end state is right all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_in_the_very_call_the_end_state_is_right() {
    assert_eq!(paused_at("sent.before").await, 2);
}

//! What an engine tells the rest of its daemon in passing, and which clock it believes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lxcd::bus::Finding;
use lxcd::store::{Store, Submitted};

use super::bare::{daemon, record_of, start_of_104, until};
use super::client::PATIENCE;
use super::fake::Fake;

/// That our own record cannot be read is no word of Proxmox's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_answer_is_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lxcd.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    let raw = sqlx::AnyPool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let pve = Arc::new(Fake::default());
    let daemon = daemon(&store, &pve, "first", 3_600_000_000).await;
    let request = start_of_104();
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
    let Submitted::New(claims) = store.submit(&request, daemon.id).await.unwrap() else { panic!("new") };
    sqlx::query("ALTER TABLE container RENAME TO away").execute(&raw).await.unwrap();
    daemon.take(claims.ours);
    until("it has looked twice", async || pve.looks() > 1).await;
    sqlx::query("ALTER TABLE away RENAME TO container").execute(&raw).await.unwrap();
    let id = request.operations[0].id;
    let ended = async || store.operation(id).await.unwrap().unwrap();
    until("it ends", async || ended().await.outcome().is_some()).await;
    assert_eq!(ended().await.state.name(), "succeeded");
}

/// Whichever way somebody puts the clock, who waits for a lock waits for as long as was said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_changes_no_patience() {
    const HOUR: i64 = 3_600_000_000;
    for jump in [2 * HOUR, -2 * HOUR] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
        let (mine, other) = (Arc::new(Fake::default()), Arc::new(Fake::default()));
        let holding = daemon(&store, &other, "other", 100 * HOUR).await;
        let Submitted::New(held) = store.submit(&start_of_104(), holding.id).await.unwrap() else {
            panic!("new")
        };
        assert_eq!(held.ours.len(), 1);
        let daemon = daemon(&store, &mine, "mine", 100 * HOUR).await;
        let waiting = async |patience: i64| {
            let mut request = start_of_104();
            request.operations[0].lock_deadline = Some(daemon.engine.now().steady + patience);
            store.submit(&request, daemon.id).await.unwrap();
            request.operations[0].id
        };
        let (patient, hasty) = (waiting(HOUR).await, waiting(200_000).await);
        daemon.clock.ahead.store(jump, Ordering::Release);
        daemon.run();
        let ended = async |id| store.operation(id).await.unwrap().unwrap().outcome().is_some();
        until("its patience is over", async || ended(hasty).await).await;
        assert!(!ended(patient).await, "an hour has not passed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_be_reached_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
    let pve = Arc::new(Fake::default());
    let daemon = daemon(&store, &pve, "first", 3_600_000_000).await;
    let request = start_of_104();
    let target = &request.operations[0].target;
    store.record_containers(&target.installation, &[record_of(target)], &[], &[], 0).await.unwrap();
    pve.goes_away();
    let mut findings = daemon.bus.findings();
    let Submitted::New(claims) = store.submit(&request, daemon.id).await.unwrap() else { panic!("new") };
    daemon.take(claims.ours);
    let found = tokio::time::timeout(PATIENCE, findings.next()).await.unwrap();
    let why = "no route to host".to_owned();
    let expected =
        Finding::Silent { installation: target.installation.clone(), node: target.node.clone(), why };
    assert_eq!(found, expected);
}

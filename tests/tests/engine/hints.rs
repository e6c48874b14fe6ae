//! What an engine tells the rest of its daemon in passing.

use std::sync::Arc;

use lxcd::bus::Finding;
use lxcd::store::{Store, Submitted};

use super::bare::{daemon, record_of, start_of_104};
use super::client::PATIENCE;
use super::fake::Fake;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_be_reached_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
    let pve = Arc::new(Fake::default());
    let daemon = daemon(&store, &pve, "first", 3_600_000_000).await;
    let request = start_of_104();
    let target = &request.operations[0].target;
    store.record_containers(&[record_of(target)], &[], &[], 0).await.unwrap();
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

//! A Postgres that vanishes from the network in the middle of a statement: nobody resets the connection, nothing comes.

use std::time::{Duration, Instant};

use futures::future::join_all;
use lxc_core::ports::StoreError;
use lxc_tests::harness::{Postgres, Proxy, Wire, until};
use lxcd::store::Store;

/// As many as the store has connections.
const ALL: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_under_way_end_and_their_connections_are_replaced() {
    let Some(postgres) = Postgres::shared() else { return };
    let name = postgres.create(None);
    let wire = Proxy::unix(&postgres.socket());
    let store = Store::open_postgres(&postgres.url_over(&wire, &name)).await.unwrap();
    store.set_meta("before", "1").await.unwrap();

    sqlx::any::install_default_drivers();
    let raw = sqlx::AnyPool::connect(&postgres.url(&name)).await.unwrap();
    let mut held = raw.begin().await.unwrap();
    sqlx::query("LOCK TABLE meta IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let begun = Instant::now();
    let all = join_all((0..ALL).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.set_meta(&format!("after-{number}"), "1").await })
    }));
    let all = tokio::spawn(all);
    let waiting = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    );
    until("all to wait for an answer", || {
        let many = postgres.sql("postgres", &waiting);
        if many == ALL.to_string() { Ok(()) } else { Err(many) }
    });
    wire.set(Wire::Held);
    held.rollback().await.unwrap();
    for ended in all.await.unwrap() {
        let error = ended.unwrap().unwrap_err();
        assert!(matches!(&error, StoreError::Failed(why) if why.contains("did not answer")), "{error}");
    }
    // None of them was waited for longer than the others.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    wire.set(Wire::Open);
    // On the first of those connections that would be the answer to something else.
    assert_eq!(store.meta("before").await.unwrap().as_deref(), Some("1"));
    store.close().await;
}

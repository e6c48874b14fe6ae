//! Chaos: three lxcd on one Postgres and one Redis, twenty clients with random verbs, and everything that can
//! break breaking. In the end what the simulated Proxmox has written down is compared with our records: counted,
//! not believed.
//!
//! `make soak` runs it for ten minutes with a new seed; the suite runs it for a few seconds with the same one.
//! `LXC_CHAOS_SEED` and `LXC_CHAOS_SECONDS` say otherwise.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod check;
mod clients;
mod disasters;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use stage::Stage;

/// As many as work at the same time.
const CLIENTS: u64 = 20;

/// A checker that finds nothing wrong proves nothing unless it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_found() {
    let Some(stage) = tokio::task::spawn_blocking(Stage::set).await.unwrap() else { return };
    stage.register().await;
    stage.sim.control().foreign("start", stage::FIRST + 1, stage::TOKEN.0).unwrap();
    let mut told = clients::Told::default();
    told.requests.insert("asked".to_owned(), Some("op".to_owned()));
    let story = clients::Story { seqs: vec![1, 3], ..clients::Story::default() };
    told.stories.insert("op".to_owned(), story);
    let found = check::everything(&stage, &told).await;
    for what in ["it was sent twice", "was accepted and is lost", "was not told as it was"] {
        assert!(found.wrong.iter().any(|wrong| wrong.contains(what)), "{what}: {:#?}", found.wrong);
    }
    tokio::task::spawn_blocking(move || drop(stage)).await.unwrap();
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the seed and the counts are what a soak is run for")]
async fn nothing_is_lost_and_nothing_is_done_twice() {
    let (seed, seconds) = (number("LXC_CHAOS_SEED", 1), number("LXC_CHAOS_SECONDS", 15));
    println!("chaos: seed {seed}, {seconds} s");
    let Some(stage) = tokio::task::spawn_blocking(Stage::set).await.unwrap() else { return };
    let stage = Arc::new(stage);
    stage.register().await;

    let over = CancellationToken::new();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let rng = StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(n));
            tokio::spawn(clients::work(stage.clone(), rng, over.clone()))
        })
        .collect();
    let rng = StdRng::seed_from_u64(seed);
    let breaking = tokio::task::spawn_blocking({
        let (stage, over) = (stage.clone(), over.clone());
        move || disasters::happen(&stage, rng, &over)
    });
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    over.cancel();
    let broken = breaking.await.unwrap();

    let mut told = clients::Told::default();
    for client in clients {
        told.add(client.await.unwrap());
    }
    stage.settled().await;
    let found = check::everything(&stage, &told).await;
    println!("chaos: {broken}");
    println!("chaos: {told}");
    println!("chaos: {found}");
    if !found.wrong.is_empty() {
        println!("{}", stage.logs());
    }
    // It has a runtime of its own, which may not end within another.
    tokio::task::spawn_blocking(move || drop(stage)).await.unwrap();
    assert!(found.wrong.is_empty(), "seed {seed}:\n  {}", found.wrong.join("\n  "));
}

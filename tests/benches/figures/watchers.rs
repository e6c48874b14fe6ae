//! A hundred watchers of one batch: how long after an event was written each of them has it, and whether any
//! misses one.

use std::time::Duration;

use lxc_core::selector::Selection;
use lxc_tests::harness::{Setup, until};
use lxcctl::client::{Client, OperationFilter, WatchEnd, WatchItem};

use crate::fleet::{START, population};
use crate::table::{Aim, line};

const WATCHERS: usize = 100;

/// The figures.
pub(crate) fn run() {
    let world = Setup::default().nodes(&["pve1"]).containers(population(1, 50, 0)).scale(1).start();
    let socket = world.daemon.socket();
    let batch = world.begin(START);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let filter =
        OperationFilter { selection: Selection::default(), limit: 1_000, ..OperationFilter::default() };
    let ids = until("the batch", || {
        let all = runtime.block_on(async {
            Client::connect(&socket).await.expect("connected").operations(&filter).await.expect("listed")
        });
        let ids: Vec<String> = all.into_iter().map(|op| op.id).collect();
        if ids.len() == 50 { Ok(ids) } else { Err(format!("{} operations", ids.len())) }
    });
    let watches: Vec<_> = (0..WATCHERS)
        .map(|_| {
            let (socket, ids) = (socket.clone(), ids.clone());
            runtime.spawn(async move { watch(&socket, ids).await })
        })
        .collect();
    let heard: Vec<Vec<(i64, f64)>> = runtime
        .block_on(futures::future::join_all(watches))
        .into_iter()
        .map(|end| end.expect("watched"))
        .collect();
    batch.end().exits(0);
    let mut counts: Vec<usize> = heard.iter().map(Vec::len).collect();
    counts.sort_unstable();
    // What was there before the watchers were is read, not told.
    let begun = heard.iter().filter_map(|events| events.first()).map(|(at, _)| *at).max().unwrap_or(0);
    let settled = begun + Duration::from_secs(1).as_micros() as i64;
    let live: Vec<f64> =
        heard.iter().flatten().filter(|(at, _)| *at > settled).map(|(_, delay)| *delay).collect();
    let more = format!("each heard {} to {} events", counts[0], counts[WATCHERS - 1]);
    line("an event to each of 100 watchers of 50 operations", &live, "ms", Aim::None, &more);
}

/// When each event was written, in microseconds, and how many milliseconds later it came.
async fn watch(socket: &std::path::Path, ids: Vec<String>) -> Vec<(i64, f64)> {
    let client = Client::connect(socket).await.expect("connected");
    let none = vec![0; ids.len()];
    let mut stream = client.watch(ids, none).await.expect("watched");
    let mut heard = Vec::new();
    loop {
        match stream.next().await {
            Ok(WatchItem::Event(event)) => {
                let now = jiff::Timestamp::now().as_microsecond();
                heard.push((event.time.0, (now - event.time.0) as f64 / 1000.0));
            }
            Ok(_) => {}
            Err(WatchEnd::Complete) => return heard,
            Err(WatchEnd::Lost(error) | WatchEnd::Refused(error)) => panic!("{error}"),
        }
    }
}

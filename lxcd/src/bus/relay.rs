//! Carries wake-ups between this daemon's bus and the others'. Owns when it is tried again and what holds
//! meanwhile: whoever may have missed something is told that anything may have moved, seldom while the relay
//! works, often while it does not.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use lxc_core::ids::Micros;
use lxc_core::ports::{Clock, Relay};
use lxc_core::timing::Timing;
use lxc_core::wake::Wake;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Bus;

/// Wake-ups in one message; the longest takes 80 bytes.
const AT_ONCE: usize = 64;

/// How the carrying is going.
#[derive(Debug, Default)]
pub struct Carried(Mutex<Option<(Micros, String)>>);

impl Carried {
    /// Since when other daemons are not heard, and why.
    #[must_use]
    pub fn trouble(&self) -> Option<(Micros, String)> {
        self.0.lock().clone()
    }

    fn failed(&self, relay: &str, why: String, now: Micros) {
        let mut trouble = self.0.lock();
        if trouble.is_none() {
            tracing::warn!(relay, %why, "the other daemons are not heard; looking for their work every so often");
        }
        let since = trouble.as_ref().map_or(now, |(since, _)| *since);
        *trouble = Some((since, why));
    }

    fn works(&self, relay: &str) {
        if self.0.lock().take().is_some() {
            tracing::info!(relay, "the other daemons are heard again");
        }
    }
}

/// Carries until stopped.
pub async fn carry(
    bus: Arc<Bus>,
    relay: Arc<dyn Relay>,
    mut outward: mpsc::Receiver<Wake>,
    carried: Arc<Carried>,
    clock: Arc<dyn Clock>,
    timing: Timing,
    stop: CancellationToken,
) {
    let (often, seldom) = timing.reread;
    loop {
        let mut heard: Option<BoxStream<'static, Vec<Wake>>> = match relay.listen().await {
            Ok(stream) => {
                carried.works(relay.name());
                Some(stream)
            }
            Err(why) => {
                carried.failed(relay.name(), why, clock.now());
                None
            }
        };
        // What was told before somebody listened is lost.
        bus.hear(Wake::Anything);
        let mut until = clock.boot() + if heard.is_some() { seldom } else { often };
        loop {
            let left = until.saturating_sub(clock.boot());
            tokio::select! {
                () = stop.cancelled() => return tell_last(&*relay, outward).await,
                wakes = next(&mut heard) => match wakes {
                    Some(wakes) => wakes.into_iter().for_each(|wake| bus.hear(wake)),
                    None => {
                        carried.failed(relay.name(), "the connection broke".to_owned(), clock.now());
                        break;
                    }
                },
                wakes = some(&mut outward) => {
                    if let Err(why) = relay.send(&wakes).await {
                        carried.failed(relay.name(), why, clock.now());
                    }
                }
                () = clock.sleep(left) => {
                    if heard.is_none() || carried.trouble().is_some() {
                        break;
                    }
                    bus.hear(Wake::Anything);
                    until = clock.boot() + seldom;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(PAUSE.min(often)) => {}
        }
    }
}

/// What was told on the way out still goes, if it goes at once.
async fn tell_last(relay: &dyn Relay, mut outward: mpsc::Receiver<Wake>) {
    let mut wakes = Vec::new();
    while let Ok(wake) = outward.try_recv() {
        wakes.push(wake);
    }
    if !wakes.is_empty() && tokio::time::timeout(LAST, relay.send(&wakes)).await.is_err() {
        tracing::debug!(relay = relay.name(), "the last wake-ups were not told");
    }
}

/// For the last words.
const LAST: Duration = Duration::from_secs(1);

/// Between attempts: who broke the connection is given a moment.
const PAUSE: Duration = Duration::from_millis(200);

/// What is heard next; never, while nobody listens.
async fn next(heard: &mut Option<BoxStream<'static, Vec<Wake>>>) -> Option<Vec<Wake>> {
    match heard {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

/// All that waits to be carried, each once.
async fn some(outward: &mut mpsc::Receiver<Wake>) -> Vec<Wake> {
    let mut wakes = Vec::new();
    if outward.recv_many(&mut wakes, AT_ONCE).await == 0 {
        // The bus is gone, and so will be who asked.
        std::future::pending::<()>().await;
    }
    let mut seen = std::collections::HashSet::new();
    wakes.retain(|wake| seen.insert(wake.clone()));
    wakes
}

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

/// Wake-ups in one message. The longest takes 80 bytes, and a payload of Postgres' has less than 8,000.
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
            Ok(stream) => Some(stream),
            Err(why) => {
                carried.failed(relay.name(), why, clock.now());
                None
            }
        };
        // What was told before somebody listened is lost.
        bus.hear(Wake::Anything);
        // A line may be open and dead. It is alive once something was heard over it, if only ourselves.
        let mut alive = false;
        let mut until = clock.boot() + often;
        if heard.is_some() {
            tell(&*relay, &[], &carried, &*clock).await;
        }
        loop {
            let left = until.saturating_sub(clock.boot());
            tokio::select! {
                // What was heard counts before what is late: it may be this daemon that was held up.
                biased;
                () = stop.cancelled() => return tell_last(&*relay, outward).await,
                wakes = next(&mut heard) => match wakes {
                    Some(wakes) => {
                        if !alive {
                            alive = true;
                            carried.works(relay.name());
                            until = until.max(clock.boot() + seldom);
                        }
                        wakes.into_iter().for_each(|wake| bus.hear(wake));
                    }
                    None => {
                        carried.failed(relay.name(), "the connection broke".to_owned(), clock.now());
                        break;
                    }
                },
                wakes = some(&mut outward) => tell(&*relay, &wakes, &carried, &*clock).await,
                () = clock.sleep(left) => {
                    if heard.is_some() && !alive {
                        carried.failed(relay.name(), "we do not even hear ourselves".to_owned(), clock.now());
                    }
                    if heard.is_none() || carried.trouble().is_some() {
                        break;
                    }
                    bus.hear(Wake::Anything);
                    until = clock.boot() + seldom;
                    alive = false;
                    tell(&*relay, &[], &carried, &*clock).await;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(PAUSE.min(often)) => {}
        }
    }
}

/// Tells the others; with nothing to tell it is a sign of life.
async fn tell(relay: &dyn Relay, wakes: &[Wake], carried: &Carried, clock: &dyn Clock) {
    if let Err(why) = relay.send(wakes).await {
        carried.failed(relay.name(), why, clock.now());
    }
}

/// What was told on the way out still goes, if it goes at once.
async fn tell_last(relay: &dyn Relay, mut outward: mpsc::Receiver<Wake>) {
    let mut wakes = Vec::new();
    while let Ok(wake) = outward.try_recv() {
        wakes.push(wake);
    }
    let all = async {
        for some in wakes.chunks(AT_ONCE) {
            relay.send(some).await?;
        }
        Ok::<(), String>(())
    };
    if !matches!(tokio::time::timeout(LAST, all).await, Ok(Ok(()))) {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures::stream;
    use tokio::sync::Notify;

    use super::*;
    use crate::clock::SystemClock;

    /// Says how often somebody began to listen, and how often something was sent.
    #[derive(Default)]
    struct Line {
        deaf: bool,
        listened: AtomicUsize,
        sent: AtomicUsize,
        moved: Notify,
        /// Messages that have not come back yet.
        echo: Arc<Notify>,
    }

    #[async_trait]
    impl Relay for Line {
        fn name(&self) -> &'static str {
            "test"
        }

        async fn send(&self, _: &[Wake]) -> Result<(), String> {
            self.sent.fetch_add(1, Ordering::SeqCst);
            self.moved.notify_one();
            self.echo.notify_one();
            Ok(())
        }

        async fn listen(&self) -> Result<BoxStream<'static, Vec<Wake>>, String> {
            self.listened.fetch_add(1, Ordering::SeqCst);
            self.moved.notify_one();
            if self.deaf {
                return Ok(stream::pending().boxed());
            }
            let heard = stream::unfold(self.echo.clone(), |echo| async move {
                echo.notified().await;
                Some((Vec::new(), echo))
            });
            Ok(heard.boxed())
        }
    }

    /// Carries over a line until `enough` of it has happened.
    async fn over(line: Line, enough: impl Fn(&Line) -> bool) -> (Arc<Line>, Arc<Carried>) {
        let (bus, outward) = Bus::shared();
        let (line, carried, stop) = (Arc::new(line), Arc::new(Carried::default()), CancellationToken::new());
        let carrying = tokio::spawn(carry(
            Arc::new(bus),
            line.clone(),
            outward,
            carried.clone(),
            Arc::new(SystemClock),
            Timing::scaled(100),
            stop.clone(),
        ));
        while !enough(&line) {
            line.moved.notified().await;
        }
        stop.cancel();
        carrying.await.unwrap();
        (line, carried)
    }

    #[tokio::test]
    async fn who_does_not_even_hear_itself_listens_anew() {
        let line = Line { deaf: true, ..Line::default() };
        let (line, carried) = over(line, |line| line.listened.load(Ordering::SeqCst) >= 3).await;
        assert!(line.sent.load(Ordering::SeqCst) >= 2, "it says something before it gives up");
        let (_, why) = carried.trouble().expect("whoever asks is told");
        assert!(why.contains("hear ourselves"), "{why}");
    }

    #[tokio::test]
    async fn a_line_on_which_nobody_else_speaks_is_kept() {
        let (line, carried) = over(Line::default(), |line| line.sent.load(Ordering::SeqCst) >= 5).await;
        assert_eq!(line.listened.load(Ordering::SeqCst), 1);
        assert_eq!(carried.trouble(), None);
    }
}

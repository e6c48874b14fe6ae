//! Many who ask a node about one container each, at the same time: one list answers all of them. Owns when a list
//! is worth it and whom it answers; what is asked is the client's.
//!
//! Nobody gets an answer that was begun before he asked, so a list is as good as his own question. Whoever asks a
//! node that others have just asked waits a moment for more to come: they usually do. A crowd comes in waves; what it
//! asks between two of them is still asked by a crowd.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use lxc_core::ports::PveError;
use parking_lot::Mutex;
use tokio::time::Instant;

/// From so many on who ask one node within [`Rhythm::lately`], a list is read.
const SHARED_FROM: usize = 3;
/// How often a list waits once more while more come.
const AGAIN: usize = 2;

/// What counts as at once, in Proxmox's seconds: a simulator may be faster than the real thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// Who asks within this is a crowd.
    lately: Duration,
    /// Those who were a crowd are one for as long as so many ask within this.
    still: Duration,
    /// How long a list waits for more who want it.
    gather: Duration,
}

impl Rhythm {
    /// By how long a second of Proxmox's is.
    pub(super) fn of(second: Duration) -> Self {
        let gather = (second * 3 / 100).max(Duration::from_millis(1));
        Self { lately: second * 3 / 10, still: second * 2, gather }
    }
}

/// What was read, and whom it answers: those with a lower number.
type Last<T> = Option<(u64, Arc<Result<T, PveError>>)>;

/// Whether many ask.
#[derive(Debug, Default)]
struct Lately {
    /// When the last few asked, the oldest first.
    last: [Option<Instant>; SHARED_FROM],
    /// They were close together, and nobody has paused since.
    crowd: bool,
}

impl Lately {
    /// Notes that somebody asks; answers whether enough others just have.
    fn asked(&mut self, now: Instant, rhythm: Rhythm) -> bool {
        self.last.rotate_left(1);
        self.last[SHARED_FROM - 1] = Some(now);
        let within = if self.crowd { rhythm.still } else { rhythm.lately };
        self.crowd = self.last[0].is_some_and(|first| now.duration_since(first) < within);
        self.crowd
    }
}

/// Those who ask one node.
#[derive(Debug)]
pub(super) struct Coalescer<T> {
    rhythm: Rhythm,
    asking: AtomicUsize,
    lately: Mutex<Lately>,
    /// Whoever asks draws the next one.
    numbers: AtomicU64,
    /// Held while reading: one reads, all get it.
    last: tokio::sync::Mutex<Last<T>>,
}

impl<T> Coalescer<T> {
    fn new(rhythm: Rhythm) -> Self {
        Self {
            rhythm,
            asking: AtomicUsize::new(0),
            lately: Mutex::default(),
            numbers: AtomicU64::new(0),
            last: tokio::sync::Mutex::new(None),
        }
    }
}

/// Counts somebody for as long as he asks. The last one takes the list with him.
struct Asking<'a, T>(&'a Coalescer<T>);

impl<T> Drop for Asking<'_, T> {
    fn drop(&mut self) {
        if self.0.asking.fetch_sub(1, Ordering::AcqRel) == 1
            && let Ok(mut last) = self.0.last.try_lock()
        {
            *last = None;
        }
    }
}

impl<T> Coalescer<T> {
    /// Asks `alone` while few do, else picks the answer out of `all`, read by whoever of those comes first. What
    /// cannot be picked, or a list that is refused, is asked for alone all the same.
    ///
    /// # Errors
    /// As the one question that was asked for it.
    pub(super) async fn ask<R>(
        &self,
        alone: impl Future<Output = Result<R, PveError>> + Send,
        all: impl Future<Output = Result<T, PveError>> + Send,
        pick: impl FnOnce(&T) -> Option<R> + Send,
    ) -> Result<R, PveError>
    where
        T: Send + Sync,
    {
        self.asking.fetch_add(1, Ordering::AcqRel);
        let _asking = Asking(self);
        if !self.lately.lock().asked(Instant::now(), self.rhythm) {
            return alone.await;
        }
        let read = self.read(all).await;
        let picked = match &*read {
            Ok(all) => pick(all),
            Err(PveError::Refused(_) | PveError::Garbage(_)) => None,
            Err(error) => return Err(error.clone()),
        };
        match picked {
            Some(answer) => Ok(answer),
            None => alone.await,
        }
    }

    async fn read(&self, all: impl Future<Output = Result<T, PveError>> + Send) -> Arc<Result<T, PveError>> {
        let mine = self.numbers.fetch_add(1, Ordering::AcqRel);
        let mut last = self.last.lock().await;
        if let Some((below, read)) = &*last
            && mine < *below
        {
            return read.clone();
        }
        let below = self.gather().await;
        let read = Arc::new(all.await);
        *last = Some((below, read.clone()));
        read
    }
}

impl<T> Coalescer<T> {
    /// Waits for more to come, a little longer while they do; answers the number behind the last one who did.
    async fn gather(&self) -> u64 {
        let mut below = self.numbers.load(Ordering::Acquire);
        for _ in 0..=AGAIN {
            tokio::time::sleep(self.rhythm.gather).await;
            let before = std::mem::replace(&mut below, self.numbers.load(Ordering::Acquire));
            if before == below {
                break;
            }
        }
        below
    }
}

/// One for each node.
#[derive(Debug)]
pub(super) struct Nodes<T> {
    rhythm: Rhythm,
    all: Mutex<HashMap<String, Arc<Coalescer<T>>>>,
}

impl<T> Nodes<T> {
    pub(super) fn new(rhythm: Rhythm) -> Self {
        Self { rhythm, all: Mutex::default() }
    }

    /// Those who ask this node.
    pub(super) fn on(&self, node: &str) -> Arc<Coalescer<T>> {
        let mut nodes = self.all.lock();
        match nodes.get(node) {
            Some(known) => known.clone(),
            None => {
                let new = || Arc::new(Coalescer::new(self.rhythm));
                nodes.entry(node.to_owned()).or_insert_with(new).clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    fn usual() -> Rhythm {
        Rhythm::of(Duration::from_secs(1))
    }

    /// Counts its questions; each waits for its permit.
    #[derive(Default)]
    struct Node {
        alone: AtomicU32,
        lists: AtomicU32,
    }

    async fn ask(
        coalescer: &Coalescer<u32>,
        node: &Node,
        gate: &Semaphore,
        list: Result<u32, PveError>,
    ) -> u32 {
        let wait = || async { gate.acquire().await.unwrap().forget() };
        let alone = async {
            node.alone.fetch_add(1, Ordering::AcqRel);
            wait().await;
            Ok(1)
        };
        let all = async {
            node.lists.fetch_add(1, Ordering::AcqRel);
            wait().await;
            list
        };
        coalescer.ask(alone, all, |all| (*all > 0).then_some(*all)).await.unwrap()
    }

    fn counts(node: &Node) -> (u32, u32) {
        (node.alone.load(Ordering::Acquire), node.lists.load(Ordering::Acquire))
    }

    #[tokio::test(start_paused = true)]
    async fn few_ask_alone() {
        let (coalescer, node, gate) = (Coalescer::new(usual()), Node::default(), Semaphore::new(9));
        for _ in 0..5 {
            assert_eq!(ask(&coalescer, &node, &gate, Ok(7)).await, 1);
            tokio::time::advance(usual().lately).await;
        }
        assert_eq!(counts(&node), (5, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn many_get_a_list_that_was_begun_after_each_asked() {
        let (coalescer, node, gate) = (Coalescer::new(usual()), Node::default(), Semaphore::new(0));
        let crowd = || join_all((0..20).map(|_| ask(&coalescer, &node, &gate, Ok(7))));
        let mut first = Box::pin(crowd());
        assert!(futures::poll!(first.as_mut()).is_pending());
        // They came while the first of them waited, which therefore waits once more.
        for lists in [0, 1] {
            tokio::time::advance(usual().gather).await;
            assert!(futures::poll!(first.as_mut()).is_pending());
            assert_eq!(counts(&node), (2, lists), "the first two see nobody beside them");
        }
        // The one that is being read was begun before these ask.
        let mut second = Box::pin(crowd());
        assert!(futures::poll!(second.as_mut()).is_pending());
        gate.add_permits(3);
        assert_eq!(first.await.iter().filter(|answer| **answer == 7).count(), 18);
        gate.add_permits(1);
        assert_eq!(second.await, [7; 20]);
        assert_eq!(counts(&node), (2, 2));
        assert!(coalescer.last.lock().await.is_none(), "nothing is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_waits_while_more_come_but_not_for_ever() {
        let (coalescer, node, gate) = (Coalescer::new(usual()), Node::default(), Semaphore::new(99));
        let began = Instant::now();
        // One every ten milliseconds: as if there were no end to them.
        let late = |n: u64| {
            let (coalescer, node, gate) = (&coalescer, &node, &gate);
            async move {
                tokio::time::sleep(Duration::from_millis(10 * n)).await;
                ask(coalescer, node, gate, Ok(7)).await;
                Instant::now().duration_since(began)
            }
        };
        let waited = join_all((0..30).map(late)).await;
        let most = usual().gather * 2 * (1 + u32::try_from(AGAIN).unwrap());
        for (n, ended) in (0_u64..).zip(&waited) {
            let took = *ended - Duration::from_millis(10 * n);
            assert!(took <= most, "number {n} waited {took:?}");
        }
        assert!((3..=4).contains(&counts(&node).1), "{:?}", counts(&node));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_stays_one_between_its_waves() {
        let (coalescer, node, gate) = (Coalescer::new(usual()), Node::default(), Semaphore::new(99));
        let wave = || join_all((0..5).map(|_| ask(&coalescer, &node, &gate, Ok(7))));
        wave().await;
        assert_eq!(counts(&node), (2, 1));
        tokio::time::advance(usual().still / 2).await;
        wave().await;
        assert_eq!(counts(&node), (2, 2), "nobody of the second wave asks alone");
        tokio::time::advance(usual().still).await;
        wave().await;
        assert_eq!(counts(&node), (4, 3), "this one is as if it were the first");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_list_does_not_say_is_asked_alone() {
        let (coalescer, node, gate) = (Coalescer::new(usual()), Node::default(), Semaphore::new(99));
        let gone = join_all((0..5).map(|_| ask(&coalescer, &node, &gate, Ok(0))));
        assert_eq!(gone.await, [1; 5]);
        let garbage = || Err(PveError::Garbage("HTML".into()));
        let refused = join_all((0..5).map(|_| ask(&coalescer, &node, &gate, garbage())));
        assert_eq!(refused.await, [1; 5]);
    }
}

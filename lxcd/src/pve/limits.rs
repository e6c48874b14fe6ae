//! How many requests may be in flight: pveproxy and pvedaemon have three synchronous workers each, so
//! more only queue there, in front of people's own clicks. Owns the counting; must not know requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many daemons share the room at the nodes, as far as is known now; one for all clients.
#[derive(Debug, Clone)]
pub struct Share(Arc<AtomicUsize>);

impl Default for Share {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(1)))
    }
}

impl Share {
    /// So many daemons are alive, this one included.
    pub fn among(&self, daemons: usize) {
        self.0.store(daemons.max(1), Ordering::Relaxed);
    }

    /// How many of `room` places one request takes here, so that all daemons together stay within it; with
    /// more daemons than places, each still has one at a time.
    fn weight(&self, room: usize) -> usize {
        let ours = (room / self.0.load(Ordering::Relaxed)).max(1);
        room.div_ceil(ours)
    }
}

/// Room per node and per remote.
#[derive(Debug)]
pub(super) struct Limits {
    per_node: usize,
    share: Share,
    remote: Arc<Semaphore>,
    nodes: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// The right to have one request in flight; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _node: OwnedSemaphorePermit,
    _remote: OwnedSemaphorePermit,
}

impl Limits {
    pub(super) fn new(per_node: usize, per_remote: usize, share: Share) -> Self {
        Self {
            per_node: per_node.max(1),
            share,
            remote: Arc::new(Semaphore::new(per_remote.max(1))),
            nodes: Mutex::default(),
        }
    }

    /// Waits for room. `node` is empty for calls the asked node answers itself.
    pub(super) async fn enter(&self, node: &str) -> Option<Place> {
        let at_node = {
            let mut nodes = self.nodes.lock();
            match nodes.get(node) {
                Some(found) => Arc::clone(found),
                None => {
                    let new = Arc::new(Semaphore::new(self.per_node));
                    nodes.insert(node.to_owned(), Arc::clone(&new));
                    new
                }
            }
        };
        // Node first: waiting for a slow node must not hold a place of the whole remote.
        let places = u32::try_from(self.share.weight(self.per_node)).unwrap_or(1);
        let node = at_node.acquire_many_owned(places).await.ok()?;
        let remote = Arc::clone(&self.remote).acquire_owned().await.ok()?;
        Some(Place { _node: node, _remote: remote })
    }

    /// The same with an end to the waiting.
    pub(super) async fn enter_within(&self, node: &str, patience: Duration) -> Option<Place> {
        tokio::time::timeout(patience, self.enter(node)).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_node_leaves_room_for_others() {
        let limits = Limits::new(2, 3, Share::default());
        let brief = Duration::from_millis(5);
        let first = limits.enter("a").await;
        let _second = limits.enter("a").await;
        assert!(limits.enter_within("a", brief).await.is_none());
        let _third = limits.enter_within("b", brief).await.unwrap();
        assert!(limits.enter_within("c", brief).await.is_none(), "the remote is full");
        drop(first);
        assert!(limits.enter_within("a", brief).await.is_some());
    }

    #[tokio::test]
    async fn several_daemons_share_the_room_at_a_node() {
        for (daemons, each) in [(1, 4), (2, 2), (3, 1), (4, 1), (9, 1)] {
            let share = Share::default();
            let limits = Limits::new(4, 20, share.clone());
            share.among(daemons);
            let mut inside = Vec::new();
            while let Some(place) = limits.enter_within("a", Duration::from_millis(5)).await {
                inside.push(place);
            }
            assert_eq!(inside.len(), each, "{daemons} daemons");
            // One more daemon is gone: what it had is ours again.
            drop(inside);
            share.among(1);
            let all = [limits.enter("a").await, limits.enter("a").await, limits.enter("a").await];
            assert!(all.iter().all(Option::is_some));
        }
    }
}

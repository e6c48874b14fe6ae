//! How many requests may be in flight: pveproxy and pvedaemon have three synchronous workers each, so
//! more only queue there, in front of people's own clicks. Owns the counting; must not know requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room per node and per remote.
#[derive(Debug)]
pub(super) struct Limits {
    per_node: usize,
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
    pub(super) fn new(per_node: usize, per_remote: usize) -> Self {
        Self {
            per_node: per_node.max(1),
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
        let node = at_node.acquire_owned().await.ok()?;
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
        let limits = Limits::new(2, 3);
        let brief = Duration::from_millis(5);
        let first = limits.enter("a").await;
        let _second = limits.enter("a").await;
        assert!(limits.enter_within("a", brief).await.is_none());
        let _third = limits.enter_within("b", brief).await.unwrap();
        assert!(limits.enter_within("c", brief).await.is_none(), "the remote is full");
        drop(first);
        assert!(limits.enter_within("a", brief).await.is_some());
    }
}

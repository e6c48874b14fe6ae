//! The loop that lets queued operations begin and takes over abandoned ones. Owns when to look; what may
//! begin is decided in core, inside the store's transaction.

use std::collections::HashSet;
use std::time::Duration;

use lxc_core::ids::OperationId;

use super::Engine;

/// Between two passes. One looks at the whole queue, and in a big batch something ends every few milliseconds; a
/// lone target is admitted with its submit and waits for none.
const GAP: Duration = Duration::from_millis(20);

impl Engine {
    /// Admits and claims until the engine drains.
    pub async fn run(&self) {
        let inner = &self.inner;
        let parts = &inner.parts;
        let (mut looked, mut idle) = (parts.clock.boot(), HashSet::new());
        loop {
            if parts.clock.boot().saturating_sub(looked) >= parts.timing.heartbeat {
                looked = parts.clock.boot();
                idle = self.take_idle(&idle).await;
            }
            let pass = parts.clock.boot();
            let wake_in = match parts.store.claim(parts.me, self.now()).await {
                Ok(claims) => {
                    for id in claims.ended {
                        parts.bus.operation_moved(id);
                    }
                    self.take(claims.ours);
                    claims.wake_in
                }
                Err(error) => {
                    tracing::error!(%error, "cannot look into the queue");
                    Some(parts.timing.look)
                }
            };
            // A pass that had more to move than one transaction may goes on at once.
            if wake_in == Some(Duration::ZERO) && !inner.draining.is_cancelled() {
                continue;
            }
            // The heartbeat is also how often another daemon's abandoned work is looked for.
            let longest = parts.timing.heartbeat;
            let pause = wake_in.map_or(longest, |wait| wait.clamp(Duration::from_millis(1), longest));
            tokio::select! {
                () = parts.bus.queue() => {}
                () = parts.clock.sleep(pause) => {}
                () = inner.draining.cancelled() => return,
            }
            let passed = parts.clock.boot().saturating_sub(pass);
            tokio::select! {
                () = parts.clock.sleep(GAP.saturating_sub(passed)) => {}
                () = inner.draining.cancelled() => return,
            }
        }
    }

    /// Drives what is ours and driven by nobody for a whole heartbeat: its driver is gone, or the answer
    /// to the commit that made it ours was lost. Answers what is idle for the first time.
    async fn take_idle(&self, before: &HashSet<OperationId>) -> HashSet<OperationId> {
        let owned = match self.inner.parts.store.owned(self.inner.parts.me).await {
            Ok(owned) => owned,
            Err(error) => {
                tracing::error!(%error, "cannot look for operations nobody drives");
                return HashSet::new();
            }
        };
        let driven: HashSet<OperationId> = self.inner.drivers.lock().keys().copied().collect();
        let (again, first): (Vec<_>, Vec<_>) =
            owned.into_iter().filter(|op| !driven.contains(&op.id)).partition(|op| before.contains(&op.id));
        for op in &again {
            tracing::warn!(op = %op.id, "nobody drives this operation; taking it up again");
        }
        self.take(again);
        first.into_iter().map(|op| op.id).collect()
    }
}

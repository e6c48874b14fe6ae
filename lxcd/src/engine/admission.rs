//! The loop that lets queued operations begin and takes over abandoned ones. Owns when to look; what may
//! begin is decided in core, inside the store's transaction.

use std::time::Duration;

use lxc_core::timing::micros;

use super::Engine;

impl Engine {
    /// Admits and claims until the engine drains.
    pub async fn run(&self) {
        let inner = &self.inner;
        let parts = &inner.parts;
        loop {
            let now = parts.clock.now();
            let wake_at = match parts.store.claim(parts.me, now).await {
                Ok(claims) => {
                    for id in claims.ended {
                        parts.bus.operation_moved(id);
                    }
                    self.take(claims.ours);
                    claims.wake_at
                }
                Err(error) => {
                    tracing::error!(%error, "cannot look into the queue");
                    Some(now + micros(parts.timing.look))
                }
            };
            // The heartbeat is also how often another daemon's abandoned work is looked for.
            let longest = parts.timing.heartbeat;
            let pause = wake_at.map_or(longest, |at| {
                Duration::from_micros(u64::try_from(at - now).unwrap_or(0))
                    .clamp(Duration::from_millis(1), longest)
            });
            tokio::select! {
                () = parts.bus.queue() => {}
                () = parts.clock.sleep(pause) => {}
                () = inner.draining.cancelled() => return,
            }
        }
    }
}

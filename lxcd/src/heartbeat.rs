//! The heartbeat: extends this run's lease in the database, and locally from before it was sent.

use std::sync::Arc;

use lxc_core::ids::DaemonId;
use lxc_core::ports::Clock;
use lxc_core::timing::{Timing, micros};
use tokio_util::sync::CancellationToken;

use crate::engine::Lease;
use crate::store::Store;

/// Beats until stopped. A run that was declared over stops dispatching at once.
pub async fn beat(
    store: Store,
    clock: Arc<dyn Clock>,
    timing: Timing,
    me: DaemonId,
    lease: Arc<Lease>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(timing.heartbeat) => {}
        }
        let (sent, now) = (clock.boot(), clock.now());
        match store.heartbeat(me, now, now + micros(timing.lease)).await {
            Ok(true) => lease.extend(sent, &timing),
            Ok(false) => {
                tracing::error!("this run was declared over; leaving its operations to others");
                lease.lose();
            }
            // The lease ends by itself if this goes on; watching continues.
            Err(error) => tracing::warn!(%error, "cannot write the heartbeat"),
        }
    }
}

//! Forgets old requests, operations, events and audit records, by the configured retention. Owns when;
//! what may go is the store's.

use std::sync::Arc;
use std::time::Duration;

use lxc_core::ids::Micros;
use lxc_core::ports::Clock;
use lxc_core::timing::micros;
use tokio_util::sync::CancellationToken;

use crate::config::Retention;
use crate::store::{Cutoffs, Store};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(3600);
/// After the start; that has better things to do.
const FIRST: Duration = Duration::from_secs(60);

/// Works until stopped.
pub async fn work(store: Store, clock: Arc<dyn Clock>, retention: Retention, stop: CancellationToken) {
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(pause) => {}
        }
        pause = ROUND;
        match store.prune(&cutoffs(&retention, clock.now())).await {
            Ok(pruned) => match pruned.iter().map(|(_, rows)| rows).sum::<u64>() {
                0 => {}
                rows => tracing::info!(rows, "forgot what was older than its retention"),
            },
            Err(error) => tracing::warn!(%error, "cannot forget what is too old"),
        }
    }
}

/// The points in time behind the configured durations.
#[must_use]
pub fn cutoffs(retention: &Retention, now: Micros) -> Cutoffs {
    let before = |kept: Duration| now.saturating_sub(micros(kept));
    Cutoffs {
        requests: before(retention.requests),
        operations: before(retention.operations),
        events: before(retention.events),
        audit: before(retention.audit),
    }
}

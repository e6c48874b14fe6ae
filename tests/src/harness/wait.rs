//! Waiting for a condition. The one place that sleeps.

use std::time::{Duration, Instant};

/// Longer than anything that is waited for here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks until `look` finds what it wants. `Err` says how things are instead.
///
/// # Panics
/// After half a minute, with the last status.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(status) => assert!(Instant::now() < end, "waited in vain for {what}; at last: {status}"),
        }
        std::thread::sleep(PAUSE);
    }
}

/// The same where what is looked at runs on the same thread.
///
/// # Panics
/// After half a minute, with the last status.
pub async fn until_async<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(status) => assert!(Instant::now() < end, "waited in vain for {what}; at last: {status}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

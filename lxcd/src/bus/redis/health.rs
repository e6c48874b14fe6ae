//! Whether Redis answers. Owns what is remembered of its last failure; must not ask anything itself.

use std::sync::Arc;

use lxc_core::ids::Micros;
use parking_lot::Mutex;
use redis::RedisResult;

/// Since when it fails, and why. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Option<(Micros, String)>>>);

impl Health {
    /// Since when it is degraded, and why; None = it answers.
    #[must_use]
    pub fn trouble(&self) -> Option<(Micros, String)> {
        self.0.lock().clone()
    }

    /// Notes how a command went and passes the answer on. Said in the log once when it begins and once
    /// when it is over.
    pub(super) fn note<T>(&self, now: Micros, answer: RedisResult<T>) -> Result<T, String> {
        let mut trouble = self.0.lock();
        match answer {
            Ok(value) => {
                if trouble.take().is_some() {
                    tracing::info!("Redis answers again");
                }
                Ok(value)
            }
            Err(error) => {
                // Redis' own words or the connection's: neither holds the URL.
                let why = error.to_string();
                if trouble.is_none() {
                    tracing::warn!(%why, "Redis cannot be used; going on without it");
                }
                let since = trouble.as_ref().map_or(now, |(since, _)| *since);
                *trouble = Some((since, why.clone()));
                Err(why)
            }
        }
    }
}

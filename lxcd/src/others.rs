//! What this daemon has in common with others: how they wake each other, and Redis. Owns which of the ways is
//! taken; the ways themselves are `bus`' and `store`'s.

use std::sync::Arc;

use lxc_core::error::Result;
use lxc_core::ids::DaemonId;
use lxc_core::ports::{Clock, Relay};
use lxc_core::timing::Timing;
use lxc_core::wake::Wake;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, Carried, Redis, RedisRelay, carry};
use crate::config::Config;
use crate::service::store_error;
use crate::store::{Dialect, NotifyRelay, Store};

/// The bus, and what carries it.
pub struct Others {
    /// Wake-ups here and, with Postgres, from elsewhere.
    pub bus: Arc<Bus>,
    /// Where one is configured.
    pub redis: Option<Redis>,
    /// How the carrying is going; None = there is nobody else.
    pub carried: Option<Arc<Carried>>,
    relay: Option<(Arc<dyn Relay>, mpsc::Receiver<Wake>)>,
}

impl Others {
    /// With Postgres, daemons wake each other over Redis where there is one, else over Postgres itself. With
    /// SQLite there is nobody else.
    ///
    /// # Errors
    /// For a Redis URL that cannot be one; a server that is away is none.
    pub async fn new(config: &Config, store: &Store, me: DaemonId, clock: &Arc<dyn Clock>) -> Result<Self> {
        let redis = config.redis.as_ref().map(|url| Redis::open(url.expose_secret())).transpose()?;
        let url = config.database.as_ref().filter(|_| store.dialect() == Dialect::Postgres);
        let Some(url) = url else {
            return Ok(Self { bus: Arc::new(Bus::default()), redis, carried: None, relay: None });
        };
        let relay: Arc<dyn Relay> = match &redis {
            Some(redis) => {
                let database = store.database_id().await.map_err(store_error)?;
                Arc::new(RedisRelay::new(redis.clone(), clock.clone(), &database, me))
            }
            None => Arc::new(NotifyRelay::new(store, url.expose_secret(), me)),
        };
        let (bus, outward) = Bus::shared();
        Ok(Self { bus: Arc::new(bus), redis, carried: Some(Arc::default()), relay: Some((relay, outward)) })
    }

    /// Carries wake-ups until stopped.
    pub async fn carry(self, clock: Arc<dyn Clock>, timing: Timing, stop: CancellationToken) {
        if let (Some((relay, outward)), Some(carried)) = (self.relay, self.carried) {
            carry(self.bus, relay, outward, carried, clock, timing, stop).await;
        }
    }
}

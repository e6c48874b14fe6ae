//! Use cases: what a caller can ask lxcd to do, in core's types. Owns permissions and the order of
//! things; must not know gRPC or SQL, nor decide what an operation does next (core).

pub mod access;
pub mod buckets;
pub mod create;
pub mod daemons;
pub mod dry_run;
pub mod journal;
pub mod listing;
pub mod operations;
pub mod registry;
pub mod remotes;
pub mod resolve;
pub mod services;
pub mod templates;
pub mod unlock;
pub mod verbs;
pub mod versions;
pub mod watch;
mod wishes;

use std::sync::Arc;

use lxc_core::error::{Code, Error};
use lxc_core::ids::{DaemonId, Micros};
use lxc_core::ports::{Clock, RemoteJob, StoreError};
use lxc_core::timing::Timing;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, Carried, Redis};
use crate::engine::Engine;
use crate::inventory::Inventory;
use crate::store::Store;
use access::Access;
use registry::Registry;

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Known remotes and their clients.
    pub registry: Arc<Registry>,
    /// What is out there.
    pub inventory: Arc<Inventory>,
    /// What runs operations.
    pub engine: Engine,
    /// Jobs on nodes.
    pub jobs: Arc<dyn RemoteJob>,
    /// Wake-ups.
    pub bus: Arc<Bus>,
    /// Where one is configured.
    pub redis: Option<Redis>,
    /// How other daemons are heard; None = there is nobody else.
    pub carried: Option<Arc<Carried>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Time constants.
    pub timing: Timing,
    /// Who may do what.
    pub access: Arc<Access>,
    /// This run.
    pub me: DaemonId,
    /// It is on its way out: no call is let in.
    pub stopping: CancellationToken,
}

impl Services {
    /// What works without Redis or without hearing the other daemons for now, each with its reason.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let redis = self.redis.as_ref().and_then(|redis| redis.health().trouble());
        let redis = redis.map(|(_, why)| {
            format!("Redis cannot be used ({why}): other people's scripts do not see our locks")
        });
        let handed_over = self.engine.handed_over().map(|why| format!("nothing is begun here: {why}"));
        let unheard = self.carried.as_ref().and_then(|carried| carried.trouble());
        let unheard =
            unheard.map(|(_, why)| format!("other daemons are not heard ({why}): their work shows later"));
        let stale = self.registry.stale_key();
        let stale = stale.map(|_| {
            "the key of the database was changed on another host: secrets cannot be read or changed here until its \
             keyring is brought here and lxcd restarted (lxcctl explain LXC0511)"
                .to_owned()
        });
        handed_over.into_iter().chain(redis).chain(unheard).chain(stale).collect()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Reads for a stream that goes on: a store that does not answer is asked again until it does, for as long as
    /// somebody listens. What was missed meanwhile is read then.
    pub(crate) async fn patiently<T, F>(
        &self,
        listened: impl Fn() -> bool,
        read: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match read().await {
                Err(StoreError::Failed(why)) if listened() && !self.store.is_closed() => {
                    tracing::warn!(%why, "a stream waits for the database");
                    self.clock.sleep(self.timing.look).await;
                }
                other => return other.map_err(|error| self.stream_error(error)),
            }
        }
    }

    /// A store that fails in the middle of a stream. While lxcd shuts down that is no fault, and the
    /// reader comes back.
    #[must_use]
    pub fn stream_error(&self, error: StoreError) -> Error {
        if self.store.is_closed() {
            return Error::new(Code::ShuttingDown, "lxcd is shutting down")
                .because("its streams end with it")
                .hint("lxcctl daemon status");
        }
        store_error(error)
    }
}

/// A failing store as an answer to a person.
#[must_use]
pub fn store_error(error: StoreError) -> Error {
    match error {
        StoreError::Full(why) => {
            Error::new(Code::DiskFull, "lxcd has no room to write").because(why).hint_noted(
                "lxcctl daemon status",
                "says where its state is; running operations are still watched",
            )
        }
        StoreError::Corrupt(why) => Error::new(Code::CorruptDatabase, "lxcd's database is damaged")
            .because(why)
            .hint_noted("lxcctl daemon status", "says where it is; keep a copy before anything is tried"),
        StoreError::Failed(why) => Error::new(Code::StoreFailed, "lxcd's database does not answer")
            .because(why)
            .hint("lxcctl daemon status"),
    }
}

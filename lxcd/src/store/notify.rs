//! Wake-ups between the daemons of one Postgres database, over LISTEN and NOTIFY. Owns its channel and the
//! one connection that listens; nothing is kept, so who was away is told that anything may have moved.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use lxc_core::ids::DaemonId;
use lxc_core::ports::Relay;
use lxc_core::wake::{self, Wake};
use sqlx::postgres::PgListener;

use super::{Store, fail};

const CHANNEL: &str = "lxc_wake";

/// The relay of one daemon.
pub struct NotifyRelay {
    store: Store,
    url: String,
    me: String,
}

impl NotifyRelay {
    /// A relay over the Postgres database behind `store`, which has that URL.
    #[must_use]
    pub fn new(store: &Store, url: &str, me: DaemonId) -> Self {
        Self { store: store.clone(), url: url.to_owned(), me: me.to_string() }
    }
}

#[async_trait]
impl Relay for NotifyRelay {
    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn send(&self, wakes: &[Wake]) -> Result<(), String> {
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(wake::message(&self.me, wakes))
            .execute(&self.store.writer)
            .await
            .map_err(|error| error.to_string())?;
        Ok(())
    }

    async fn listen(&self) -> Result<BoxStream<'static, Vec<Wake>>, String> {
        let opened = async {
            let mut listener = PgListener::connect(&self.url).await?;
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let opened = self.store.promptly(async { opened.await.map_err(|error: sqlx::Error| fail(error)) });
        let listener = opened.await.map_err(|error| error.to_string())?;
        // None or an error = the connection broke, and what was told meanwhile is lost.
        let payloads = stream::unfold(listener, |mut listener| async move {
            let notification = listener.try_recv().await.ok().flatten()?;
            Some((notification.payload().to_owned(), listener))
        });
        let me = self.me.clone();
        let wakes = payloads.filter_map(move |payload| {
            let wakes = wake::read(&payload, &me);
            async move { wakes }
        });
        Ok(wakes.boxed())
    }
}

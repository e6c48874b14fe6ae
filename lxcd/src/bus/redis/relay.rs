//! Wake-ups between daemons over a Redis channel. Owns the channel; nothing is kept, so a daemon that was
//! away is told that anything may have moved.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use lxc_core::ids::DaemonId;
use lxc_core::ports::{Clock, Relay};
use lxc_core::wake::{self, Wake};
use std::sync::Arc;

use super::Redis;

/// The relay of one daemon.
pub struct RedisRelay {
    redis: Redis,
    clock: Arc<dyn Clock>,
    channel: String,
    me: String,
}

impl RedisRelay {
    /// A relay among the daemons of the database that is called `database`.
    #[must_use]
    pub fn new(redis: Redis, clock: Arc<dyn Clock>, database: &str, me: DaemonId) -> Self {
        Self { redis, clock, channel: format!("lxc:wake:{database}"), me: me.to_string() }
    }
}

#[async_trait]
impl Relay for RedisRelay {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn send(&self, wakes: &[Wake]) -> Result<(), String> {
        let message = wake::message(&self.me, wakes);
        let mut connection = self.redis.connection.clone();
        let sent: redis::RedisResult<()> =
            redis::cmd("PUBLISH").arg(&self.channel).arg(message).query_async(&mut connection).await;
        self.redis.health().note(self.clock.now(), sent)
    }

    async fn listen(&self) -> Result<BoxStream<'static, Vec<Wake>>, String> {
        let opened = async {
            let mut listening = self.redis.client.get_async_pubsub().await?;
            listening.subscribe(&self.channel).await?;
            Ok(listening)
        };
        let listening = tokio::time::timeout(super::CONNECT, opened)
            .await
            .map_err(|_| "no answer in time".to_owned())
            .and_then(|opened: redis::RedisResult<_>| self.redis.health().note(self.clock.now(), opened))?;
        let me = self.me.clone();
        let wakes = listening.into_on_message().filter_map(move |message| {
            let wakes = message.get_payload::<String>().ok().and_then(|text| wake::read(&text, &me));
            async move { wakes }
        });
        Ok(wakes.boxed())
    }
}

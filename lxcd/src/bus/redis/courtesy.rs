//! The key beside a container's lock, for everybody else's scripts (ARCHITECTURE.md, rule 16): `SET
//! lxc:lock:{installation}:{vmid} <operation> NX EX 300`. Owns the three scripts; must not decide what a
//! foreign key means.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use lxc_core::ids::{Installation, Micros, OperationId, Vmid};
use lxc_core::ports::{Courtesy, CourtesyLock};
use redis::Script;

use super::Redis;

/// How long a key lives without being renewed, seconds.
const SECONDS: u64 = 300;

/// Takes a free key, our own, or one of an operation of ours that is over. Answers the value that stands
/// there now and its milliseconds to live.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local held = redis.call('GET', KEYS[1])
         if not held or held == ARGV[1] or held == ARGV[3] then
           redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
           held = ARGV[1]
         end
         return {held, redis.call('PTTL', KEYS[1])}",
    )
});

/// Deletes a key only with the value that is expected.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
         return 0",
    )
});

fn key(installation: &Installation, vmid: Vmid) -> String {
    format!("lxc:lock:{installation}:{vmid}")
}

/// What PTTL says; below zero it lives for ever.
fn left_of(milliseconds: i64) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

#[async_trait]
impl CourtesyLock for Redis {
    async fn take(
        &self,
        installation: &Installation,
        vmid: Vmid,
        op: OperationId,
        over: Option<OperationId>,
        now: Micros,
    ) -> Courtesy {
        let mine = op.to_string();
        let over = over.map(|id| id.to_string()).unwrap_or_default();
        let mut connection = self.connection.clone();
        let answer: redis::RedisResult<(String, i64)> = TAKE
            .key(key(installation, vmid))
            .arg(&mine)
            .arg(SECONDS)
            .arg(over)
            .invoke_async(&mut connection)
            .await;
        match self.health().note(now, answer) {
            Ok((value, _)) if value == mine => Courtesy::Taken,
            Ok((value, left)) => Courtesy::Held { value, left: left_of(left) },
            Err(why) => Courtesy::Away(why),
        }
    }

    async fn holder(
        &self,
        installation: &Installation,
        vmid: Vmid,
        now: Micros,
    ) -> Result<Option<(String, Option<Duration>)>, String> {
        let key = key(installation, vmid);
        let mut connection = self.connection.clone();
        let answer: redis::RedisResult<(Option<String>, i64)> =
            redis::pipe().get(&key).pttl(&key).query_async(&mut connection).await;
        let (value, left) = self.health().note(now, answer)?;
        Ok(value.map(|value| (value, left_of(left))))
    }

    async fn release(&self, installation: &Installation, vmid: Vmid, value: &str, now: Micros) -> bool {
        let mut connection = self.connection.clone();
        let answer: redis::RedisResult<i64> =
            RELEASE.key(key(installation, vmid)).arg(value).invoke_async(&mut connection).await;
        // What cannot be deleted ends by itself.
        self.health().note(now, answer).is_ok_and(|deleted| deleted == 1)
    }
}

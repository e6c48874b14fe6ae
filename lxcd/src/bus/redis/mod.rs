//! Redis: the courtesy lock that other people's scripts see, and wake-ups between daemons. Owns the
//! connection and the keys; must not hold anything that cannot be lost, so it may be away, empty or full at
//! any time: slower and said so, never unsafe.

mod courtesy;
mod health;
mod relay;
mod url;

use std::time::Duration;

use lxc_core::error::{Code, Error};
use redis::Client;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

pub use health::Health;
pub use relay::RedisRelay;

/// How long one command may take. Redis answers in well under a millisecond or is in trouble.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest pause between attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A Redis server (7 or later). Cheap to clone; connects by itself, again and again.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: ConnectionManager,
    health: Health,
}

impl Redis {
    /// Takes the URL (`redis://`, `rediss://`, `redis+unix://`, with user and password as Redis ACLs want
    /// them; `rediss://` may name its CA, `?sslrootcert=FILE`). Connects to nothing yet: it may be away when lxcd
    /// starts.
    ///
    /// # Errors
    /// LXC0212 for a URL that cannot be one or a CA that cannot be read; the URL itself, which may hold a password,
    /// is not repeated.
    pub fn open(url: &str) -> Result<Self, Error> {
        let client = url::client(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1)
            .set_max_delay(LONGEST_PAUSE);
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)
            .map_err(|error| unusable(error.category()))?;
        Ok(Self { client, connection, health: Health::default() })
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }
}

fn unusable(why: impl Into<String>) -> Error {
    Error::new(Code::BadConfig, "redis cannot be used").because(why.into())
}

//! Opening a database: its connections and what holds for each of them. What the schema has to be is `migrate`'s.

use std::path::Path;
use std::time::Duration;

use lxc_core::error::Error;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection};

use super::group_commit::GroupCommit;
use super::{Dialect, Pool, Store, migrate};

/// FULL: the dispatch record must survive power loss, or a call could be sent twice.
const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;";
const READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;";

/// Connections to Postgres; with ten lxcd that leaves room in its usual hundred.
const CONNECTIONS: u32 = 8;
/// Longer than anything we ask for takes, unless somebody holds a lock or Postgres is in trouble: then whoever asked
/// is told so. What a daemon that was cut off in a transaction holds is free again before its lease has ended: whoever
/// takes over does not wait for it.
const DAILY: &str = "SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '20s';";
/// A connection that says nothing for so long is given up. More than [`DAILY`] allows a statement: a Postgres that
/// is there would have said something.
const SILENCE: Duration = Duration::from_secs(35);
/// How long somebody waits for one of them, or for Postgres to take one more.
const ACQUIRE: Duration = Duration::from_secs(3);

impl Store {
    /// Opens a SQLite database; makes or upgrades it.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer lxcd.
    pub async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        let writer = first_sqlite(path, "rwc").await?;
        migrate::sqlite(&writer, path).await?;
        Self::sqlite(path, writer).await
    }

    /// Opens a SQLite database as it is, beside an lxcd that may be running.
    ///
    /// # Errors
    /// When there is none, or it is not of this lxcd's schema.
    pub async fn attach_sqlite(path: &Path) -> Result<Self, Error> {
        let writer = first_sqlite(path, "rw").await?;
        migrate::is_current(&writer, Dialect::Sqlite).await?;
        Self::sqlite(path, writer).await
    }

    async fn sqlite(path: &Path, writer: AnyPool) -> Result<Self, Error> {
        let reader = sqlite_pool(path, "rw", 4, READER).await?;
        let group = GroupCommit::new(Dialect::Sqlite);
        let [writer, reader] = [writer, reader].map(|pool| Pool::new(pool, None));
        Ok(Self { writer, reader, dialect: Dialect::Sqlite, group })
    }

    /// Opens a Postgres database; its schema is made where there is none. One of an older lxcd is upgraded by
    /// [`Self::upgrade_postgres`] only: others may use it.
    ///
    /// # Errors
    /// When it cannot be reached, or was written by a newer lxcd or an older one.
    pub async fn open_postgres(url: &str) -> Result<Self, Error> {
        let store = Self::reach_postgres(url, DAILY, Some(SILENCE)).await?;
        migrate::postgres(store.writer.unbounded()).await?;
        Ok(store)
    }

    /// The same, and brings its schema up to date. Answers the number of the schema before, 0 = none.
    ///
    /// # Errors
    /// When it cannot be reached or upgraded.
    pub async fn upgrade_postgres(url: &str) -> Result<(Self, i64), Error> {
        let store = Self::reach_postgres(url, "", None).await?;
        let before = migrate::upgrade_postgres(store.writer.unbounded()).await?;
        Ok((store, before))
    }

    async fn reach_postgres(
        url: &str,
        settings: &'static str,
        silence: Option<Duration>,
    ) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        // A pool would try again and again, and say nothing but that it took too long.
        let first = tokio::time::timeout(ACQUIRE, AnyConnection::connect(url)).await;
        let first = first.map_err(|_| migrate::postgres_error(&sqlx::Error::PoolTimedOut))?;
        first
            .map_err(|e| migrate::postgres_error(&e))?
            .close()
            .await
            .map_err(|e| migrate::postgres_error(&e))?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| {
                Box::pin(async move { sqlx::raw_sql(settings).execute(&mut *connection).await.map(drop) })
            })
            .connect(url)
            .await
            .map_err(|e| migrate::postgres_error(&e))?;
        let group = GroupCommit::new(Dialect::Postgres);
        let pool = Pool::new(pool, silence);
        Ok(Self { writer: pool.clone(), reader: pool, dialect: Dialect::Postgres, group })
    }
}

/// The one connection that writes, once one was opened by hand: a pool would try a damaged file again and again,
/// and say nothing but that it took too long.
async fn first_sqlite(path: &Path, mode: &str) -> Result<AnyPool, Error> {
    sqlx::any::install_default_drivers();
    let tried = async {
        let mut first = AnyConnection::connect(&sqlite_url(path, mode)).await?;
        sqlx::raw_sql(WRITER).execute(&mut first).await?;
        first.close().await
    };
    tried.await.map_err(|e| migrate::open_error(&e, path))?;
    sqlite_pool(path, mode, 1, WRITER).await
}

fn sqlite_url(path: &Path, mode: &str) -> String {
    format!("sqlite://{}?mode={mode}", path.display())
}

async fn sqlite_pool(
    path: &Path,
    mode: &str,
    connections: u32,
    pragmas: &'static str,
) -> Result<AnyPool, Error> {
    let options = AnyPoolOptions::new()
        .max_connections(connections)
        // Everybody waits for the one writer, and a slow disk may take a second for each of them.
        .acquire_timeout(Duration::from_secs(60))
        // A file does not go away while nobody looks, and what was wrong was found when it was given back.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(pragmas).execute(&mut *connection).await?;
                Ok(())
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                // Without room SQLite rolls back by itself, and the driver believes itself in a transaction
                // for ever after: such a connection is of no more use. The ping waits for a rollback that is
                // only on its way.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        });
    options.connect(&sqlite_url(path, mode)).await.map_err(|e| migrate::open_error(&e, path))
}

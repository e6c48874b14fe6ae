//! The one module that speaks SQL, through `sqlx::Any`, to SQLite and Postgres alike. Owns connections,
//! transactions and rows; must not decide anything (that is `lxc_core`) nor know Proxmox or gRPC.

mod admission;
mod audit;
mod commit;
mod container;
mod daemon;
mod dialect;
mod event;
mod migrate;
mod notify;
mod operation;
mod poller;
mod prune;
mod queue;
mod remote;
mod row;
mod scope;
mod submit;

pub use dialect::Dialect;
pub use notify::NotifyRelay;
pub use poller::{Newer, Polling};
pub use prune::Cutoffs;
pub use submit::{NewRequest, Submitted};

use std::path::Path;
use std::time::Duration;

use lxc_core::ports::StoreError;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Row, Transaction};

/// What every method here returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// On SQLite its one connection is the one writer.
    writer: AnyPool,
    reader: AnyPool,
    dialect: Dialect,
}

impl Store {
    /// Opens (and on SQLite makes or upgrades) the database.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer lxcd.
    pub async fn open_sqlite(path: &Path) -> Result<Self, lxc_core::error::Error> {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let pool = |connections: u32, pragmas: &'static str| {
            let options = AnyPoolOptions::new()
                .max_connections(connections)
                // Everybody waits for the one writer, and a slow disk may take a second for each of them.
                .acquire_timeout(Duration::from_secs(60))
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        sqlx::raw_sql(pragmas).execute(&mut *connection).await?;
                        Ok(())
                    })
                })
                .after_release(|connection, _| {
                    Box::pin(async move {
                        // Without room SQLite rolls back by itself, and the driver believes itself in a
                        // transaction for ever after: such a connection is of no more use. The ping waits
                        // for a rollback that is only on its way.
                        connection.ping().await?;
                        Ok(!connection.is_in_transaction())
                    })
                });
            let url = url.clone();
            async move { options.connect(&url).await }
        };
        // FULL: the dispatch record must survive power loss, or a call could be sent twice.
        const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;";
        const READER: &str = "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;";
        // A pool would try a damaged file again and again, and say nothing but that it took too long.
        let tried = async {
            let mut first = AnyConnection::connect(&url).await?;
            sqlx::raw_sql(WRITER).execute(&mut first).await?;
            first.close().await
        };
        tried.await.map_err(|e| migrate::open_error(&e, path))?;
        let writer = pool(1, WRITER).await.map_err(|e| migrate::open_error(&e, path))?;
        migrate::sqlite(&writer, path).await?;
        let reader = pool(4, READER).await.map_err(|e| migrate::open_error(&e, path))?;
        Ok(Self { writer, reader, dialect: Dialect::Sqlite })
    }

    /// Opens a Postgres database; its schema is made where there is none.
    ///
    /// # Errors
    /// When it cannot be reached, or was written by a newer lxcd.
    pub async fn open_postgres(url: &str) -> Result<Self, lxc_core::error::Error> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            .connect(url)
            .await
            .map_err(|e| migrate::postgres_error(&e))?;
        migrate::postgres(&pool).await?;
        Ok(Self { writer: pool.clone(), reader: pool, dialect: Dialect::Postgres })
    }

    /// Whether other daemons may use the same database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Closes every connection; on SQLite this folds the write-ahead log back.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Whether [`Self::close`] was called: what fails from then on says nothing about the database.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.reader.is_closed()
    }

    /// A writing transaction.
    async fn write(&self) -> Result<Transaction<'static, Any>> {
        self.writer.begin_with(self.dialect.begin()).await.map_err(fail)
    }

    /// A connection for reading.
    async fn read(&self) -> Result<PoolConnection<Any>> {
        self.reader.acquire().await.map_err(fail)
    }

    /// A value of the `meta` table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meta(&self, key: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM meta WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        row.map(|row| get(&row, "value")).transpose()
    }

    /// What tells this database from others, whoever asks; made the first time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn database_id(&self) -> Result<String> {
        const KEY: &str = "database_id";
        let made = uuid::Uuid::new_v4().to_string();
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
            .bind(KEY)
            .bind(made.clone())
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(self.meta(KEY).await?.unwrap_or(made))
    }

    /// Sets a value of the `meta` table.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES ($1, $2) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&self.writer)
        .await
        .map_err(fail)?;
        Ok(())
    }
}

/// Sorts a database error into what the engine must tell apart.
fn fail(error: sqlx::Error) -> StoreError {
    fail_ref(&error)
}

fn fail_ref(error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    let code = match error {
        sqlx::Error::Database(database) => database.code().map(|code| code.to_string()),
        _ => None,
    };
    match code.as_deref() {
        // SQLITE_FULL, Postgres disk_full.
        Some("13" | "53100") => StoreError::Full(text),
        // SQLITE_CORRUPT, SQLITE_NOTADB, Postgres data_corrupted.
        Some("11" | "26" | "XX001") => StoreError::Corrupt(text),
        _ if text.contains("disk I/O error") || text.contains("disk is full") => StoreError::Full(text),
        _ => StoreError::Failed(text),
    }
}

/// A column, or a fault of the row.
fn get<'r, T>(row: &'r AnyRow, column: &str) -> Result<T>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    row.try_get(column).map_err(|e| StoreError::Corrupt(format!("column {column}: {e}")))
}

/// A column that holds JSON.
fn get_json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T> {
    let text: String = get(row, column)?;
    serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(format!("column {column}: {e}")))
}

/// A column that holds an id, a state name, anything with a spelling.
fn get_parsed<T: std::str::FromStr>(row: &AnyRow, column: &str) -> Result<T> {
    let text: String = get(row, column)?;
    text.parse().map_err(|_| StoreError::Corrupt(format!("column {column}: {text:?}")))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Failed(format!("cannot write JSON: {e}")))
}

//! The one module that speaks SQL, through `sqlx::Any`, to SQLite and Postgres alike. Owns connections,
//! transactions and rows; must not decide anything (that is `lxc_core`) nor know Proxmox or gRPC.

mod admission;
mod alone;
mod audit;
mod bound;
mod bucket;
mod bulk;
mod commit;
mod consequence;
mod container;
mod daemon;
mod dialect;
mod event;
mod export;
mod group_commit;
mod hosts;
mod login;
mod migrate;
mod notify;
mod open;
mod operation;
mod poller;
mod prune;
mod queue;
mod remote;
mod reserve;
mod row;
mod scope;
mod services;
mod ssh;
mod submit;
mod tasks;
mod template;
mod watch;
mod work;
mod write;

pub use dialect::Dialect;
pub use export::Part;
pub use notify::NotifyRelay;
pub use poller::{Newer, Polling};
pub use prune::{Cutoffs, Pruned};
pub use submit::{NewRequest, Submitted};

use bound::{Connection, Pool, Transaction};
use lxc_core::ports::StoreError;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

/// What every method here returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// On SQLite its one connection is the one writer.
    writer: Pool,
    reader: Pool,
    dialect: Dialect,
    group: group_commit::GroupCommit,
}

impl Store {
    /// Whether other daemons may use the same database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// Number of the newest change of the schema that this lxcd knows.
    #[must_use]
    pub fn schema(&self) -> i64 {
        migrate::newest(self.dialect)
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Closes every connection; on SQLite this folds the write-ahead log back.
    pub async fn close(&self) {
        self.reader.unbounded().close().await;
        self.writer.unbounded().close().await;
    }

    /// Whether [`Self::close`] was called: what fails from then on says nothing about the database.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.reader.unbounded().is_closed()
    }

    /// A writing transaction.
    async fn write(&self) -> Result<Transaction> {
        self.writer.begin(self.dialect.begin()).await.map_err(fail)
    }

    /// A connection for reading.
    async fn read(&self) -> Result<Connection> {
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
    let text = match error {
        // The driver's words say nothing about whose fault it is.
        sqlx::Error::PoolTimedOut => {
            "no connection in time: it does not answer, or has too many already".to_owned()
        }
        sqlx::Error::Io(silent) if silent.kind() == std::io::ErrorKind::TimedOut => silent.to_string(),
        other => other.to_string(),
    };
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

//! A database of its own for each test, and a raw connection beside the store's. Owns the template that
//! Postgres databases are copied from.

use lxcd::store::Store;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use lxc_tests::harness::Postgres;

/// An empty database with our schema.
pub(crate) struct Db {
    pub(crate) store: Store,
    /// The same database, as another daemon has it open.
    pub(crate) other: Store,
    /// Past the store, for what it must not be able to do.
    pub(crate) raw: AnyPool,
    /// Which of the two it is.
    pub(crate) sqlite: bool,
    _dir: Option<tempfile::TempDir>,
}

impl Db {
    pub(crate) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lxcd.db");
        let store = Store::open_sqlite(&path).await.unwrap();
        let other = Store::open_sqlite(&path).await.unwrap();
        let raw = AnyPool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        Self { store, other, raw, sqlite: true, _dir: Some(dir) }
    }

    /// None where there is no Postgres; the cluster has said so.
    pub(crate) async fn postgres() -> Option<Self> {
        let url = tokio::task::spawn_blocking(copy_of_template).await.unwrap()?;
        let store = Store::open_postgres(&url).await.unwrap();
        let other = Store::open_postgres(&url).await.unwrap();
        let raw = AnyPool::connect(&url).await.unwrap();
        Some(Self { store, other, raw, sqlite: false, _dir: None })
    }

    /// Whether raw SQL is accepted.
    pub(crate) async fn accepts(&self, sql: &str) -> bool {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.raw).await.is_ok()
    }

    /// One number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&self.raw).await.unwrap().get(0)
    }
}

/// The URL of a new database with our schema.
fn copy_of_template() -> Option<String> {
    let postgres = Postgres::shared()?;
    let template = postgres.template(|url| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { Store::open_postgres(url).await.unwrap().close().await });
    });
    Some(postgres.url(&postgres.create(Some(template))))
}

//! A database of its own for each test, and a raw connection beside the store's. Owns the template that
//! Postgres databases are copied from.

use lxcd::store::Store;
use sqlx::{AnyPool, AssertSqlSafe, Row};
use tokio::sync::OnceCell;

use super::cluster::Cluster;

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

static TEMPLATE: OnceCell<()> = OnceCell::const_new();

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
        let cluster = tokio::task::spawn_blocking(Cluster::get).await.unwrap()?;
        sqlx::any::install_default_drivers();
        let admin = async || AnyPool::connect(&cluster.url("postgres")).await.unwrap();
        TEMPLATE
            .get_or_init(|| async {
                run(&admin().await, "CREATE DATABASE lxcd_template").await;
                Store::open_postgres(&cluster.url("lxcd_template")).await.unwrap().close().await;
            })
            .await;
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        run(&admin().await, &format!("CREATE DATABASE {name} TEMPLATE lxcd_template")).await;
        let store = Store::open_postgres(&cluster.url(&name)).await.unwrap();
        let other = Store::open_postgres(&cluster.url(&name)).await.unwrap();
        let raw = AnyPool::connect(&cluster.url(&name)).await.unwrap();
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

async fn run(pool: &AnyPool, sql: &str) {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
    pool.close().await;
}

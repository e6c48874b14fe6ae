//! Making and upgrading the schema: forward only, embedded. Owns the copy before an upgrade and the
//! words for a database that cannot be used; must not know the tables.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::path::Path;

use super::Dialect;
use lxc_core::error::{Code, Error};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, SqlSafeStr};

const SQLITE: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../../../migrations/sqlite/0001_init.sql")),
    (2, "daemons", include_str!("../../../migrations/sqlite/0002_daemons.sql")),
    (3, "people", include_str!("../../../migrations/sqlite/0003_people.sql")),
    (4, "templates", include_str!("../../../migrations/sqlite/0004_templates.sql")),
    (5, "creates", include_str!("../../../migrations/sqlite/0005_creates.sql")),
    (6, "ssh", include_str!("../../../migrations/sqlite/0006_ssh.sql")),
    (7, "services", include_str!("../../../migrations/sqlite/0007_services.sql")),
    (8, "buckets", include_str!("../../../migrations/sqlite/0008_buckets.sql")),
];
const POSTGRES: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../../../migrations/postgres/0001_init.sql")),
    (2, "daemons", include_str!("../../../migrations/postgres/0002_daemons.sql")),
    (3, "people", include_str!("../../../migrations/postgres/0003_people.sql")),
    (4, "templates", include_str!("../../../migrations/postgres/0004_templates.sql")),
    (5, "creates", include_str!("../../../migrations/postgres/0005_creates.sql")),
    (6, "ssh", include_str!("../../../migrations/postgres/0006_ssh.sql")),
    (7, "services", include_str!("../../../migrations/postgres/0007_services.sql")),
    (8, "buckets", include_str!("../../../migrations/postgres/0008_buckets.sql")),
];

/// Number of the newest change of the schema that this lxcd knows.
pub(super) fn newest(dialect: Dialect) -> i64 {
    let files = match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    };
    files.last().map_or(0, |(version, ..)| *version)
}

fn migrator(files: &'static [(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = files
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                (*sql).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Brings a SQLite file up to date; what was there before is copied beside it first.
pub(super) async fn sqlite(pool: &AnyPool, path: &Path) -> Result<(), Error> {
    let check: Result<(String,), _> = sqlx::query_as("PRAGMA quick_check(1)").fetch_one(pool).await;
    match check {
        Ok((answer,)) if answer == "ok" => {}
        Ok((answer,)) => return Err(corrupt(path, &answer)),
        Err(error) => return Err(open_error(&error, path)),
    }
    let (applied, newest) = (applied(pool).await, newest(Dialect::Sqlite));
    if applied > 0 && applied < newest {
        let copy = path.with_extension(format!("before-{newest}.db"));
        let _ = std::fs::remove_file(&copy);
        let quoted = copy.display().to_string().replace('\'', "''");
        sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{quoted}'")))
            .execute(pool)
            .await
            .map_err(|e| open_error(&e, path))?;
    }
    migrator(SQLITE).run(pool).await.map_err(|e| upgrade_error(&e, &path.display().to_string()))
}

/// Makes the schema of an empty database. A schema that is there is not touched, for others may use it.
pub(super) async fn postgres(pool: &AnyPool) -> Result<(), Error> {
    if applied(pool).await > 0 {
        is_current(pool, Dialect::Postgres).await?;
    }
    upgrade_postgres(pool).await.map(drop)
}

/// Refuses a schema that is older than this lxcd's. What is newer is refused with the migrations.
pub(super) async fn is_current(pool: &AnyPool, dialect: Dialect) -> Result<(), Error> {
    let (applied, newest) = (applied(pool).await, newest(dialect));
    let what = format!("the {} database", dialect.name());
    match applied.cmp(&newest) {
        Ordering::Less => Err(Error::new(Code::OlderDatabase, format!("{what} is of an older lxcd"))
            .because(format!("it has schema {applied}, this lxcd needs {newest}"))
            .hint_noted("lxcd db upgrade", "an older lxcd that still runs on it hands over then")),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(upgrade_error(&MigrateError::VersionMissing(applied), &what)),
    }
}

/// Brings the schema up to date; answers which it was.
pub(super) async fn upgrade_postgres(pool: &AnyPool) -> Result<i64, Error> {
    let before = applied(pool).await;
    // Two that start on an empty database at once take turns.
    migrator(POSTGRES).run(pool).await.map_err(|e| upgrade_error(&e, "the Postgres database"))?;
    Ok(before)
}

/// Number of the newest change of the schema that was made; 0 = there is none.
async fn applied(pool: &AnyPool) -> i64 {
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await
        .unwrap_or(0)
}

fn corrupt(path: &Path, why: &str) -> Error {
    Error::new(Code::CorruptDatabase, format!("the database {} is damaged", path.display()))
        .because(why.to_owned())
        .hint_noted(
            format!("sqlite3 {} .recover > /tmp/recovered.sql", path.display()),
            "keep a copy of the file first; lxcd has changed nothing",
        )
}

/// What keeps a SQLite file from being opened.
pub(super) fn open_error(error: &sqlx::Error, path: &Path) -> Error {
    match super::fail_ref(error) {
        lxc_core::ports::StoreError::Corrupt(why) => corrupt(path, &why),
        lxc_core::ports::StoreError::Full(why) => {
            Error::new(Code::DiskFull, format!("no room for the database {}", path.display())).because(why)
        }
        lxc_core::ports::StoreError::Failed(why) => {
            Error::new(Code::StoreFailed, format!("the database {} cannot be opened", path.display()))
                .because(why)
        }
    }
}

/// What keeps a Postgres database from being opened; the URL may hold a password and is not shown.
pub(super) fn postgres_error(error: &sqlx::Error) -> Error {
    Error::new(Code::StoreFailed, "the Postgres database cannot be opened").because(error.to_string())
}

fn upgrade_error(error: &MigrateError, what: &str) -> Error {
    match error {
        MigrateError::VersionMissing(version) => {
            Error::new(Code::NewerDatabase, format!("{what} was written by a newer lxcd"))
                .because(format!(
                    "it has schema {version}, this lxcd knows up to {}",
                    newest(Dialect::Sqlite)
                ))
                .hint_noted("lxcd --version", "install the version that wrote it, or a later one")
        }
        MigrateError::VersionMismatch(version) => {
            Error::new(Code::CorruptDatabase, format!("{what} has another schema {version} than this lxcd"))
                .because("it was changed by hand, or by a build that was never released")
        }
        other => {
            Error::new(Code::StoreFailed, format!("{what} cannot be upgraded")).because(other.to_string())
        }
    }
}

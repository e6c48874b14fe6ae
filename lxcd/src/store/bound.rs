//! Connections whose statements end in time. The driver waits for an answer for ever, and a database that vanishes from
//! the network says nothing: here each statement has a bound, and a connection that broke it is dropped, never given
//! to anybody else. Owns pools, connections and transactions as the store uses them; must not know any SQL of ours.

mod execute;

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Database, Error, SqlStr};
use sqlx_core::transaction::TransactionManager;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Store, fail};

type Manager = <Any as Database>::TransactionManager;

/// How long a connection that is given back may take to say that it is well.
const GIVE_BACK: Duration = Duration::from_secs(3);

/// How long a person waits for a database before being told that it does not answer; longer than for a connection to it.
const PROMPT: Duration = Duration::from_secs(4);

impl Store {
    /// For somebody who waits: what has not come after [`PROMPT`] does not come.
    ///
    /// # Errors
    /// Those of `work`, and that one.
    pub async fn promptly<T>(&self, work: impl Future<Output = super::Result<T>>) -> super::Result<T> {
        let late = |_| Err(fail(no_answer()));
        timeout(PROMPT, work).await.unwrap_or_else(late)
    }
}

/// A pool whose connections have a bound.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    inner: AnyPool,
    /// None = as long as it takes: a file answers, or fails.
    silence: Option<Duration>,
}

impl Pool {
    /// Over `inner`; a statement whose connection says nothing for `silence` has failed.
    pub(super) fn new(inner: AnyPool, silence: Option<Duration>) -> Self {
        Self { inner, silence }
    }

    /// A connection, as soon as one is free.
    pub(super) async fn acquire(&self) -> Result<Connection, Error> {
        let inner = self.inner.acquire().await?;
        Ok(Connection { inner: Some(inner), silence: self.silence, silent: false })
    }

    /// A transaction that begins with this statement.
    pub(super) async fn begin(&self, statement: &'static str) -> Result<Transaction, Error> {
        let mut connection = self.acquire().await?;
        connection.within(|inner| Manager::begin(inner, Some(SqlStr::from_static(statement)))).await?;
        Ok(Transaction { connection, open: true })
    }

    /// The pool itself, for what may take as long as it takes.
    pub(super) fn unbounded(&self) -> &AnyPool {
        &self.inner
    }
}

/// A connection that goes back to its pool when dropped, unless it was silent.
#[derive(Debug)]
pub(super) struct Connection {
    /// None only while it is dropped.
    inner: Option<PoolConnection<Any>>,
    silence: Option<Duration>,
    /// A statement was given up, and what it answers may still come.
    silent: bool,
}

impl Connection {
    /// Runs something on it, within the bound.
    async fn within<'a, T, F>(
        &'a mut self,
        work: impl FnOnce(&'a mut sqlx::AnyConnection) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + 'a,
    {
        let (inner, silence, silent) = self.parts()?;
        match silence {
            None => work(inner).await,
            Some(silence) => match timeout(silence, work(inner)).await {
                Ok(done) => done,
                Err(_) => Err(given_up(silent)),
            },
        }
    }

    fn parts(&mut self) -> Result<(&mut sqlx::AnyConnection, Option<Duration>, &mut bool), Error> {
        match &mut self.inner {
            Some(inner) if !self.silent => Ok((&mut **inner, self.silence, &mut self.silent)),
            _ => Err(no_answer()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut inner) = self.inner.take() else { return };
        if self.silent {
            // Not closed with good manners: nobody hears them.
            drop(inner.detach());
        } else if self.silence.is_some()
            && let Ok(runtime) = Handle::try_current()
        {
            // The driver asks it whether it is well, which also waits for a statement that nobody waits for any more,
            // and would wait for ever.
            let back = inner.return_to_pool();
            runtime.spawn(async move { timeout(GIVE_BACK, back).await });
        }
    }
}

/// A transaction; taken back when dropped before its end.
#[derive(Debug)]
pub(super) struct Transaction {
    connection: Connection,
    open: bool,
}

impl Transaction {
    /// Makes it hold.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.connection.within(Manager::commit).await?;
        self.open = false;
        Ok(())
    }

    /// Takes it back.
    pub(super) async fn rollback(mut self) -> Result<(), Error> {
        self.connection.within(Manager::rollback).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open
            && let Ok((inner, ..)) = self.connection.parts()
        {
            Manager::start_rollback(inner);
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

fn given_up(silent: &mut bool) -> Error {
    *silent = true;
    no_answer()
}

fn no_answer() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it was asked and did not answer in time"))
}

#[cfg(test)]
mod tests {
    use sqlx::any::AnyPoolOptions;

    use super::*;

    const BOUND: Duration = Duration::from_millis(100);
    /// Far more than the bound allows.
    const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT MAX(i) FROM n";

    async fn pool(dir: &tempfile::TempDir) -> Pool {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("db").display());
        let inner = AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        Pool::new(inner, Some(BOUND))
    }

    async fn one(pool: &Pool) -> i64 {
        sqlx::query_scalar("SELECT 1").fetch_one(pool).await.unwrap()
    }

    fn is_silence(error: &Error) -> bool {
        matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test]
    async fn who_does_not_answer_is_dropped_and_another_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let pool = pool(&dir).await;
        assert!(is_silence(&sqlx::query(LONG).fetch_optional(&pool).await.map(drop).unwrap_err()));
        assert!(is_silence(&sqlx::query(LONG).fetch_all(&pool).await.map(drop).unwrap_err()));
        // There is only room for one, and it is not waited for.
        assert_eq!(one(&pool).await, 1);
    }

    #[tokio::test]
    async fn a_transaction_that_was_silent_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let pool = pool(&dir).await;
        let mut tx = pool.begin("BEGIN").await.unwrap();
        assert!(is_silence(&sqlx::query(LONG).execute(&mut *tx).await.unwrap_err()));
        // What it would answer now belongs to the statement before.
        assert!(is_silence(&sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap_err()));
        assert!(is_silence(&tx.commit().await.unwrap_err()));
        assert_eq!(one(&pool).await, 1);
    }

    #[tokio::test]
    async fn what_is_dropped_half_way_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let pool = pool(&dir).await;
        sqlx::query("CREATE TABLE t (i BIGINT)").execute(&pool).await.unwrap();
        for keep in [false, true] {
            let mut tx = pool.begin("BEGIN IMMEDIATE").await.unwrap();
            sqlx::query("INSERT INTO t (i) VALUES (1)").execute(&mut *tx).await.unwrap();
            if keep {
                tx.commit().await.unwrap();
            }
        }
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM t").fetch_one(&pool).await.unwrap();
        assert_eq!(rows, 1);
    }
}

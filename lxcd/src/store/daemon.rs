//! Daemons and their leases as rows. A lease that has ended frees what its daemon drove.

use lxc_core::ids::{DaemonId, Micros};
use lxc_core::record::DaemonRecord;

use sqlx::AssertSqlSafe;

use super::{Dialect, Result, Store, fail};

impl Store {
    /// The clock that leases and deadlines go by: the database's own where daemons on several machines share
    /// it, else ours.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clock(&self, ours: Micros) -> Result<Micros> {
        match self.dialect {
            Dialect::Sqlite => Ok(ours),
            Dialect::Postgres => {
                let sql = format!("SELECT {}", self.dialect.now(""));
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.reader).await.map_err(fail)
            }
        }
    }

    /// Registers a run; earlier runs of the same state directory are over. How long a lease lasts is
    /// `lease_until` less `daemon.started`, whatever clock the database goes by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_daemon(&self, daemon: &DaemonRecord, lease_until: Micros) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE daemon SET lease_us = 0 WHERE state_id = $1")
            .bind(daemon.state_id.clone())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        let now = self.dialect.now("$6");
        let sql = format!(
            "INSERT INTO daemon (id, host, pid, state_id, version, started_us, heartbeat_us, lease_us) \
             VALUES ($1, $2, $3, $4, $5, $6, {now}, {now} + ($7 - $6))"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(daemon.id.to_string())
            .bind(daemon.host.clone())
            .bind(i64::from(daemon.pid))
            .bind(daemon.state_id.clone())
            .bind(daemon.version.clone())
            .bind(daemon.started)
            .bind(lease_until)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        tx.commit().await.map_err(fail)
    }

    /// Extends a lease. False = this run was declared over; it must stop driving.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heartbeat(&self, id: DaemonId, now: Micros, lease_until: Micros) -> Result<bool> {
        let by = self.dialect.now("$2");
        let sql = format!(
            "UPDATE daemon SET heartbeat_us = {by}, lease_us = {by} + ($3 - $2) WHERE id = $1 AND lease_us > 0"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(id.to_string())
            .bind(now)
            .bind(lease_until)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends a lease now, at an orderly shutdown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_daemon(&self, id: DaemonId) -> Result<()> {
        sqlx::query("UPDATE daemon SET lease_us = 0 WHERE id = $1")
            .bind(id.to_string())
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(())
    }
}

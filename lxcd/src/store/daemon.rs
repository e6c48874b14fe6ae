//! Daemons and their leases as rows. A lease that has ended frees what its daemon drove.

use std::collections::HashMap;

use lxc_core::ids::{DaemonId, Micros};
use lxc_core::record::{AuditRecord, DaemonRecord, DaemonSeen, Standing};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::{Dialect, Result, Store, audit, fail, get, get_parsed};

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

    /// How many runs share the work, and what is wished of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, me: DaemonId, now: Micros) -> Result<Standing> {
        let by = self.dialect.now("$2");
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM daemon WHERE lease_us > {by} AND drain_us IS NULL) AS alive, \
             (SELECT COUNT(*) FROM daemon WHERE id = $1 AND drain_us IS NOT NULL) AS drain, \
             (SELECT MAX(version) FROM _sqlx_migrations) AS schema_version"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(me.to_string())
            .bind(now)
            .fetch_one(&self.reader)
            .await
            .map_err(fail)?;
        Ok(Standing {
            alive: usize::try_from(get::<i64>(&row, "alive")?).unwrap_or(1),
            drain: get::<i64>(&row, "drain")? > 0,
            schema: get(&row, "schema_version")?,
            known_schema: super::migrate::newest(self.dialect),
        })
    }

    /// Every run that is not followed by another of its state directory, the newest last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn daemons(&self, now: Micros) -> Result<Vec<DaemonSeen>> {
        let by = self.dialect.now("$1");
        let sql = format!(
            "SELECT d.*, {by} AS now_us, (SELECT COUNT(*) FROM operation o WHERE o.owner = d.id \
             AND o.state = 'running' AND o.finished_us IS NULL) AS operations FROM daemon d \
             WHERE NOT EXISTS (SELECT 1 FROM daemon n WHERE n.state_id = d.state_id \
             AND n.started_us > d.started_us) ORDER BY d.started_us, d.id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(now).fetch_all(&self.reader).await.map_err(fail)?;
        let polled = sqlx::query(
            "SELECT p.daemon_id, r.name FROM poller p JOIN remote r ON r.installation = p.installation \
             WHERE p.daemon_id IS NOT NULL ORDER BY r.name",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        let mut polls: HashMap<String, Vec<String>> = HashMap::new();
        for row in &polled {
            polls.entry(get(row, "daemon_id")?).or_default().push(get(row, "name")?);
        }
        rows.iter().map(|row| daemon_row(row, &mut polls)).collect()
    }

    /// Asks a run to hand over, with the record of who did where it was a person. False = there is no such run
    /// with a lease, and nothing is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_drain(&self, id: DaemonId, now: Micros, audit: Option<&AuditRecord>) -> Result<bool> {
        let mut tx = self.write().await?;
        let by = self.dialect.now("$2");
        let sql =
            format!("UPDATE daemon SET drain_us = COALESCE(drain_us, $2) WHERE id = $1 AND lease_us > {by}");
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(id.to_string())
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(audit) = audit {
            audit::insert(&mut tx, audit).await?;
        }
        tx.commit().await.map_err(fail)?;
        Ok(true)
    }

    /// This run drives nothing any more: what it owns can be claimed, though it has a lease.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drained(&self, me: DaemonId, now: Micros) -> Result<()> {
        sqlx::query("UPDATE daemon SET drained_us = $2 WHERE id = $1")
            .bind(me.to_string())
            .bind(now)
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(())
    }
}

fn daemon_row(row: &AnyRow, polls: &mut HashMap<String, Vec<String>>) -> Result<DaemonSeen> {
    let (id, now): (String, Micros) = (get(row, "id")?, get(row, "now_us")?);
    Ok(DaemonSeen {
        record: DaemonRecord {
            id: get_parsed(row, "id")?,
            host: get(row, "host")?,
            pid: u32::try_from(get::<i64>(row, "pid")?).unwrap_or(0),
            state_id: get(row, "state_id")?,
            version: get(row, "version")?,
            started: get(row, "started_us")?,
        },
        heartbeat_age: now - get::<Micros>(row, "heartbeat_us")?,
        lease_left: get::<Micros>(row, "lease_us")? - now,
        draining: get::<Option<Micros>>(row, "drain_us")?.is_some(),
        operations: u32::try_from(get::<i64>(row, "operations")?).unwrap_or(u32::MAX),
        polls: polls.remove(&id).unwrap_or_default(),
    })
}

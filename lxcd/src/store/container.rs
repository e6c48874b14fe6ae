//! Containers as rows, one per incarnation. Owns their storage; which row a sample belongs to is decided
//! by the inventory.

use lxc_core::ids::{ContainerId, Installation, Micros, Vmid};
use lxc_core::pve::Power;
use lxc_core::record::{ContainerRecord, NewEvent};
use sqlx::any::AnyRow;

use super::event::insert_event;
use super::row::vmid;
use super::{Connection, Result, Store, fail, get, get_json, get_parsed, json, poller, services};

const COLUMNS: &str = "id, installation, vmid, name, node, power, lifecycle, live, config, hwaddrs, marker, \
     pool, ips, template, attention, error_op, first_seen_us, observed_us, gone_since_us";

/// All of a container: to be read with [`container_row`].
pub(super) fn select(more: &str, which: &str) -> sqlx::AssertSqlSafe<String> {
    let inside = services::COLUMNS;
    sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS}, {inside}{more} FROM container LEFT JOIN services ON container_id = id WHERE {which}"
    ))
}

impl Store {
    /// Every container that is not closed, of one installation or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn containers(&self, installation: Option<&Installation>) -> Result<Vec<ContainerRecord>> {
        let open = "closed_us IS NULL AND ($1 = '' OR installation = $1) ORDER BY installation, vmid";
        let rows = sqlx::query(select("", open))
            .bind(installation.map_or_else(String::new, |i| i.0.clone()))
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        rows.iter().map(container_row).collect()
    }

    /// The open row of one container.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn container(
        &self,
        installation: &Installation,
        vmid: Vmid,
    ) -> Result<Option<ContainerRecord>> {
        let row = sqlx::query(select("", "installation = $1 AND vmid = $2 AND closed_us IS NULL"))
            .bind(installation.0.clone())
            .bind(i64::from(vmid))
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        row.as_ref().map(container_row).transpose()
    }

    /// Whether the record of that incarnation is closed; one that was never written is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn container_closed(&self, id: ContainerId) -> Result<bool> {
        let closed: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM container WHERE id = $1 AND closed_us IS NOT NULL")
                .bind(id.to_string())
                .fetch_one(&self.reader)
                .await
                .map_err(fail)?;
        Ok(closed > 0)
    }

    /// Locks that are held: container, operation, verb.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_locks(&self) -> Result<Vec<(Installation, Vmid, String, String)>> {
        let rows = sqlx::query(
            "SELECT l.installation, l.vmid, l.operation_id, o.verb FROM container_lock l \
             JOIN operation o ON o.id = l.operation_id",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        rows.iter()
            .map(|row| {
                Ok((
                    Installation(get(row, "installation")?),
                    vmid(row)?,
                    get(row, "operation_id")?,
                    get(row, "verb")?,
                ))
            })
            .collect()
    }

    /// Writes rows as they are now, new ones included, closes others, and tells what happened; one
    /// transaction. A row whose stored observation is newer than the one given keeps its power and node.
    ///
    /// # Errors
    /// When the database fails; then nothing is written.
    pub async fn record_containers(
        &self,
        installation: &Installation,
        rows: &[ContainerRecord],
        closed: &[ContainerId],
        events: &[NewEvent],
        now: Micros,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let version = poller::next_version(&mut tx, installation).await?;
        write_containers(&mut tx, version, rows, closed, events, now).await?;
        tx.commit().await.map_err(fail)
    }
}

pub(super) async fn write_containers(
    tx: &mut Connection,
    version: i64,
    rows: &[ContainerRecord],
    closed: &[ContainerId],
    events: &[NewEvent],
    now: Micros,
) -> Result<()> {
    for id in closed {
        sqlx::query("UPDATE container SET closed_us = $2, version = $3 WHERE id = $1 AND closed_us IS NULL")
            .bind(id.to_string())
            .bind(now)
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    for row in rows {
        upsert(tx, version, row).await?;
    }
    for event in events {
        insert_event(tx, event, now).await?;
    }
    Ok(())
}

async fn upsert(tx: &mut Connection, version: i64, row: &ContainerRecord) -> Result<()> {
    sqlx::query(
        "INSERT INTO container (id, installation, vmid, name, node, power, lifecycle, live, config, hwaddrs, \
         marker, pool, ips, template, first_seen_us, observed_us, version, gone_since_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $18, $17) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, live = excluded.live, config = excluded.config, \
         hwaddrs = excluded.hwaddrs, marker = excluded.marker, pool = excluded.pool, ips = excluded.ips, \
         gone_since_us = excluded.gone_since_us, version = excluded.version, \
         node = CASE WHEN container.observed_us > excluded.observed_us THEN container.node ELSE excluded.node END, \
         power = CASE WHEN container.observed_us > excluded.observed_us THEN container.power ELSE excluded.power END, \
         observed_us = CASE WHEN container.observed_us > excluded.observed_us THEN container.observed_us \
         ELSE excluded.observed_us END",
    )
    .bind(row.id.to_string())
    .bind(row.installation.0.clone())
    .bind(i64::from(row.vmid))
    .bind(row.name.clone())
    .bind(row.node.clone())
    .bind(row.power.map(Power::as_str))
    .bind(row.lifecycle.clone())
    .bind(json(&row.live)?)
    .bind(row.config.as_ref().map(json).transpose()?)
    .bind(json(&row.hwaddrs)?)
    .bind(row.marker.clone())
    .bind(row.pool.clone())
    .bind(json(&row.ips)?)
    .bind(row.template.clone())
    .bind(row.first_seen)
    .bind(row.observed)
    .bind(row.gone_since)
    .bind(version)
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(())
}

pub(super) fn container_row(row: &AnyRow) -> Result<ContainerRecord> {
    let power: Option<String> = get(row, "power")?;
    let config: Option<String> = get(row, "config")?;
    Ok(ContainerRecord {
        id: get_parsed(row, "id")?,
        installation: Installation(get(row, "installation")?),
        vmid: vmid(row)?,
        name: get(row, "name")?,
        node: get(row, "node")?,
        power: power.map(|power| if power == "running" { Power::Running } else { Power::Stopped }),
        lifecycle: get(row, "lifecycle")?,
        live: get_json(row, "live")?,
        config: config.and_then(|text| serde_json::from_str(&text).ok()),
        hwaddrs: get_json(row, "hwaddrs")?,
        marker: get(row, "marker")?,
        pool: get(row, "pool")?,
        ips: get_json(row, "ips")?,
        template: get(row, "template")?,
        attention: get(row, "attention")?,
        error_op: get(row, "error_op")?,
        first_seen: get(row, "first_seen_us")?,
        observed: get(row, "observed_us")?,
        gone_since: get(row, "gone_since_us")?,
        inside: services::inside(row)?,
    })
}

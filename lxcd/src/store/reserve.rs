//! Numbers for containers that are to be made: held by the lock row of their operation from the submit on, so that
//! creates on many daemons never collide (ARCHITECTURE.md, rules 3 and 9); names and addresses by their record. Owns the
//! rows of a container before Proxmox knows it; which number is tried is the service's and the engine's.

use std::collections::HashMap;

use super::container::{container_row, select, write_containers};
use super::{Connection, Result, Store, fail, get, poller};
use lxc_core::create::{Clash, Spec, clash};
use lxc_core::ids::{Installation, Micros, Vmid};
use lxc_core::op::{Ending, Kind, Operation};
use lxc_core::record::ContainerRecord;

impl Store {
    /// How many containers are being made on each node of an installation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn making(&self, installation: &Installation) -> Result<HashMap<String, u32>> {
        let rows = sqlx::query(
            "SELECT node, COUNT(*) AS many FROM operation \
             WHERE installation = $1 AND verb = 'create' AND finished_us IS NULL GROUP BY node",
        )
        .bind(installation.0.clone())
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        let count =
            |row| Ok((get(row, "node")?, u32::try_from(get::<i64>(row, "many")?).unwrap_or(u32::MAX)));
        rows.iter().map(count).collect()
    }

    /// As `OpStore::hold_vmid`.
    pub(super) async fn hold(&self, op: &Operation, vmid: Vmid, now: Micros) -> Result<bool> {
        let mut tx = self.write().await?;
        // Its row stays ours until this is committed: one that has ended meanwhile, or that somebody else drives, holds
        // nothing more.
        let ours = sqlx::query(
            "UPDATE operation SET fence = fence WHERE id = $1 AND fence = $2 AND finished_us IS NULL",
        )
        .bind(op.id.to_string())
        .bind(op.fence)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        if ours.rows_affected() == 0 {
            return Ok(false);
        }
        let known: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM container WHERE installation = $1 AND vmid = $2 AND closed_us IS NULL",
        )
        .bind(op.target.installation.0.clone())
        .bind(i64::from(vmid))
        .fetch_one(&mut *tx)
        .await
        .map_err(fail)?;
        let held = known == 0 && hold(&mut tx, op, vmid, now).await?;
        tx.commit().await.map_err(fail)?;
        Ok(held)
    }
}

/// False = somebody holds it.
async fn hold(tx: &mut Connection, op: &Operation, vmid: Vmid, now: Micros) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO container_lock (installation, vmid, operation_id, since_us) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (installation, vmid) DO NOTHING",
    )
    .bind(op.target.installation.0.clone())
    .bind(i64::from(vmid))
    .bind(op.id.to_string())
    .bind(now)
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(done.rows_affected() > 0)
}

/// What came of reserving.
#[derive(Debug)]
pub(super) enum Reserved {
    /// It is held, and its record is written.
    Yes,
    /// Somebody has the number.
    Taken,
    /// That container has the name, or an address.
    Clash(Clash, Box<ContainerRecord>),
}

/// Holds the number of a new operation and writes the record of its container. Unless it is held, nothing may be kept of
/// this transaction.
pub(super) async fn reserve(
    tx: &mut Connection,
    op: &Operation,
    record: &ContainerRecord,
    now: Micros,
) -> Result<Reserved> {
    // Who is second in this installation waits here for the first, then sees it.
    let version = poller::next_version(tx, &record.installation).await?;
    if let Kind::Create { spec, .. } = &op.kind
        && let Some((clash, other)) = clashing(tx, spec, record).await?
    {
        return Ok(Reserved::Clash(clash, Box::new(other)));
    }
    if !hold(tx, op, record.vmid, now).await? {
        return Ok(Reserved::Taken);
    }
    // Proxmox no longer has it; its number is somebody else's from now on.
    sqlx::query(
        "UPDATE container SET closed_us = $3, version = $4 \
         WHERE installation = $1 AND vmid = $2 AND closed_us IS NULL AND gone_since_us IS NOT NULL",
    )
    .bind(record.installation.0.clone())
    .bind(i64::from(record.vmid))
    .bind(now)
    .bind(version)
    .execute(&mut *tx)
    .await
    .map_err(fail)?;
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM container WHERE installation = $1 AND vmid = $2 AND closed_us IS NULL",
    )
    .bind(record.installation.0.clone())
    .bind(i64::from(record.vmid))
    .fetch_one(&mut *tx)
    .await
    .map_err(fail)?;
    if open > 0 {
        return Ok(Reserved::Taken);
    }
    write_containers(tx, version, std::slice::from_ref(record), &[], &[], now).await?;
    Ok(Reserved::Yes)
}

/// Who has the name or an address of what is to be made. The pre-flight looked at all there was a moment ago; here it is
/// about what came since, which is written as we write addresses.
async fn clashing(
    tx: &mut Connection,
    spec: &Spec,
    record: &ContainerRecord,
) -> Result<Option<(Clash, ContainerRecord)>> {
    let fixed = spec.network.fixed();
    let mut which = "container.installation = $1 AND closed_us IS NULL AND gone_since_us IS NULL \
                     AND (container.name = $2"
        .to_owned();
    for at in 0..fixed.len() {
        let (told, set) = (3 + 2 * at, 4 + 2 * at);
        which.push_str(&format!(" OR ips LIKE ${told} OR config LIKE ${set}"));
    }
    which.push_str(") ORDER BY vmid");
    let mut query =
        sqlx::query(select("", &which)).bind(record.installation.0.clone()).bind(spec.name.clone());
    for address in fixed {
        query = query.bind(format!("%\"{address}\"%")).bind(format!("%={address}/%"));
    }
    for row in query.fetch_all(tx).await.map_err(fail)? {
        let other = container_row(&row)?;
        if let Some(clash) = clash(spec, &other) {
            return Ok(Some((clash, other)));
        }
    }
    Ok(None)
}

/// The operation goes on under the number it has now: the other one is free again.
pub(super) async fn renumber(tx: &mut Connection, op: &Operation) -> Result<()> {
    if !matches!(op.kind, Kind::Create { .. }) {
        return Ok(());
    }
    let (id, vmid) = (op.id.to_string(), i64::from(op.target.vmid));
    let done = sqlx::query("DELETE FROM container_lock WHERE operation_id = $1 AND vmid <> $2")
        .bind(id.clone())
        .bind(vmid)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let version = poller::next_version(tx, &op.target.installation).await?;
    sqlx::query("UPDATE operation SET vmid = $2 WHERE id = $1")
        .bind(id)
        .bind(vmid)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    sqlx::query("UPDATE container SET vmid = $2, version = $3 WHERE id = $1")
        .bind(op.target.container_id.to_string())
        .bind(vmid)
        .bind(version)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    Ok(())
}

/// A create that is taken up again: its container is being made once more.
pub(super) async fn resume(tx: &mut Connection, op: &Operation, now: Micros) -> Result<()> {
    if !matches!(op.kind, Kind::Create { .. }) || op.retry_of.is_none() || op.started != Some(now) {
        return Ok(());
    }
    let version = poller::next_version(tx, &op.target.installation).await?;
    sqlx::query(
        "UPDATE container SET lifecycle = 'creating', error_op = NULL, version = $2 \
         WHERE id = $1 AND closed_us IS NULL",
    )
    .bind(op.target.container_id.to_string())
    .bind(version)
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(())
}

/// What the end of a create means for its container: ready, in error, or never made.
pub(super) async fn settle(tx: &mut Connection, op: &Operation, now: Micros) -> Result<()> {
    let (Kind::Create { .. }, Some(outcome)) = (&op.kind, op.outcome()) else { return Ok(()) };
    // One that was there before, and asked for with --if-needed, is none of this operation's making.
    if !op.reserves() && op.retry_of.is_none() {
        return Ok(());
    }
    let (lifecycle, error) = match outcome.ending {
        Ending::Succeeded => ("ready", None),
        Ending::Failed | Ending::Cancelled | Ending::NeedsAttention => ("error", Some(op.id.to_string())),
    };
    let version = poller::next_version(tx, &op.target.installation).await?;
    sqlx::query(
        "UPDATE container SET lifecycle = $2, error_op = $3, closed_us = $4, version = $5 \
         WHERE id = $1 AND closed_us IS NULL",
    )
    .bind(op.target.container_id.to_string())
    .bind(lifecycle)
    .bind(error)
    // A retry has a container to go on with, or somebody has to look; only what was held for this one goes.
    .bind((!op.has_made() && op.reserves()).then_some(now))
    .bind(version)
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(())
}

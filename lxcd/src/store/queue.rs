//! The queue as admission reads it: only what a pass could move, so that nothing that has to wait stands in
//! front of what need not, however long the queue is. Owns that filter; what becomes of each is decided in
//! core, and every row answered here is moved or made to wait by one in front of it.

use std::collections::HashMap;
use std::time::Duration;

use lxc_core::ids::{Installation, Micros, RequestId};
use lxc_core::op::admission::{Bounds, HEAVY_SLOTS, POWER_SLOTS, Running, Waiting};
use lxc_core::op::{Kind, Target, Weight};
use lxc_core::ports::Now;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::{Connection, Result, fail, get, get_parsed, row, scope};

/// At most so many are decided on at a time: what bounds the memory of a pass. A full page is followed by another.
pub(super) const PAGE: usize = 500;

/// A page of the queue, with what core needs to decide on it.
pub(super) struct Page {
    pub(super) queue: Vec<Waiting>,
    pub(super) bounds: HashMap<RequestId, Bounds>,
    pub(super) running: Running,
}

/// What runs, and of each batch that waits: is there room in it, was it stopped by a failure, is its pause
/// over? `$1` our kind version, `$2` now by the wall clock.
/// MATERIALIZED, or SQLite looks through a whole batch for each of
/// its rows.
const BATCHES: &str = "WITH going AS MATERIALIZED (\
       SELECT request_id, installation, node, weight, COUNT(*) AS many FROM operation \
       WHERE state = 'running' AND finished_us IS NULL GROUP BY request_id, installation, node, weight), \
     used AS MATERIALIZED (\
       SELECT installation, node, weight, SUM(many) AS many FROM going GROUP BY installation, node, weight), \
     here AS MATERIALIZED (\
       SELECT request_id, installation, node, SUM(many) AS many FROM going \
       GROUP BY request_id, installation, node), \
     batch AS MATERIALIZED (\
       SELECT r.id, r.max_parallel, r.max_per_node, r.on_error_stop, r.pause_us, \
         (SELECT COALESCE(SUM(g.many), 0) FROM going g WHERE g.request_id = r.id) AS running, \
         CASE WHEN r.on_error_stop = 1 AND EXISTS (SELECT 1 FROM operation f WHERE f.request_id = r.id \
           AND f.state IN ('failed', 'needs_attention', 'cancelled')) THEN 1 ELSE 0 END AS stopped, \
         CASE WHEN r.pause_us > 0 THEN COALESCE((SELECT MAX(s.started_us) FROM operation s \
           WHERE s.request_id = r.id AND s.started_us <= $2), 0) + r.pause_us ELSE 0 END AS not_before \
       FROM request r WHERE r.id IN (SELECT request_id FROM operation \
         WHERE state = 'queued' AND finished_us IS NULL AND kind_version <= $1)) ";

/// The rows a pass can move: those that end (a wish, a stopped batch, a lock nobody waits for any longer) and
/// those that may begin as things stand. `$3` now as deadlines are measured.
fn movable() -> String {
    format!(
        "FROM operation o JOIN batch b ON b.id = o.request_id \
         LEFT JOIN container_lock l ON l.installation = o.installation AND l.vmid = o.vmid \
           AND l.operation_id <> o.id \
         LEFT JOIN used u ON u.installation = o.installation AND u.node = o.node AND u.weight = o.weight \
         LEFT JOIN here h ON h.request_id = o.request_id AND h.installation = o.installation \
           AND h.node = o.node \
         WHERE o.state = 'queued' AND o.finished_us IS NULL AND o.kind_version <= $1 AND (\
           o.cancel = 1 OR b.stopped = 1 \
           OR (l.operation_id IS NOT NULL AND (o.lock_deadline_us IS NULL OR o.lock_deadline_us <= $3)) \
           OR (l.operation_id IS NULL AND b.not_before <= $2 \
             AND b.running < CASE WHEN b.max_parallel < 1 THEN 1 ELSE b.max_parallel END \
             AND (b.max_per_node = 0 OR COALESCE(h.many, 0) < b.max_per_node) \
             AND (o.weight = '{none}' OR COALESCE(u.many, 0) \
               < CASE WHEN o.weight = '{heavy}' THEN {HEAVY_SLOTS} ELSE {POWER_SLOTS} END)))",
        none = Weight::None.name(),
        heavy = Weight::Heavy.name(),
    )
}

/// Whether there is anything to move.
pub(super) async fn can_move(connection: &mut Connection, now: Now) -> Result<bool> {
    let sql = format!("{BATCHES}SELECT COUNT(*) FROM (SELECT 1 {} LIMIT 1) AS due", movable());
    let due: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Kind::VERSION)
        .bind(now.wall)
        .bind(now.steady)
        .fetch_one(connection)
        .await
        .map_err(fail)?;
    Ok(due > 0)
}

/// What of the queue is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// All of it.
    Oldest,
    /// Only those that this one shares its node or its container with: nobody else can stand in front of it.
    Beside(&'a Target),
}

/// The oldest [`PAGE`] that can be moved.
pub(super) async fn page(tx: &mut Connection, now: Now, part: Part<'_>) -> Result<Page> {
    let only = match part {
        Part::Oldest => "",
        Part::Beside(_) => "AND o.installation = $4 AND (o.node = $5 OR o.vmid = $6)",
    };
    let sql = format!(
        "{BATCHES}SELECT o.id, o.request_id, o.installation, o.vmid, o.node, o.weight, o.lock_deadline_us, \
         o.cancel, b.max_parallel, b.max_per_node, b.on_error_stop, b.pause_us, CAST(b.stopped AS BIGINT) AS stopped {} {only} \
         ORDER BY o.created_us, o.idx, o.id LIMIT {PAGE}",
        movable()
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(Kind::VERSION).bind(now.wall).bind(now.steady);
    if let Part::Beside(target) = part {
        query =
            query.bind(target.installation.0.clone()).bind(target.node.clone()).bind(i64::from(target.vmid));
    }
    let rows = query.fetch_all(&mut *tx).await.map_err(fail)?;
    let mut page = Page { queue: Vec::new(), bounds: HashMap::new(), running: Running::default() };
    for row in &rows {
        let op = waiting(row)?;
        page.bounds.insert(op.request_id, bounds(row)?);
        page.queue.push(op);
    }
    if !rows.is_empty() {
        count(tx, &mut page).await?;
    }
    Ok(page)
}

/// How long until something that can only wait now is to be looked at again though nobody says so: a lock
/// deadline or a pause ends.
pub(super) async fn wake_in(connection: &mut Connection, now: Now) -> Result<Option<Duration>> {
    let sql = format!(
        "{BATCHES}SELECT MIN(wait_us) FROM (\
           SELECT MIN(lock_deadline_us) - $3 AS wait_us FROM operation WHERE state = 'queued' \
             AND finished_us IS NULL AND kind_version <= $1 AND lock_deadline_us > $3 \
           UNION ALL SELECT MIN(not_before) - $2 AS wait_us FROM batch WHERE not_before > $2) AS waits"
    );
    let wait: Option<Micros> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Kind::VERSION)
        .bind(now.wall)
        .bind(now.steady)
        .fetch_one(connection)
        .await
        .map_err(fail)?;
    Ok(wait.map(|wait| Duration::from_micros(u64::try_from(wait).unwrap_or(0))))
}

fn waiting(row: &AnyRow) -> Result<Waiting> {
    Ok(Waiting {
        id: get_parsed(row, "id")?,
        request_id: get_parsed(row, "request_id")?,
        installation: Installation(get(row, "installation")?),
        vmid: row::vmid(row)?,
        node: get(row, "node")?,
        weight: row::weight(row)?,
        lock_deadline: get(row, "lock_deadline_us")?,
        cancel: row::flag(row, "cancel")?,
    })
}

fn bounds(row: &AnyRow) -> Result<Bounds> {
    let number = |column| Ok(u32::try_from(get::<i64>(row, column)?).unwrap_or(u32::MAX));
    Ok(Bounds {
        max_parallel: number("max_parallel")?,
        max_per_node: number("max_per_node")?,
        on_error_stop: row::flag(row, "on_error_stop")?,
        has_failed: row::flag(row, "stopped")?,
        running: HashMap::new(),
        pause: get(row, "pause_us")?,
        // What would have to wait for it is not in the page.
        not_before: 0,
    })
}

/// The locks that are held on any of them, the slots in use, and how much of each batch runs where.
async fn count(tx: &mut Connection, page: &mut Page) -> Result<()> {
    let wanted: Vec<_> = page.queue.iter().map(|op| (op.installation.clone(), op.vmid)).collect();
    let sql = format!(
        "SELECT installation, vmid, operation_id FROM container_lock WHERE {}",
        scope::containers(&wanted)
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_all(&mut *tx).await.map_err(fail)?;
    for row in rows {
        let key = (Installation(get(&row, "installation")?), row::vmid(&row)?);
        page.running.locks.insert(key, get_parsed(&row, "operation_id")?);
    }
    let rows = sqlx::query(
        "SELECT request_id, installation, node, weight, COUNT(*) AS many FROM operation \
         WHERE state = 'running' AND finished_us IS NULL GROUP BY request_id, installation, node, weight",
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fail)?;
    for row in rows {
        let many = u32::try_from(get::<i64>(&row, "many")?).unwrap_or(u32::MAX);
        let node = (Installation(get(&row, "installation")?), get::<String>(&row, "node")?);
        let slots = page.running.slots.entry(node.clone()).or_default();
        match row::weight(&row)? {
            Weight::None => {}
            Weight::Power => slots.0 += many,
            Weight::Heavy => slots.1 += many,
        }
        if let Some(batch) = page.bounds.get_mut(&get_parsed(&row, "request_id")?) {
            *batch.running.entry(node).or_default() += many;
        }
    }
    Ok(())
}

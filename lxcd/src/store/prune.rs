//! Forgetting what is older than its retention, some rows at a time so that nobody waits long for the
//! writer. Owns the order: nothing is removed that something kept still refers to.

use lxc_core::ids::Micros;

use super::{Result, Store, fail};

/// Rows of one kind removed in one transaction.
const AT_ONCE: i64 = 2_000;

/// What is older than these points in time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoffs {
    /// Requests whose operations are gone.
    pub requests: Micros,
    /// Operations that ended, with their steps and events.
    pub operations: Micros,
    /// Events outside of operations, and closed containers.
    pub events: Micros,
    /// Audit records.
    pub audit: Micros,
}

/// Which of them a statement goes by.
type Cutoff = fn(&Cutoffs) -> Micros;

/// How many rows of each kind went.
pub type Pruned = Vec<(&'static str, u64)>;

/// Each removes at most `$2` rows older than `$1`. Operations that have not ended, whatever their age,
/// are never among them.
const STATEMENTS: [(&str, &str, Cutoff); 7] = [
    (
        "event",
        "DELETE FROM event WHERE cursor IN (SELECT e.cursor FROM event e LEFT JOIN operation o \
         ON o.id = e.operation_id WHERE e.time_us < $1 AND (o.id IS NULL OR o.finished_us < $1) LIMIT $2)",
        |cutoffs| cutoffs.events,
    ),
    (
        "event",
        "DELETE FROM event WHERE cursor IN (SELECT e.cursor FROM event e JOIN operation o \
         ON o.id = e.operation_id WHERE o.finished_us < $1 LIMIT $2)",
        |cutoffs| cutoffs.operations,
    ),
    (
        "operation",
        "DELETE FROM operation WHERE id IN (SELECT o.id FROM operation o WHERE o.finished_us < $1 \
         AND NOT EXISTS (SELECT 1 FROM event e WHERE e.operation_id = o.id) LIMIT $2)",
        |cutoffs| cutoffs.operations,
    ),
    (
        "request",
        "DELETE FROM request WHERE id IN (SELECT r.id FROM request r WHERE r.created_us < $1 \
         AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.request_id = r.id) LIMIT $2)",
        |cutoffs| cutoffs.requests,
    ),
    (
        "container",
        "DELETE FROM container WHERE id IN (SELECT id FROM container WHERE closed_us < $1 LIMIT $2)",
        |cutoffs| cutoffs.events,
    ),
    (
        "audit record",
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time_us < $1 AND ended_us IS NOT NULL LIMIT $2)",
        |cutoffs| cutoffs.audit,
    ),
    (
        "daemon",
        "DELETE FROM daemon WHERE id IN (SELECT d.id FROM daemon d WHERE d.lease_us < $1 AND d.heartbeat_us < $1 \
         AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.owner = d.id AND o.finished_us IS NULL) LIMIT $2)",
        |cutoffs| cutoffs.events,
    ),
];

impl Store {
    /// Removes what is too old; answers how many rows of each kind went.
    ///
    /// # Errors
    /// When the database fails; what went before stays gone.
    pub async fn prune(&self, cutoffs: &Cutoffs) -> Result<Pruned> {
        let mut pruned = Pruned::new();
        for (name, statement, cutoff) in STATEMENTS {
            loop {
                let done = sqlx::query(statement)
                    .bind(cutoff(cutoffs))
                    .bind(AT_ONCE)
                    .execute(&self.writer)
                    .await
                    .map_err(fail)?;
                add(&mut pruned, name, done.rows_affected());
                if done.rows_affected() < AT_ONCE.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(pruned)
    }

    /// What [`Self::prune`] would remove: it is removed, counted, and the whole taken back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn would_prune(&self, cutoffs: &Cutoffs) -> Result<Pruned> {
        let mut tx = self.write().await?;
        let mut pruned = Pruned::new();
        for (name, statement, cutoff) in STATEMENTS {
            let done = sqlx::query(statement)
                .bind(cutoff(cutoffs))
                .bind(i64::MAX)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
            add(&mut pruned, name, done.rows_affected());
        }
        tx.rollback().await.map_err(fail)?;
        Ok(pruned)
    }
}

fn add(pruned: &mut Pruned, name: &'static str, rows: u64) {
    match pruned.iter_mut().find(|(known, _)| *known == name) {
        Some((_, many)) => *many += rows,
        None => pruned.push((name, rows)),
    }
}

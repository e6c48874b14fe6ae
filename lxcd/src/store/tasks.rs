//! Which tasks on Proxmox belong to which operations. Reads only; they are written with the steps (`write`).
//!
//! The task of a step is in a column of its own, and nobody else's. But for a download: any that brings the image will do,
//! so that two operations may come to follow the same one; its task is only in the state of the step.

use std::collections::HashSet;

use lxc_core::ids::{Installation, Micros};
use lxc_core::op::{Operation, StepKind, StepState};
use lxc_core::pve::Upid;
use sqlx::any::AnyRow;

use super::{Result, Store, fail, get_json, get_parsed};

/// Whoever downloads for longer than that, in microseconds, before another operation asks for the same image, is taken for
/// somebody else: that costs one more task.
const LONGEST: Micros = 24 * 3600 * 1_000_000;

impl Store {
    /// Every task that operations begun since then have started on an installation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upids_since(&self, installation: &Installation, since: Micros) -> Result<HashSet<Upid>> {
        let rows = sqlx::query(
            "SELECT s.upid FROM step s JOIN operation o ON o.id = s.operation_id \
             WHERE o.installation = $1 AND o.created_us >= $2 AND s.upid IS NOT NULL",
        )
        .bind(installation.0.clone())
        .bind(since)
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        let mut all = rows.iter().map(|row| get_parsed(row, "upid")).collect::<Result<HashSet<_>>>()?;
        let rows = sqlx::query(
            "SELECT s.data FROM step s JOIN operation o ON o.id = s.operation_id \
             WHERE o.installation = $1 AND o.created_us >= $2 AND o.verb = 'create' AND s.kind = 'download'",
        )
        .bind(installation.0.clone())
        .bind(since)
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        all.extend(downloads(&rows)?);
        Ok(all)
    }

    /// As `OpStore::taken_upids`.
    pub(super) async fn taken_by_others(&self, op: &Operation) -> Result<HashSet<Upid>> {
        if op.current_step().is_some_and(|step| op.steps[step].kind == StepKind::Download) {
            let rows = sqlx::query(
                "SELECT s.data FROM step s JOIN operation o ON o.id = s.operation_id \
                 WHERE o.installation = $1 AND o.created_us >= $2 AND o.verb = 'create' AND o.id <> $3 \
                   AND s.kind = 'download'",
            )
            .bind(op.target.installation.0.clone())
            .bind(op.created - LONGEST)
            .bind(op.id.to_string())
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
            return downloads(&rows);
        }
        let rows = sqlx::query(
            "SELECT s.upid FROM step s JOIN operation o ON o.id = s.operation_id \
             WHERE o.installation = $1 AND o.vmid = $2 AND o.id <> $3 AND s.upid IS NOT NULL",
        )
        .bind(op.target.installation.0.clone())
        .bind(i64::from(op.target.vmid))
        .bind(op.id.to_string())
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        rows.iter().map(|row| get_parsed(row, "upid")).collect()
    }
}

fn downloads(rows: &[AnyRow]) -> Result<HashSet<Upid>> {
    let states = rows.iter().map(|row| get_json::<StepState>(row, "data"));
    states.filter_map(|state| state.map(|state| state.upid().cloned()).transpose()).collect()
}

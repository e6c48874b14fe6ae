//! Admission and claiming: reads the queue, the locks and the leases, lets `lxc_core` decide, writes the
//! verdicts. New, crashed and handed-over work take this one path (ARCHITECTURE.md, rules 3 and 4).

use std::collections::{HashMap, HashSet};

use lxc_core::ids::{DaemonId, Installation, Micros, OperationId, RequestId};
use lxc_core::op::admission::{Bounds, Running, Verdict, Waiting, admit};
use lxc_core::op::{Change, Kind, Operation, Outcome, Weight, apply, words};
use lxc_core::ports::Claims;
use lxc_core::timing::Timing;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::commit::write_operation;
use super::operation::{load, with_steps};
use super::row::{self, OPERATION};
use super::{Result, Store, fail, get, get_parsed};

/// So many of the queue are looked at in one pass; the rest is behind them anyway.
const PASS: i64 = 2_000;

impl Store {
    /// One pass: take over what nobody drives, then admit. With nothing to do it writes nothing.
    pub(super) async fn claim_pass(&self, me: DaemonId, now: Micros) -> Result<Claims> {
        if !self.anything_to_claim(me, now).await? {
            return Ok(Claims::default());
        }
        let mut tx = self.write().await?;
        let mut orphans = self.take_orphans(&mut tx, me, now).await?;
        let mut claims = self.admit_pass(&mut tx, me, now).await?;
        tx.commit().await.map_err(fail)?;
        orphans.append(&mut claims.ours);
        claims.ours = orphans;
        Ok(claims)
    }

    async fn anything_to_claim(&self, me: DaemonId, now: Micros) -> Result<bool> {
        let orphaned = self.orphaned();
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM operation WHERE finished_us IS NULL AND kind_version <= $3 \
             AND (state = 'queued' OR ({orphaned})) LIMIT 1) AS due"
        );
        let due: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(me.to_string())
            .bind(now)
            .bind(Kind::VERSION)
            .fetch_one(&self.reader)
            .await
            .map_err(fail)?;
        Ok(due > 0)
    }

    /// Runs, and its owner ($1 is somebody else) has no lease at $2.
    fn orphaned(&self) -> String {
        let now = self.dialect.now("$2");
        format!(
            "state = 'running' AND owner <> $1 AND owner NOT IN (SELECT id FROM daemon WHERE lease_us > {now})"
        )
    }

    /// Running operations whose owner's lease has ended, of kinds this daemon knows.
    async fn take_orphans(
        &self,
        tx: &mut AnyConnection,
        me: DaemonId,
        now: Micros,
    ) -> Result<Vec<Operation>> {
        let sql = format!(
            "SELECT id FROM operation WHERE kind_version <= $3 AND {} ORDER BY created_us LIMIT 200{}",
            self.orphaned(),
            self.dialect.skip_locked()
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(me.to_string())
            .bind(now)
            .bind(Kind::VERSION)
            .fetch_all(&mut *tx)
            .await
            .map_err(fail)?;
        let mut taken = Vec::new();
        for row in rows {
            let id: OperationId = get_parsed(&row, "id")?;
            sqlx::query(
                "UPDATE operation SET owner = $2, fence = fence + 1 WHERE id = $1 AND finished_us IS NULL",
            )
            .bind(id.to_string())
            .bind(me.to_string())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
            taken.extend(load(tx, "id = $1", &id.to_string()).await?);
        }
        Ok(taken)
    }

    /// Admits what may begin and ends what may not wait any longer.
    pub(super) async fn admit_pass(
        &self,
        tx: &mut AnyConnection,
        me: DaemonId,
        now: Micros,
    ) -> Result<Claims> {
        let mut claims = Claims::default();
        if let Some(lock) = self.dialect.admission_lock() {
            sqlx::query(lock).execute(&mut *tx).await.map_err(fail)?;
        }
        let sql = format!(
            "SELECT {OPERATION}, weight FROM operation WHERE state = 'queued' AND kind_version <= $1 \
             ORDER BY created_us, idx, id LIMIT {PASS}{}",
            self.dialect.skip_locked()
        );
        let rows =
            sqlx::query(AssertSqlSafe(sql)).bind(Kind::VERSION).fetch_all(&mut *tx).await.map_err(fail)?;
        if rows.is_empty() {
            return Ok(claims);
        }
        let weights = rows.iter().map(row::weight).collect::<Result<Vec<_>>>()?;
        let ops = with_steps(tx, rows).await?;
        let queue: Vec<Waiting> = ops.iter().zip(weights).map(|(op, weight)| waiting(op, weight)).collect();
        let running = running(tx).await?;
        let batches: HashSet<RequestId> = ops.iter().map(|op| op.request_id).collect();
        let mut bounds = HashMap::new();
        for id in batches {
            bounds.insert(id, batch_bounds(tx, id).await?);
        }
        let verdicts = admit(&queue, &bounds, &running, now);
        for (mut op, verdict) in ops.into_iter().zip(verdicts) {
            let change = match verdict {
                Verdict::Cancel => Change::Finish(Outcome::cancelled("before it began", false)),
                Verdict::Keep => {
                    let until = bounds.get(&op.request_id).map(|b| b.not_before).filter(|at| *at > now);
                    let next = [op.lock_deadline.filter(|at| *at > now), until].into_iter().flatten().min();
                    claims.wake_at = [claims.wake_at, next].into_iter().flatten().min();
                    continue;
                }
                Verdict::Admit => Change::Admitted,
                Verdict::Refuse { holder } => {
                    let holder = load(tx, "id = $1", &holder.to_string()).await?.pop();
                    let error = holder.map(|holder| words::locked(&op.target, op.kind.verb(), &holder, now));
                    Change::Finish(Outcome::refused(error.unwrap_or_else(|| words::lock_gone(&op.target))))
                }
                Verdict::Stop => Change::Finish(Outcome::refused(words::batch_stopped(&op.target))),
            };
            self.admit_one(tx, &mut op, change, me, now).await?;
            if op.outcome().is_some() { claims.ended.push(op.id) } else { claims.ours.push(op) }
        }
        Ok(claims)
    }

    async fn admit_one(
        &self,
        tx: &mut AnyConnection,
        op: &mut Operation,
        change: Change,
        me: DaemonId,
        now: Micros,
    ) -> Result<()> {
        sqlx::query("UPDATE operation SET owner = $2, fence = fence + 1 WHERE id = $1")
            .bind(op.id.to_string())
            .bind(me.to_string())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        op.fence += 1;
        if change == Change::Admitted {
            sqlx::query("INSERT INTO container_lock (installation, vmid, operation_id, since_us) VALUES ($1, $2, $3, $4)")
                .bind(op.target.installation.0.clone())
                .bind(i64::from(op.target.vmid))
                .bind(op.id.to_string())
                .bind(now)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
        let events = apply(op, change, now, &Timing::default())
            .map_err(|misfit| lxc_core::ports::StoreError::Failed(misfit.to_string()))?;
        write_operation(tx, op, &events, now).await?;
        op.last_seq += i64::try_from(events.len()).unwrap_or(0);
        Ok(())
    }
}

fn waiting(op: &Operation, weight: Weight) -> Waiting {
    Waiting {
        id: op.id,
        request_id: op.request_id,
        installation: op.target.installation.clone(),
        vmid: op.target.vmid,
        node: op.target.node.clone(),
        weight,
        lock_deadline: op.lock_deadline,
        cancel: op.cancel,
    }
}

/// The locks that are held and the slots in use.
async fn running(tx: &mut AnyConnection) -> Result<Running> {
    let mut running = Running::default();
    let rows = sqlx::query("SELECT installation, vmid, operation_id FROM container_lock")
        .fetch_all(&mut *tx)
        .await
        .map_err(fail)?;
    for row in rows {
        let key = (Installation(get(&row, "installation")?), row::vmid(&row)?);
        running.locks.insert(key, get_parsed(&row, "operation_id")?);
    }
    let rows = sqlx::query(
        "SELECT installation, node, weight, COUNT(*) AS many FROM operation WHERE state = 'running' \
         GROUP BY installation, node, weight",
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fail)?;
    for row in rows {
        let many = u32::try_from(get::<i64>(&row, "many")?).unwrap_or(u32::MAX);
        let slots =
            running.slots.entry((Installation(get(&row, "installation")?), get(&row, "node")?)).or_default();
        match row::weight(&row)? {
            Weight::None => {}
            Weight::Power => slots.0 = many,
            Weight::Heavy => slots.1 = many,
        }
    }
    Ok(running)
}

async fn batch_bounds(tx: &mut AnyConnection, id: RequestId) -> Result<Bounds> {
    let request =
        sqlx::query("SELECT max_parallel, max_per_node, on_error_stop, pause_us FROM request WHERE id = $1")
            .bind(id.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(fail)?;
    let rows = sqlx::query(
        "SELECT state, node, COUNT(*) AS many, MAX(started_us) AS newest FROM operation \
         WHERE request_id = $1 GROUP BY state, node",
    )
    .bind(id.to_string())
    .fetch_all(&mut *tx)
    .await
    .map_err(fail)?;
    let number = |column: &str| -> Result<u32> {
        Ok(u32::try_from(get::<i64>(&request, column)?).unwrap_or(u32::MAX))
    };
    let pause: Micros = get(&request, "pause_us")?;
    let mut bounds = Bounds {
        max_parallel: number("max_parallel")?,
        max_per_node: number("max_per_node")?,
        on_error_stop: row::flag(&request, "on_error_stop")?,
        has_failed: false,
        running: HashMap::new(),
        pause,
        not_before: 0,
    };
    for row in rows {
        let many = u32::try_from(get::<i64>(&row, "many")?).unwrap_or(u32::MAX);
        match get::<String>(&row, "state")?.as_str() {
            "running" => {
                bounds.running.insert(get(&row, "node")?, many);
            }
            "failed" | "needs_attention" | "cancelled" => bounds.has_failed = true,
            _ => {}
        }
        if pause > 0
            && let Some(newest) = row.try_get::<Option<i64>, _>("newest").ok().flatten()
        {
            bounds.not_before = bounds.not_before.max(newest + pause);
        }
    }
    Ok(bounds)
}

//! Admission and claiming: reads the queue, the locks and the leases, lets `lxc_core` decide, writes the
//! verdicts. New, crashed and handed-over work take this one path (ARCHITECTURE.md, rules 3 and 4).

use std::collections::HashMap;
use std::time::Duration;

use lxc_core::ids::{DaemonId, Micros, OperationId};
use lxc_core::op::admission::{Verdict, admit};
use lxc_core::op::{Change, Kind, Operation, Outcome, apply, words};
use lxc_core::ports::{Claims, Now, StoreError};
use lxc_core::timing::Timing;
use sqlx::AssertSqlSafe;

use super::operation::{load, load_all};
use super::queue::{self, PAGE, Part};
use super::write::{Write, write_all};
use super::{Connection, Result, Store, bulk, fail, get_parsed, scope};

/// So many are taken over in one transaction.
const ORPHANS: usize = 200;
/// So many are moved in one transaction where that need not be all, because others wait for it.
pub(super) const MOST: usize = 32;

impl Store {
    /// One pass: take over what nobody drives, then admit. With nothing to do it writes nothing.
    pub(super) async fn claim_pass(&self, me: DaemonId, now: Now) -> Result<Claims> {
        if !self.anything_to_claim(me, now).await? {
            let wake_in = queue::wake_in(&mut self.read().await?, now).await?;
            return Ok(Claims { wake_in, ..Claims::default() });
        }
        let mut tx = self.write().await?;
        let mut orphans = self.take_orphans(&mut tx, me, now.wall).await?;
        let mut claims = self.admit_pass(&mut tx, me, now, MOST).await?;
        tx.commit().await.map_err(fail)?;
        if orphans.len() == ORPHANS {
            claims.wake_in = Some(Duration::ZERO);
        }
        orphans.append(&mut claims.ours);
        claims.ours = orphans;
        Ok(claims)
    }

    async fn anything_to_claim(&self, me: DaemonId, now: Now) -> Result<bool> {
        let orphaned = self.orphaned();
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM operation WHERE finished_us IS NULL AND kind_version <= $3 \
             AND {orphaned} LIMIT 1) AS due"
        );
        let due: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(me.to_string())
            .bind(now.wall)
            .bind(Kind::VERSION)
            .fetch_one(&self.reader)
            .await
            .map_err(fail)?;
        Ok(due > 0 || queue::can_move(&mut self.read().await?, now).await?)
    }

    /// Runs, and its owner ($1 is somebody else) has no lease at $2, or has handed over.
    fn orphaned(&self) -> String {
        let now = self.dialect.now("$2");
        format!(
            "state = 'running' AND owner <> $1 AND owner NOT IN (SELECT id FROM daemon \
             WHERE lease_us > {now} AND drained_us IS NULL)"
        )
    }

    /// Running operations whose owner's lease has ended, of kinds this daemon knows.
    async fn take_orphans(&self, tx: &mut Connection, me: DaemonId, now: Micros) -> Result<Vec<Operation>> {
        let sql = format!(
            "SELECT id FROM operation WHERE kind_version <= $3 AND {} ORDER BY created_us LIMIT {ORPHANS}{}",
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
        let ids = rows.iter().map(|row| get_parsed(row, "id")).collect::<Result<Vec<OperationId>>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        own(tx, &ids, me).await?;
        let mut taken = load_all(tx, &ids).await?;
        // Who waits longest goes on first.
        taken.sort_by_key(|op| op.created);
        Ok(taken)
    }

    /// Admits what may begin and ends what may not wait any longer: page by page until nothing moves, so
    /// that what was submitted a moment ago is looked at whatever stands in front of it, or until `most`
    /// have moved; then the next pass is due at once.
    pub(super) async fn admit_pass(
        &self,
        tx: &mut Connection,
        me: DaemonId,
        now: Now,
        most: usize,
    ) -> Result<Claims> {
        let mut claims = Claims::default();
        self.one_at_a_time(tx).await?;
        loop {
            let page = queue::page(tx, now, Part::Oldest).await?;
            let (begun, ended) = (claims.ours.len(), claims.ended.len());
            let verdicts = admit(&page.queue, &page.bounds, &page.running, now.steady);
            let mut admitted = Vec::new();
            // The oldest of a page wait for few nodes, which are soon full: it is a long one, and not all of it moves.
            let moving = page.queue.iter().zip(verdicts).filter(|(_, verdict)| *verdict != Verdict::Keep);
            for (waiting, verdict) in moving.take(most - begun - ended) {
                match verdict {
                    Verdict::Keep => {}
                    Verdict::Admit => admitted.push(waiting.id),
                    end => claims.ended.extend(self.end(tx, waiting.id, end, me, now.wall).await?),
                }
            }
            let mut found: HashMap<OperationId, Operation> =
                load_all(tx, &admitted).await?.into_iter().map(|op| (op.id, op)).collect();
            let admitted = admitted.iter().filter_map(|id| found.remove(id)).collect();
            claims.ours.extend(begin(tx, admitted, me, now.wall).await?);
            let moved = claims.ours.len() + claims.ended.len();
            if moved >= most {
                claims.wake_in = Some(Duration::ZERO);
                return Ok(claims);
            }
            // An end may stop the rest of its batch. The first of a full page always moves; if it did not,
            // looking again would not help either.
            let more = page.queue.len() == PAGE && moved > begun + ended;
            if !more && claims.ended.len() == ended {
                break;
            }
        }
        claims.wake_in = queue::wake_in(tx, now).await?;
        Ok(claims)
    }

    /// Locks and slots are counted by one daemon at a time, until its transaction ends. Answers whether there was
    /// anybody to wait for, who may have changed them.
    pub(super) async fn one_at_a_time(&self, tx: &mut Connection) -> Result<bool> {
        let Some(lock) = self.dialect.admission_lock() else { return Ok(false) };
        sqlx::query(lock).execute(tx).await.map_err(fail)?;
        Ok(true)
    }

    /// Ends one that may not wait any longer.
    pub(super) async fn end(
        &self,
        tx: &mut Connection,
        id: OperationId,
        verdict: Verdict,
        me: DaemonId,
        now: Micros,
    ) -> Result<Option<OperationId>> {
        let Some(mut op) = load(tx, "id = $1", &id.to_string()).await?.pop() else { return Ok(None) };
        let outcome = match verdict {
            Verdict::Keep | Verdict::Admit => return Ok(None),
            Verdict::Cancel => Outcome::cancelled("before it began", false),
            Verdict::Refuse { holder } => {
                let holder = load(tx, "id = $1", &holder.to_string()).await?.pop();
                let error = holder.map(|holder| words::locked(&op.target, op.kind.verb(), &holder, now));
                Outcome::refused(error.unwrap_or_else(|| words::lock_gone(&op.target)))
            }
            Verdict::Stop => Outcome::refused(words::batch_stopped(&op.target)),
        };
        own(tx, &[id], me).await?;
        change(tx, std::slice::from_mut(&mut op), &Change::Finish(outcome), now).await?;
        Ok(Some(id))
    }
}

/// Begins some, each with its lock, for daemon `me`.
pub(super) async fn begin(
    tx: &mut Connection,
    mut ops: Vec<Operation>,
    me: DaemonId,
    now: Micros,
) -> Result<Vec<Operation>> {
    if ops.is_empty() {
        return Ok(ops);
    }
    let ids: Vec<OperationId> = ops.iter().map(|op| op.id).collect();
    own(tx, &ids, me).await?;
    // A container that is to be made was locked in the submit, to hold its number.
    let unlocked: Vec<&Operation> = ops.iter().filter(|op| !op.reserves()).collect();
    if !unlocked.is_empty() {
        lock(tx, &unlocked, now).await?;
    }
    change(tx, &mut ops, &Change::Admitted, now).await?;
    Ok(ops)
}

async fn lock(tx: &mut Connection, ops: &[&Operation], now: Micros) -> Result<()> {
    const INTO: &str = "container_lock (installation, vmid, operation_id, since_us)";
    for part in bulk::parts(ops) {
        let mut locks = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 4, part.len())));
        for op in part {
            let target = &op.target;
            locks = locks
                .bind(target.installation.0.clone())
                .bind(i64::from(target.vmid))
                .bind(op.id.to_string())
                .bind(now);
        }
        locks.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

/// Makes those that have not ended ours, behind a new fence.
async fn own(tx: &mut Connection, ids: &[OperationId], me: DaemonId) -> Result<()> {
    let sql = format!(
        "UPDATE operation SET owner = $1, fence = fence + 1 WHERE finished_us IS NULL AND {}",
        scope::operations(ids)
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(me.to_string());
    query.execute(tx).await.map_err(fail)?;
    Ok(())
}

/// Moves some that are ours by now.
async fn change(tx: &mut Connection, ops: &mut [Operation], change: &Change, now: Micros) -> Result<()> {
    let mut events = Vec::with_capacity(ops.len());
    for op in &mut *ops {
        op.fence += 1;
        let made = apply(op, change.clone(), now, &Timing::default());
        events.push(made.map_err(|misfit| StoreError::Failed(misfit.to_string()))?);
    }
    let writes: Vec<_> = ops.iter().zip(&events).map(|(op, events)| Write { op, events, now }).collect();
    write_all(tx, &writes).await?;
    for (op, events) in ops.iter_mut().zip(&events) {
        op.last_seq += i64::try_from(events.len()).unwrap_or(0);
    }
    Ok(())
}

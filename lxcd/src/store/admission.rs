//! Admission and claiming: reads the queue, the locks and the leases, lets `lxc_core` decide, writes the
//! verdicts. New, crashed and handed-over work take this one path (ARCHITECTURE.md, rules 3 and 4).

use std::time::Duration;

use lxc_core::ids::{DaemonId, Micros, OperationId};
use lxc_core::op::admission::{Verdict, admit};
use lxc_core::op::{Change, Kind, Operation, Outcome, apply, words};
use lxc_core::ports::{Claims, Now};
use lxc_core::timing::Timing;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::commit::write_operation;
use super::operation::load;
use super::queue::{self, PAGE};
use super::{Result, Store, fail, get_parsed};

/// So many are taken over in one transaction.
const ORPHANS: usize = 200;
/// So many are moved in one transaction where that need not be all, because others wait for it.
pub(super) const MOST: usize = 64;

impl Store {
    /// One pass: take over what nobody drives, then admit. With nothing to do it writes nothing.
    pub(super) async fn claim_pass(&self, me: DaemonId, now: Now) -> Result<Claims> {
        if !self.anything_to_claim(me, now).await? {
            let wake_in = queue::wake_in(&mut *self.read().await?, now).await?;
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
        Ok(due > 0 || queue::can_move(&mut *self.read().await?, now).await?)
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
    async fn take_orphans(
        &self,
        tx: &mut AnyConnection,
        me: DaemonId,
        now: Micros,
    ) -> Result<Vec<Operation>> {
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

    /// Admits what may begin and ends what may not wait any longer: page by page until nothing moves, so
    /// that what was submitted a moment ago is looked at whatever stands in front of it, or until `most`
    /// have moved; then the next pass is due at once.
    pub(super) async fn admit_pass(
        &self,
        tx: &mut AnyConnection,
        me: DaemonId,
        now: Now,
        most: usize,
    ) -> Result<Claims> {
        let mut claims = Claims::default();
        if let Some(lock) = self.dialect.admission_lock() {
            sqlx::query(lock).execute(&mut *tx).await.map_err(fail)?;
        }
        let size = PAGE.min(most);
        loop {
            let page = queue::page(tx, now, size).await?;
            let (begun, ended) = (claims.ours.len(), claims.ended.len());
            let verdicts = admit(&page.queue, &page.bounds, &page.running, now.steady);
            for (waiting, verdict) in page.queue.iter().zip(verdicts) {
                if verdict != Verdict::Keep {
                    self.carry_out(tx, &mut claims, waiting.id, verdict, me, now.wall).await?;
                }
            }
            let moved = claims.ours.len() + claims.ended.len();
            // An end may stop the rest of its batch. The first of a full page always moves; if it did not,
            // looking again would not help either.
            let more = page.queue.len() == size && moved > begun + ended;
            if !more && claims.ended.len() == ended {
                break;
            }
            if moved >= most {
                claims.wake_in = Some(Duration::ZERO);
                return Ok(claims);
            }
        }
        claims.wake_in = queue::wake_in(tx, now).await?;
        Ok(claims)
    }

    async fn carry_out(
        &self,
        tx: &mut AnyConnection,
        claims: &mut Claims,
        id: OperationId,
        verdict: Verdict,
        me: DaemonId,
        now: Micros,
    ) -> Result<()> {
        let Some(mut op) = load(tx, "id = $1", &id.to_string()).await?.pop() else { return Ok(()) };
        let change = match verdict {
            Verdict::Keep => return Ok(()),
            Verdict::Admit => Change::Admitted,
            Verdict::Cancel => Change::Finish(Outcome::cancelled("before it began", false)),
            Verdict::Refuse { holder } => {
                let holder = load(tx, "id = $1", &holder.to_string()).await?.pop();
                let error = holder.map(|holder| words::locked(&op.target, op.kind.verb(), &holder, now));
                Change::Finish(Outcome::refused(error.unwrap_or_else(|| words::lock_gone(&op.target))))
            }
            Verdict::Stop => Change::Finish(Outcome::refused(words::batch_stopped(&op.target))),
        };
        self.admit_one(tx, &mut op, change, me, now).await?;
        if op.outcome().is_some() {
            claims.ended.push(op.id)
        } else {
            claims.ours.push(op)
        }
        Ok(())
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

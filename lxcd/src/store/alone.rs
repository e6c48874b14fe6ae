//! Admission of one that was just submitted by itself: it begins or is refused with its submit, without a look at the
//! queue where that decides nothing. Who submits one does not wait until hundreds of others are read and written; those
//! are left to the loop (`admission`).

use lxc_core::ids::DaemonId;
use lxc_core::op::Operation;
use lxc_core::op::admission::{Beside, Verdict, Waiting, admit, admit_alone};
use lxc_core::ports::{Claims, Now};

use super::admission::begin;
use super::operation::load_all;
use super::queue::{self, PAGE, Part};
use super::{Connection, Result, Store, fail, get, get_parsed};

impl Store {
    /// Lets it begin for daemon `me`, or refuses it, if that is decided now. It takes its turn behind those that wait for
    /// the same node or container.
    pub(super) async fn admit_alone(
        &self,
        tx: &mut Connection,
        me: DaemonId,
        now: Now,
        op: &Operation,
    ) -> Result<Claims> {
        let waiting = Waiting {
            id: op.id,
            request_id: op.request_id,
            installation: op.target.installation.clone(),
            vmid: op.target.vmid,
            node: op.target.node.clone(),
            weight: op.kind.weight(),
            lock_deadline: op.lock_deadline,
            cancel: op.cancel,
        };
        let mut verdict = admit_alone(&waiting, &beside(tx, &waiting).await?, now.steady);
        // Who begins is counted by all; who has to wait, or is refused, is not.
        let counts = matches!(verdict, None | Some(Verdict::Admit));
        if counts && self.one_at_a_time(tx).await? {
            verdict = admit_alone(&waiting, &beside(tx, &waiting).await?, now.steady);
        }
        let decided = match verdict {
            Some(verdict) => vec![(op.id, verdict)],
            None => {
                let page = queue::page(tx, now, Part::Beside(&op.target)).await?;
                if page.queue.len() == PAGE {
                    // It may be behind them.
                    return self.admit_pass(tx, me, now, usize::MAX).await;
                }
                let verdicts = admit(&page.queue, &page.bounds, &page.running, now.steady);
                // Those for its node are left to the loop.
                let here =
                    page.queue.iter().zip(verdicts).filter(|(waiting, _)| waiting.vmid == op.target.vmid);
                here.map(|(waiting, verdict)| (waiting.id, verdict)).collect()
            }
        };
        let mut claims = Claims::default();
        for (id, verdict) in decided {
            match verdict {
                Verdict::Keep => {}
                Verdict::Admit => {
                    let begun = if id == op.id { vec![op.clone()] } else { load_all(tx, &[id]).await? };
                    claims.ours.extend(begin(tx, begun, me, now.wall).await?);
                }
                end => claims.ended.extend(self.end(tx, id, end, me, now.wall).await?),
            }
        }
        Ok(claims)
    }
}

/// What it finds where it is to work.
async fn beside(tx: &mut Connection, op: &Waiting) -> Result<Beside> {
    let row = sqlx::query(
        "SELECT (SELECT operation_id FROM container_lock \
           WHERE installation = $1 AND vmid = $2 AND operation_id <> $3) AS holder, \
         (SELECT COUNT(*) FROM operation WHERE state = 'running' AND finished_us IS NULL \
           AND installation = $1 AND node = $4 AND weight = $5) AS used, \
         (SELECT COUNT(*) FROM (SELECT 1 FROM operation WHERE state = 'queued' AND finished_us IS NULL \
           AND installation = $1 AND (node = $4 OR vmid = $2) AND id <> $3 LIMIT 1) AS other) AS queued",
    )
    .bind(op.installation.0.clone())
    .bind(i64::from(op.vmid))
    .bind(op.id.to_string())
    .bind(op.node.clone())
    .bind(op.weight.name())
    .fetch_one(tx)
    .await
    .map_err(fail)?;
    let held: Option<String> = get(&row, "holder")?;
    Ok(Beside {
        holder: held.map(|_| get_parsed(&row, "holder")).transpose()?,
        used: u32::try_from(get::<i64>(&row, "used")?).unwrap_or(u32::MAX),
        queued: get::<i64>(&row, "queued")? > 0,
    })
}

//! What changes of operations mean beyond their own rows: the containers, their attention marks, the audit, the locks.
//! Part of the transaction that writes the operations (`write`); must not begin one. All of one installation at a
//! time; its version first, as every writer of containers takes its locks.

use std::collections::HashMap;

use lxc_core::ids::{ContainerId, Installation};
use lxc_core::op::{Ending, EventKind, Operation, StepKind, StepState};
use sqlx::AssertSqlSafe;

use super::write::Write;
use super::{Connection, Result, bulk, fail, get, poller, reserve};

/// What finished steps tell about their containers is known at once, whatever the next sample says.
pub(super) async fn record_containers(
    tx: &mut Connection,
    installation: &Installation,
    all: &[Write<'_>],
) -> Result<()> {
    const COLUMNS: [(&str, &str); 4] =
        [("id", "TEXT"), ("power", "TEXT"), ("node", "TEXT"), ("observed_us", "BIGINT")];
    let mut power: HashMap<ContainerId, (&str, &Write<'_>)> = HashMap::new();
    for write in all {
        for event in write.events {
            // The last word counts.
            match event.kind {
                EventKind::Started => power.insert(write.op.target.container_id, ("running", write)),
                EventKind::Stopped => power.insert(write.op.target.container_id, ("stopped", write)),
                _ => continue,
            };
        }
    }
    let gone: Vec<_> = all.iter().filter(|write| is_gone(write.op)).collect();
    if power.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let version = poller::next_version(tx, installation).await?;
    let power: Vec<_> = power.into_iter().collect();
    for part in bulk::parts(&power) {
        let sql = format!(
            "{}UPDATE container SET power = new.power, node = new.node, observed_us = new.observed_us, \
             version = ${} FROM new WHERE container.id = new.id",
            bulk::table(&COLUMNS, part.len()),
            COLUMNS.len() * part.len() + 1
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (id, (power, write)) in part {
            query =
                query.bind(id.to_string()).bind(*power).bind(write.op.target.node.clone()).bind(write.now);
        }
        query.bind(version).execute(&mut *tx).await.map_err(fail)?;
    }
    for write in gone {
        sqlx::query("UPDATE container SET closed_us = $2, version = $3 WHERE id = $1 AND closed_us IS NULL")
            .bind(write.op.target.container_id.to_string())
            .bind(write.now)
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

fn is_gone(op: &Operation) -> bool {
    op.steps.iter().any(|step| {
        matches!(step.kind, StepKind::Delete | StepKind::Forget)
            && matches!(step.state, StepState::Done { .. })
    })
}

/// The terminal transaction's share: attention marks, audit, locks.
pub(super) async fn end(tx: &mut Connection, installation: &Installation, ended: &[Write<'_>]) -> Result<()> {
    mark(tx, installation, ended).await?;
    for write in ended {
        reserve::settle(tx, write.op, write.now).await?;
    }
    const COLUMNS: [(&str, &str); 4] =
        [("id", "TEXT"), ("result", "TEXT"), ("code", "TEXT"), ("ended_us", "BIGINT")];
    for part in bulk::parts(ended) {
        let sql = format!(
            "{}UPDATE audit SET result = new.result, code = new.code, ended_us = new.ended_us FROM new \
             WHERE audit.operation_id = new.id AND audit.ended_us IS NULL",
            bulk::table(&COLUMNS, part.len())
        );
        let mut audit = sqlx::query(AssertSqlSafe(sql));
        let sql = format!(
            "{}DELETE FROM container_lock WHERE operation_id IN (SELECT id FROM new)",
            bulk::table(&COLUMNS[..1], part.len())
        );
        let mut locks = sqlx::query(AssertSqlSafe(sql));
        for Write { op, now, .. } in part {
            let outcome = op.outcome();
            let code = outcome.and_then(|outcome| outcome.error.as_ref()).map(|error| error.code.as_str());
            audit = audit
                .bind(op.id.to_string())
                .bind(outcome.map(|outcome| outcome.result(&op.kind)))
                .bind(code)
                .bind(*now);
            locks = locks.bind(op.id.to_string());
        }
        audit.execute(&mut *tx).await.map_err(fail)?;
        locks.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

/// Sets or clears the attention marks of their containers, where that changes anything.
async fn mark(tx: &mut Connection, installation: &Installation, ended: &[Write<'_>]) -> Result<()> {
    const COLUMNS: [(&str, &str); 2] = [("id", "TEXT"), ("mark", "TEXT")];
    let wanted = |write: &Write<'_>| {
        let mark = match write.op.outcome()? {
            outcome if outcome.ending == Ending::NeedsAttention => Some(write.op.id.to_string()),
            outcome if outcome.ending == Ending::Succeeded && outcome.changed => None,
            _ => return None,
        };
        Some((write.op.target.container_id.to_string(), mark))
    };
    let wanted: Vec<(String, Option<String>)> = ended.iter().filter_map(wanted).collect();
    let mut others = Vec::new();
    for part in bulk::parts(&wanted) {
        let sql = format!(
            "{}SELECT new.id, new.mark FROM container JOIN new ON container.id = new.id \
             WHERE COALESCE(container.attention, '') <> COALESCE(new.mark, '')",
            bulk::table(&COLUMNS, part.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (id, mark) in part {
            query = query.bind(id.clone()).bind(mark.clone());
        }
        for row in query.fetch_all(&mut *tx).await.map_err(fail)? {
            others.push((get::<String>(&row, "id")?, get::<Option<String>>(&row, "mark")?));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let version = poller::next_version(tx, installation).await?;
    for (id, mark) in others {
        sqlx::query("UPDATE container SET attention = $2, version = $3 WHERE id = $1")
            .bind(id)
            .bind(mark)
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

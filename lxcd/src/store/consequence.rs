//! What a change of an operation means beyond its own rows: the container, its attention mark, the audit, the lock.
//! Part of the transaction that writes the operation (`commit`); must not begin one.

use lxc_core::ids::Micros;
use lxc_core::op::{Ending, EventDraft, EventKind, Operation, StepKind, StepState};

use super::{Connection, Result, fail, poller, reserve};

/// What a finished step tells about the container is known at once, whatever the next sample says.
pub(super) async fn record_container(
    tx: &mut Connection,
    op: &Operation,
    events: &[EventDraft],
    now: Micros,
) -> Result<()> {
    let id = op.target.container_id.to_string();
    for event in events {
        let power = match event.kind {
            EventKind::Started => "running",
            EventKind::Stopped => "stopped",
            _ => continue,
        };
        sqlx::query(
            "UPDATE container SET power = $2, node = $3, observed_us = $4, version = $5 WHERE id = $1",
        )
        .bind(id.clone())
        .bind(power)
        .bind(op.target.node.clone())
        .bind(now)
        .bind(poller::next_version(tx, &op.target.installation).await?)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    }
    let gone = op.steps.iter().any(|step| {
        matches!(step.kind, StepKind::Delete | StepKind::Forget)
            && matches!(step.state, StepState::Done { .. })
    });
    if gone {
        sqlx::query("UPDATE container SET closed_us = $2, version = $3 WHERE id = $1 AND closed_us IS NULL")
            .bind(id)
            .bind(now)
            .bind(poller::next_version(tx, &op.target.installation).await?)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

/// The terminal transaction's share: attention mark, audit, lock.
pub(super) async fn end(tx: &mut Connection, op: &Operation, now: Micros) -> Result<()> {
    let Some(outcome) = op.outcome() else { return Ok(()) };
    let attention = match outcome.ending {
        Ending::NeedsAttention => Some(Some(op.id.to_string())),
        Ending::Succeeded if outcome.changed => Some(None),
        _ => None,
    };
    if let Some(mark) = attention {
        let id = op.target.container_id.to_string();
        let other: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM container WHERE id = $1 AND COALESCE(attention, '') <> COALESCE($2, '')",
        )
        .bind(id.clone())
        .bind(mark.clone())
        .fetch_one(&mut *tx)
        .await
        .map_err(fail)?;
        if other > 0 {
            // The version first, as every writer of containers takes its locks.
            let version = poller::next_version(tx, &op.target.installation).await?;
            sqlx::query("UPDATE container SET attention = $2, version = $3 WHERE id = $1")
                .bind(id)
                .bind(mark)
                .bind(version)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
    }
    reserve::settle(tx, op, now).await?;
    let code = outcome.error.as_ref().map(|error| error.code.as_str());
    sqlx::query(
        "UPDATE audit SET result = $2, code = $3, ended_us = $4 WHERE operation_id = $1 AND ended_us IS NULL",
    )
    .bind(op.id.to_string())
    .bind(outcome.result(&op.kind))
    .bind(code)
    .bind(now)
    .execute(&mut *tx)
    .await
    .map_err(fail)?;
    sqlx::query("DELETE FROM container_lock WHERE operation_id = $1")
        .bind(op.id.to_string())
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    Ok(())
}

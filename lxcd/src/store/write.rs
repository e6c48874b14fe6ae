//! Operations as they are written: state, steps, events and all that goes with them, many at a time in the same few
//! statements. Part of a transaction of `group_commit` or `admission`; must not begin one, nor decide anything.

use std::collections::{BTreeMap, HashMap};

use lxc_core::ids::{Installation, Micros, OperationId};
use lxc_core::op::{Ending, EventDraft, EventKind, Kind, Operation, State, Step, StepKind};
use lxc_core::ports::Committed;
use sqlx::AssertSqlSafe;

use super::event::{Drafted, insert_events};
use super::row::flag;
use super::{Connection, Result, bulk, consequence, fail, get, json, reserve, work};

/// Log lines kept of one operation.
const LOG_LINES: i64 = 2_000;

/// An operation as it is to be from now on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'a> {
    pub(super) op: &'a Operation,
    /// What the change says of itself.
    pub(super) events: &'a [EventDraft],
    pub(super) now: Micros,
}

impl Write<'_> {
    /// How many numbers its events take.
    fn made(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap_or(0)
    }
}

/// Writes each whose fence is the current one, and answers for each what came of it. No operation may be among them
/// twice.
pub(super) async fn write_all(tx: &mut Connection, all: &[Write<'_>]) -> Result<Vec<Committed>> {
    let mut known = write_rows(tx, all).await?;
    let mut answers = Vec::with_capacity(all.len());
    let mut written = Vec::with_capacity(all.len());
    for write in all {
        match known.remove(&write.op.id.to_string()) {
            Some(committed) => {
                answers.push(committed);
                written.push(*write);
            }
            None => answers.push(written_before(tx, write).await?),
        }
    }
    write_steps(tx, &written).await?;
    write_events(tx, &written).await?;
    // One installation after the other, in the order everybody has: each has a number that its writers wait for.
    let mut places: BTreeMap<&Installation, Vec<Write<'_>>> = BTreeMap::new();
    for write in written {
        places.entry(&write.op.target.installation).or_default().push(write);
    }
    for (installation, here) in places {
        for write in &here {
            reserve::renumber(tx, write.op).await?;
            reserve::resume(tx, write.op, write.now).await?;
        }
        consequence::record_containers(tx, installation, &here).await?;
        let ended: Vec<_> =
            here.into_iter().filter(|write| matches!(write.op.state, State::Ended(_))).collect();
        consequence::end(tx, installation, &ended).await?;
        for write in ended.iter().filter(|write| made(write.op)) {
            work::drop_inputs(tx, write.op.id).await?;
        }
    }
    Ok(answers)
}

/// Whether all that was to be done in a container is done.
fn made(op: &Operation) -> bool {
    let well = op.outcome().is_some_and(|outcome| outcome.ending == Ending::Succeeded);
    well && matches!(op.kind, Kind::Create { .. })
}

/// The rows of the operations themselves. Answers those that were written, by id.
async fn write_rows(tx: &mut Connection, all: &[Write<'_>]) -> Result<HashMap<String, Committed>> {
    const COLUMNS: [(&str, &str); 11] = [
        ("id", "TEXT"),
        ("fence", "BIGINT"),
        ("last_seq", "BIGINT"),
        ("made", "BIGINT"),
        ("state", "TEXT"),
        ("outcome", "TEXT"),
        ("warnings", "TEXT"),
        ("node", "TEXT"),
        ("degraded_since_us", "BIGINT"),
        ("started_us", "BIGINT"),
        ("finished_us", "BIGINT"),
    ];
    let mut written = HashMap::with_capacity(all.len());
    for part in bulk::parts(all) {
        let sql = format!(
            "{}UPDATE operation SET state = new.state, outcome = new.outcome, warnings = new.warnings, \
             node = new.node, degraded_since_us = new.degraded_since_us, started_us = new.started_us, \
             finished_us = new.finished_us, last_seq = new.last_seq + new.made FROM new \
             WHERE operation.id = new.id AND operation.fence = new.fence \
             AND operation.finished_us IS NULL AND operation.last_seq = new.last_seq \
             RETURNING operation.id, operation.last_seq, operation.cancel, operation.abandon",
            bulk::table(&COLUMNS, part.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for write in part {
            let op = write.op;
            query = query
                .bind(op.id.to_string())
                .bind(op.fence)
                .bind(op.last_seq)
                .bind(write.made())
                .bind(op.state.name())
                .bind(op.outcome().map(json).transpose()?)
                .bind(json(&op.warnings)?)
                .bind(op.target.node.clone())
                .bind(op.degraded_since)
                .bind(op.started)
                .bind(op.finished);
        }
        for row in query.fetch_all(&mut *tx).await.map_err(fail)? {
            let last_seq = get(&row, "last_seq")?;
            let committed =
                Committed::Yes { last_seq, cancel: flag(&row, "cancel")?, abandon: flag(&row, "abandon")? };
            written.insert(get(&row, "id")?, committed);
        }
    }
    Ok(written)
}

async fn write_steps(tx: &mut Connection, all: &[Write<'_>]) -> Result<()> {
    let mut steps = Vec::new();
    for Write { op, now, .. } in all {
        // What ended before stays as it is, also what a retry has carried over: its task belongs to the operation that
        // ran it. What is not due yet was written with the submit, but for a last one that cleans up.
        let due = op.current_step().map_or(op.steps.len(), |current| current + 1);
        let last = op.steps.len().saturating_sub(1);
        let changes = |(idx, step): &(usize, &Step)| {
            step.finished.is_none_or(|at| at >= *now && at >= op.created) && (*idx < due || *idx == last)
        };
        steps.extend(op.steps.iter().enumerate().filter(changes).map(|step| (op.id, step)));
    }
    // A step may be new: what cleans up after another one.
    let again = "ON CONFLICT (operation_id, idx) DO UPDATE SET state = excluded.state, data = excluded.data, \
                 upid = excluded.upid, started_us = excluded.started_us, finished_us = excluded.finished_us";
    // Several may follow one download (`tasks`).
    let own = |step: &Step| step.kind != StepKind::Download;
    let upid = |step: &Step| step.state.upid().filter(|_| own(step)).map(|upid| upid.as_str().to_owned());
    insert_steps(tx, &steps, upid, again).await
}

/// Inserts steps by operation and place. `upid` = the task that a row is to have; `again` = what becomes of one that is
/// there.
pub(super) async fn insert_steps(
    tx: &mut Connection,
    steps: &[(OperationId, (usize, &Step))],
    upid: impl Fn(&Step) -> Option<String>,
    again: &str,
) -> Result<()> {
    const INTO: &str = "step (operation_id, idx, kind, state, data, upid, started_us, finished_us)";
    for part in bulk::parts(steps) {
        let sql = format!("{} {again}", bulk::insert(INTO, 8, part.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (id, (idx, step)) in part {
            query = query
                .bind(id.to_string())
                .bind(i64::try_from(*idx).unwrap_or(0))
                .bind(step.kind.to_string())
                .bind(step.state.name())
                .bind(json(&step.state)?)
                .bind(upid(step))
                .bind(step.started)
                .bind(step.finished);
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

async fn write_events(tx: &mut Connection, all: &[Write<'_>]) -> Result<()> {
    let mut drafts = Vec::new();
    for write in all {
        let numbered = (write.op.last_seq + 1..).zip(write.events);
        drafts.extend(numbered.map(|(seq, draft)| Drafted { op: write.op, seq, draft, now: write.now }));
    }
    insert_events(tx, &drafts).await?;
    for write in all {
        if write.events.iter().any(|event| event.kind == EventKind::Log) {
            trim_log(tx, write).await?;
        }
    }
    Ok(())
}

/// Keeps the last lines of the log; watchers are told which numbers are missing.
async fn trim_log(tx: &mut Connection, write: &Write<'_>) -> Result<()> {
    sqlx::query("DELETE FROM event WHERE operation_id = $1 AND type = 'log' AND seq <= $2")
        .bind(write.op.id.to_string())
        .bind(write.op.last_seq + write.made() - LOG_LINES)
        .execute(tx)
        .await
        .map_err(fail)?;
    Ok(())
}

/// Nothing was written: because another owns it or it has ended, or because an attempt whose answer was
/// lost (the connection broke in COMMIT) has written just this already. A change without events may be
/// written twice; it says the same both times.
async fn written_before(tx: &mut Connection, write: &Write<'_>) -> Result<Committed> {
    let op = write.op;
    let last_seq = op.last_seq + write.made();
    let row =
        sqlx::query("SELECT cancel, abandon FROM operation WHERE id = $1 AND fence = $2 AND last_seq = $3")
            .bind(op.id.to_string())
            .bind(op.fence)
            .bind(last_seq)
            .fetch_optional(&mut *tx)
            .await
            .map_err(fail)?;
    match row {
        Some(row) if !write.events.is_empty() => {
            Ok(Committed::Yes { last_seq, cancel: flag(&row, "cancel")?, abandon: flag(&row, "abandon")? })
        }
        _ => Ok(Committed::Fenced),
    }
}

//! Who asked for what, when, from where, and how it ended. Append-only but for the ending; outlives the
//! containers it speaks of.

use lxc_core::op::Operation;
use lxc_core::record::{AuditFilter, AuditRecord};
use sqlx::AssertSqlSafe;

use super::submit::NewRequest;
use super::{Connection, Result, Store, Transaction, bulk, fail, get, get_json, json, scope};

/// The record of one operation as it is submitted.
pub(super) fn of_operation(request: &NewRequest, op: &Operation) -> Result<AuditRecord> {
    Ok(AuditRecord {
        id: 0,
        time: request.created,
        actor: request.actor.clone(),
        verb: request.verb.clone(),
        target: op.target.path(),
        operation_id: Some(op.id.to_string()),
        request_id: Some(request.id.to_string()),
        result: None,
        code: None,
        ended: None,
        detail: request.options.clone(),
    })
}

impl Store {
    /// Adds a record of something that is no operation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, row: &AuditRecord) -> Result<()> {
        let mut tx = self.write().await?;
        insert(&mut tx, row).await?;
        tx.commit().await.map_err(fail)
    }

    /// Records, oldest of the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_rows(&self, filter: &AuditFilter) -> Result<Vec<AuditRecord>> {
        let mut clauses: Vec<String> =
            ["($1 = '' OR actor_name = $1)", "($2 = '' OR verb = $2)", "time_us >= $3"]
                .map(String::from)
                .into();
        if filter.failed {
            clauses.push("result IN ('failed', 'refused', 'unknown', 'cancelled', 'denied')".to_owned());
        }
        if !filter.target.is_empty() {
            clauses.push(scope::targets_on(std::slice::from_ref(&filter.target)));
        }
        clauses.extend(filter.remotes.as_deref().map(scope::targets_on));
        let sql = format!("SELECT * FROM audit WHERE {} ORDER BY id DESC LIMIT $4", clauses.join(" AND "));
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(filter.actor.clone())
            .bind(filter.verb.clone())
            .bind(filter.since.unwrap_or(0))
            .bind(filter.limit)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        let mut all = rows
            .iter()
            .map(|row| {
                Ok(AuditRecord {
                    id: get(row, "id")?,
                    time: get(row, "time_us")?,
                    actor: get_json(row, "actor")?,
                    verb: get(row, "verb")?,
                    target: get(row, "target")?,
                    operation_id: get(row, "operation_id")?,
                    request_id: get(row, "request_id")?,
                    result: get(row, "result")?,
                    code: get(row, "code")?,
                    ended: get(row, "ended_us")?,
                    detail: get(row, "detail")?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        all.reverse();
        Ok(all)
    }
}

pub(super) async fn insert(tx: &mut Connection, row: &AuditRecord) -> Result<()> {
    insert_all(tx, std::slice::from_ref(row)).await
}

/// The end of a change that was to touch a row: nothing happened when it touched none, else it holds together with
/// the record of who did it. Answers which.
pub(super) async fn commit_if_done(mut tx: Transaction, rows: u64, audit: &AuditRecord) -> Result<bool> {
    if rows == 0 {
        return Ok(false);
    }
    insert(&mut tx, audit).await?;
    tx.commit().await.map_err(fail)?;
    Ok(true)
}

/// Notes who asked for each of a request's operations.
pub(super) async fn insert_operations(tx: &mut Connection, request: &NewRequest) -> Result<()> {
    let rows = request.operations.iter().map(|op| of_operation(request, op)).collect::<Result<Vec<_>>>()?;
    insert_all(tx, &rows).await
}

async fn insert_all(tx: &mut Connection, rows: &[AuditRecord]) -> Result<()> {
    const INTO: &str = "audit (time_us, actor, actor_name, verb, target, operation_id, request_id, result, code, \
         ended_us, detail)";
    for part in bulk::parts(rows) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 11, part.len())));
        for row in part {
            query = query
                .bind(row.time)
                .bind(json(&row.actor)?)
                .bind(row.actor.name.clone())
                .bind(row.verb.clone())
                .bind(row.target.clone())
                .bind(row.operation_id.clone())
                .bind(row.request_id.clone())
                .bind(row.result.clone())
                .bind(row.code.clone())
                .bind(row.ended)
                .bind(row.detail.clone());
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

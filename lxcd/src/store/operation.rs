//! Reading operations, and the flags people set on them. Must not move an operation (`commit`).

use lxc_core::record::{AuditRecord, OperationFilter};
use std::collections::{HashMap, HashSet};

use lxc_core::actor::Actor;
use lxc_core::ids::{OperationId, RequestId};
use lxc_core::op::{Kind, Operation, Step};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::audit;
use super::row::{self, OPERATION};
use super::{Connection, Result, Store, fail, get, get_json, get_parsed, scope};

/// Characters of a whole id.
const WHOLE: usize = 36;

impl Store {
    /// One operation with its steps.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        Ok(load(&mut self.read().await?, "id = $1", &id.to_string()).await?.pop())
    }

    /// The operations of a batch, in the order of its targets.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn batch(&self, id: RequestId) -> Result<Vec<Operation>> {
        load(&mut self.read().await?, "request_id = $1 ORDER BY idx", &id.to_string()).await
    }

    /// Operations or batches whose id ends so; the batch's operations count as one match.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operations_ending(&self, digits: &str) -> Result<Vec<Vec<Operation>>> {
        // A whole id is looked up; only what people type is searched for.
        if digits.len() == WHOLE {
            let found = load(&mut self.read().await?, "id = $1", digits).await?;
            if !found.is_empty() {
                return Ok(found.into_iter().map(|op| vec![op]).collect());
            }
            let batch = load(&mut self.read().await?, "request_id = $1 ORDER BY idx", digits).await?;
            return Ok(if batch.is_empty() { Vec::new() } else { vec![batch] });
        }
        // Only hex and dashes get here, so the pattern has no wildcards of its own.
        let pattern = format!("%{digits}");
        let mut found: Vec<Vec<Operation>> =
            load(&mut self.read().await?, "id LIKE $1 ORDER BY created_us DESC LIMIT 10", &pattern)
                .await?
                .into_iter()
                .map(|op| vec![op])
                .collect();
        let rows = sqlx::query("SELECT id FROM request WHERE id LIKE $1 ORDER BY created_us DESC LIMIT 10")
            .bind(&pattern)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        for row in rows {
            found.push(self.batch(super::get_parsed(&row, "id")?).await?);
        }
        Ok(found)
    }

    /// Operations, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Operation>> {
        let mut clauses: Vec<String> =
            ["($1 = '' OR verb = $1)", "($2 = '' OR actor = $2)", "created_us >= $3"]
                .map(String::from)
                .into();
        clauses.extend(filter.remotes.as_deref().map(scope::remotes));
        clauses.extend(filter.installation.as_ref().map(scope::installation));
        clauses.extend(filter.containers.as_deref().map(scope::containers));
        let states: Vec<String> = filter
            .states
            .iter()
            .filter(|state| state.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            .map(|state| format!("'{state}'"))
            .collect();
        if !states.is_empty() {
            clauses.push(format!("state IN ({})", states.join(", ")));
        }
        let sql = format!(
            "SELECT {OPERATION} FROM operation WHERE {} ORDER BY created_us DESC, id DESC LIMIT $4",
            clauses.join(" AND ")
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(&filter.verb)
            .bind(&filter.actor)
            .bind(filter.since.unwrap_or(0))
            .bind(filter.limit)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        with_steps(&mut self.read().await?, rows).await
    }

    /// As `OpStore::earlier`.
    pub(super) async fn earlier_than(&self, op: &Operation) -> Result<Vec<OperationId>> {
        let Some(last) = op.retry_of else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "WITH RECURSIVE earlier (id, retry_of) AS (SELECT id, retry_of FROM operation WHERE id = $1 \
             UNION SELECT o.id, o.retry_of FROM operation o JOIN earlier e ON o.id = e.retry_of) \
             SELECT id FROM earlier",
        )
        .bind(last.to_string())
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        rows.iter().map(|row| get_parsed(row, "id")).collect()
    }

    /// Everything queued or running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_operations(&self) -> Result<Vec<Operation>> {
        let sql =
            format!("SELECT {OPERATION} FROM operation WHERE finished_us IS NULL ORDER BY created_us, idx");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.reader).await.map_err(fail)?;
        with_steps(&mut self.read().await?, rows).await
    }

    /// How many run and how many wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation_counts(&self) -> Result<(u32, u32)> {
        let rows = sqlx::query(
            "SELECT state, COUNT(*) AS many FROM operation WHERE finished_us IS NULL GROUP BY state",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        let mut counts = (0, 0);
        for row in rows {
            let many = u32::try_from(get::<i64>(&row, "many")?).unwrap_or(u32::MAX);
            if get::<String>(&row, "state")? == "running" { counts.0 = many } else { counts.1 = many }
        }
        Ok(counts)
    }

    /// Who made a request, with process and terminal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_actor(&self, id: RequestId) -> Result<Option<Actor>> {
        let row = sqlx::query("SELECT actor FROM request WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        row.map(|row| get_json(&row, "actor")).transpose()
    }

    /// Operations by their whole ids, in no order; who is not there is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operations_of(&self, ids: &[OperationId]) -> Result<Vec<Operation>> {
        load_all(&mut self.read().await?, ids).await
    }

    /// Sets the durable cancel flag of an operation that has not ended, together with the record of who
    /// wished it. False = it has ended, and nothing is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_cancel(&self, id: OperationId, abandon: bool, audit: &AuditRecord) -> Result<bool> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE operation SET cancel = 1, abandon = CASE WHEN $2 = 1 THEN 1 ELSE abandon END \
             WHERE id = $1 AND finished_us IS NULL",
        )
        .bind(id.to_string())
        .bind(i64::from(abandon))
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        audit::commit_if_done(tx, done.rows_affected(), audit).await
    }
}

/// Operations by one text-valued clause, with their steps.
pub(super) async fn load(connection: &mut Connection, clause: &str, value: &str) -> Result<Vec<Operation>> {
    let sql = format!("SELECT {OPERATION} FROM operation WHERE {clause}");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(value.to_owned())
        .fetch_all(&mut *connection)
        .await
        .map_err(fail)?;
    with_steps(connection, rows).await
}

/// Operations by their ids, with their steps, in no order.
pub(super) async fn load_all(connection: &mut Connection, ids: &[OperationId]) -> Result<Vec<Operation>> {
    let mut all = Vec::new();
    for part in ids.chunks(500) {
        let sql = format!("SELECT {OPERATION} FROM operation WHERE {}", scope::operations(part));
        let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_all(&mut *connection).await;
        all.extend(with_steps(connection, rows.map_err(fail)?).await?);
    }
    Ok(all)
}

/// Turns rows into operations and reads their steps, some hundred operations at a time.
pub(super) async fn with_steps(connection: &mut Connection, rows: Vec<AnyRow>) -> Result<Vec<Operation>> {
    let mut all = rows.iter().map(row::operation).collect::<Result<Vec<_>>>()?;
    let newer = all.iter().filter(|op| matches!(op.kind, Kind::Newer { .. }));
    let newer: HashSet<String> = newer.map(|op| op.id.to_string()).collect();
    let mut steps: HashMap<String, Vec<Step>> = HashMap::new();
    for chunk in all.chunks(500) {
        let places: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT operation_id, kind, data, started_us, finished_us FROM step \
             WHERE operation_id IN ({}) ORDER BY operation_id, idx",
            places.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for op in chunk {
            query = query.bind(op.id.to_string());
        }
        for row in query.fetch_all(&mut *connection).await.map_err(fail)? {
            let id: String = get(&row, "operation_id")?;
            match row::step(&row) {
                // A step we do not know is no fault of the row.
                Err(_) if newer.contains(&id) => {}
                step => steps.entry(id).or_default().push(step?),
            }
        }
    }
    for op in &mut all {
        op.steps = steps.remove(&op.id.to_string()).unwrap_or_default();
    }
    Ok(all)
}

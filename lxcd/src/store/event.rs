//! The journal: events of operations and of the inventory, append-only. Owns the global cursor,
//! behind which nothing is ever added (see [`super::Dialect`]); must not decide which events there are.

use lxc_core::ids::{Installation, Micros, OperationId};
use lxc_core::op::{EventDraft, EventKind, Operation};
use lxc_core::record::{EventData, EventFilter, EventRecord, NewEvent};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::row::vmid;
use super::{Connection, Result, Store, bulk, fail, get, get_json, json, scope};

pub(super) const COLUMNS: &str = "cursor, operation_id, seq, time_us, type, installation, vmid, container_id, target, \
     name, actor, data";

impl Store {
    /// Events of one operation behind `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operation_events(
        &self,
        id: OperationId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventRecord>> {
        let sql =
            format!("SELECT {COLUMNS} FROM event WHERE operation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(id.to_string())
            .bind(after)
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        rows.iter().map(event_row).collect()
    }

    /// Events of everything, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>> {
        let mut clauses =
            vec!["cursor > $1".to_owned(), "time_us >= $2".to_owned(), "($3 = '' OR actor = $3)".to_owned()];
        clauses.push(self.dialect.event_horizon().to_owned());
        if !filter.detailed {
            clauses.push("detail = 0".to_owned());
        }
        let kinds: Vec<String> = EventKind::ALL
            .iter()
            .map(|kind| kind.as_str())
            .filter(|kind| filter.kinds.iter().any(|wanted| wanted == kind))
            .map(|kind| format!("'{kind}'"))
            .collect();
        if !filter.kinds.is_empty() {
            clauses.push(if kinds.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("type IN ({})", kinds.join(", "))
            });
        }
        clauses.extend(filter.remotes.as_deref().map(scope::targets_on));
        clauses.extend(filter.installation.as_ref().map(scope::installation));
        clauses.extend(filter.containers.as_deref().map(scope::containers));
        let order = if filter.after.is_some() { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM event WHERE {} ORDER BY cursor {order} LIMIT $4",
            clauses.join(" AND ")
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(filter.after.unwrap_or(0))
            .bind(filter.since.unwrap_or(0))
            .bind(filter.actor.clone())
            .bind(filter.limit)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        let mut events = rows.iter().map(event_row).collect::<Result<Vec<_>>>()?;
        if filter.after.is_none() {
            events.reverse();
        }
        Ok(events)
    }

    /// Whether there are events that cannot be told yet, because a transaction that began before theirs may
    /// still write some.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unsettled(&self) -> Result<bool> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE NOT ({}) LIMIT 1) AS beyond",
            self.dialect.event_horizon()
        );
        let beyond: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.reader).await.map_err(fail)?;
        Ok(beyond > 0)
    }

    /// The newest cursor that nothing can come before any more, 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_cursor(&self) -> Result<i64> {
        let sql =
            format!("SELECT COALESCE(MAX(cursor), 0) FROM event WHERE {}", self.dialect.event_horizon());
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.reader).await.map_err(fail)
    }
}

pub(super) fn event_row(row: &AnyRow) -> Result<EventRecord> {
    let id: Option<String> = get(row, "operation_id")?;
    let seq: Option<i64> = get(row, "seq")?;
    Ok(EventRecord {
        cursor: get(row, "cursor")?,
        operation: id.and_then(|id| id.parse().ok()).zip(seq),
        time: get(row, "time_us")?,
        kind: get(row, "type")?,
        installation: Installation(get(row, "installation")?),
        vmid: vmid(row)?,
        container_id: get(row, "container_id")?,
        target: get(row, "target")?,
        name: get(row, "name")?,
        actor: get(row, "actor")?,
        data: get_json(row, "data")?,
    })
}

/// An event of an operation, with its number and its moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drafted<'a> {
    pub(super) op: &'a Operation,
    pub(super) seq: i64,
    pub(super) draft: &'a EventDraft,
    pub(super) now: Micros,
}

/// Appends events of operations.
pub(super) async fn insert_events(tx: &mut Connection, rows: &[Drafted<'_>]) -> Result<()> {
    const INTO: &str = "event (operation_id, seq, time_us, type, detail, installation, vmid, container_id, target, \
         name, actor, data)";
    for part in bulk::parts(rows) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 12, part.len())));
        for Drafted { op, seq, draft: event, now } in part {
            let steps = u32::try_from(op.steps.len()).unwrap_or(0);
            let data = EventData {
                message: event.message.clone(),
                step: event.step.map(|step| (u32::try_from(step + 1).unwrap_or(0), steps)),
                percent: event.percent,
                forced_at: event.forced_at,
                how: event.how.map(|how| how.as_str().to_owned()),
            };
            query = query
                .bind(op.id.to_string())
                .bind(*seq)
                .bind(*now)
                .bind(event.kind.as_str())
                .bind(i64::from(event.kind.is_detail()))
                .bind(op.target.installation.0.clone())
                .bind(i64::from(op.target.vmid))
                .bind(op.target.container_id.to_string())
                .bind(op.target.path())
                .bind(op.target.name.clone())
                .bind(op.actor.clone())
                .bind(json(&data)?);
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

/// Appends an event outside of any operation.
pub(super) async fn insert_event(tx: &mut Connection, event: &NewEvent, now: Micros) -> Result<()> {
    let data = EventData { message: event.message.clone(), ..EventData::default() };
    sqlx::query(
        "INSERT INTO event (time_us, type, detail, installation, vmid, container_id, target, name, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(now)
    .bind(event.kind.as_str())
    .bind(i64::from(event.kind.is_detail()))
    .bind(event.installation.0.clone())
    .bind(i64::from(event.vmid))
    .bind(event.container_id.to_string())
    .bind(event.target.clone())
    .bind(event.name.clone())
    .bind(json(&data)?)
    .execute(&mut *tx)
    .await
    .map_err(fail)?;
    Ok(())
}

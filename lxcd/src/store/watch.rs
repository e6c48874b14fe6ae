//! What a watch reads: of many operations at once, because under load many move while one is read. Owns that query;
//! who is told what is the service's.

use lxc_core::ids::OperationId;
use lxc_core::op::Operation;
use lxc_core::record::EventRecord;
use sqlx::AssertSqlSafe;

use super::event::{COLUMNS, event_row};
use super::operation::with_steps;
use super::row::OPERATION;
use super::{Result, Store, fail, scope};

/// What is new of some operations.
#[derive(Debug)]
pub struct Progress {
    /// Events by operation, in order.
    pub events: Vec<EventRecord>,
    /// There are more of them.
    pub more: bool,
    /// Those that have ended; their events are in the store, here or yet to be read.
    pub ended: Vec<Operation>,
}

impl Store {
    /// What there is behind the last number told of each, `limit` events at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress(&self, behind: &[(OperationId, i64)], limit: usize) -> Result<Progress> {
        let ids: Vec<OperationId> = behind.iter().map(|(id, _)| *id).collect();
        // The operations first: an end that is seen here has all its events in the store.
        let sql = format!(
            "SELECT {OPERATION} FROM operation WHERE finished_us IS NOT NULL AND {}",
            scope::operations(&ids)
        );
        let mut connection = self.read().await?;
        // Ids and numbers are part of these texts, so none is worth keeping.
        let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_all(&mut connection).await;
        let ended = with_steps(&mut connection, rows.map_err(fail)?).await?;
        let told: Vec<String> = behind.iter().map(|(id, after)| format!("('{id}', {after})")).collect();
        let sql = format!(
            "WITH told (id, after_seq) AS (VALUES {}) SELECT {COLUMNS} FROM told \
             JOIN event ON event.operation_id = told.id AND event.seq > told.after_seq \
             ORDER BY event.operation_id, event.seq LIMIT {limit}",
            told.join(", ")
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_all(&mut connection).await;
        let events = rows.map_err(fail)?.iter().map(event_row).collect::<Result<Vec<_>>>()?;
        Ok(Progress { more: events.len() == limit, events, ended })
    }
}

//! What the pieces of a create read, kept with their operation. Owns the rows; must not know what is in them.

use super::{Connection, Result, Store, fail, get};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lxc_core::ids::OperationId;
use lxc_core::ports::StoreError;

impl Store {
    /// As `OpStore::work_input`.
    pub(super) async fn input(&self, id: OperationId, step: usize) -> Result<Option<Vec<u8>>> {
        let row = sqlx::query("SELECT data FROM work_input WHERE operation_id = $1 AND idx = $2")
            .bind(id.to_string())
            .bind(i64::try_from(step).unwrap_or(i64::MAX))
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        let Some(row) = row else { return Ok(None) };
        let text: String = get(&row, "data")?;
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map(Some).map_err(|error| StoreError::Corrupt(format!("column data: {error}")))
    }
}

/// Keeps inputs with their operation, by step.
pub(super) async fn insert(tx: &mut Connection, id: OperationId, inputs: &[(usize, Vec<u8>)]) -> Result<()> {
    for (step, bytes) in inputs {
        sqlx::query("INSERT INTO work_input (operation_id, idx, data) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(i64::try_from(*step).unwrap_or(i64::MAX))
            .bind(BASE64_STANDARD.encode(bytes))
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

/// Nobody reads any more what an operation that succeeded was to read, nor what those before it were that it took up
/// again.
pub(super) async fn drop_inputs(tx: &mut Connection, id: OperationId) -> Result<()> {
    sqlx::query(
        "DELETE FROM work_input WHERE operation_id IN (WITH RECURSIVE done (id, retry_of) AS \
         (SELECT id, retry_of FROM operation WHERE id = $1 \
         UNION SELECT o.id, o.retry_of FROM operation o JOIN done d ON o.id = d.retry_of) SELECT id FROM done)",
    )
    .bind(id.to_string())
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(())
}

/// A retry reads what the operation before it was to read.
pub(super) async fn copy(tx: &mut Connection, from: OperationId, to: OperationId) -> Result<()> {
    sqlx::query(
        "INSERT INTO work_input (operation_id, idx, data) SELECT $2, idx, data FROM work_input WHERE operation_id = $1",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(())
}

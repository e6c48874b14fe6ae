//! On which hosts lxcd works on this database: whom to ask for a key. Must not judge leases.

use lxc_core::ids::{DaemonId, Micros};

use super::{Result, Store, fail, get};

impl Store {
    /// Hosts of other daemons whose lease holds, the newest heartbeat first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn other_hosts(&self, me: Option<DaemonId>, now: Micros) -> Result<Vec<String>> {
        let rows = sqlx::query(
            "SELECT host FROM daemon WHERE id <> $1 AND lease_us > $2 ORDER BY heartbeat_us DESC",
        )
        .bind(me.map_or_else(String::new, |me| me.to_string()))
        .bind(now)
        .fetch_all(&self.reader)
        .await
        .map_err(fail)?;
        rows.iter().map(|row| get(row, "host")).collect()
    }
}

//! What was found inside containers, as rows: one for an incarnation, which the database removes with it. Owns those and
//! the summary that listings show; never gets the value of a secret.

use std::net::IpAddr;

use lxc_core::ids::{ContainerId, Installation, Micros};
use lxc_core::record::{Inside, Looked, ServicesRecord};
use lxc_core::services::Services;
use sqlx::any::AnyRow;

use super::{Result, Store, fail, get, get_json, json, poller};

/// The columns of the summary, beside those of a container.
pub(super) const COLUMNS: &str = "healthy, total, addresses, checked_us";

impl Store {
    /// Writes what was found in a container, and how it is reached by its own account. Answers whether a listing shows
    /// anything else now: then every daemon is to be told. A container whose record is closed has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_services(
        &self,
        installation: &Installation,
        id: ContainerId,
        services: &Services,
        addresses: &[IpAddr],
        now: Micros,
    ) -> Result<bool> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let new = Inside {
            healthy: count(services.healthy()),
            total: count(services.total()),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            checked: now,
        };
        let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM services WHERE container_id = $1"));
        let before =
            sqlx::query(sql).bind(id.to_string()).fetch_optional(&self.reader).await.map_err(fail)?;
        let before = before.as_ref().map(inside).transpose()?.flatten();
        let shown = before.is_none_or(|before| Inside { checked: now, ..before } != new);
        let mut tx = self.write().await?;
        // The version first, as every writer of containers takes its locks.
        let version = if shown { Some(poller::next_version(&mut tx, installation).await?) } else { None };
        let done = sqlx::query(
            "INSERT INTO services (container_id, found, healthy, total, addresses, checked_us) \
             SELECT id, $2, $3, $4, $5, $6 FROM container WHERE id = $1 AND closed_us IS NULL \
             ON CONFLICT (container_id) DO UPDATE SET found = excluded.found, healthy = excluded.healthy, \
             total = excluded.total, addresses = excluded.addresses, checked_us = excluded.checked_us, \
             trouble = NULL, trouble_us = NULL",
        )
        .bind(id.to_string())
        .bind(json(services)?)
        .bind(i64::from(new.healthy))
        .bind(i64::from(new.total))
        .bind(json(&new.addresses)?)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(version) = version {
            sqlx::query("UPDATE container SET version = $2 WHERE id = $1")
                .bind(id.to_string())
                .bind(version)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
        tx.commit().await.map_err(fail)?;
        Ok(shown)
    }

    /// Notes that a container could not be looked into; what was found before stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_no_services(&self, id: ContainerId, why: &str, now: Micros) -> Result<()> {
        sqlx::query(
            "INSERT INTO services (container_id, trouble, trouble_us) \
             SELECT id, $2, $3 FROM container WHERE id = $1 AND closed_us IS NULL \
             ON CONFLICT (container_id) DO UPDATE SET trouble = excluded.trouble, trouble_us = excluded.trouble_us",
        )
        .bind(id.to_string())
        .bind(why.to_owned())
        .bind(now)
        .execute(&self.writer)
        .await
        .map_err(fail)?;
        Ok(())
    }

    /// What is known of the inside of a container.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn services(&self, id: ContainerId) -> Result<ServicesRecord> {
        let row = sqlx::query("SELECT * FROM services WHERE container_id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        let Some(row) = row else { return Ok(ServicesRecord::default()) };
        let trouble: Option<String> = get(&row, "trouble")?;
        let found: Option<String> = get(&row, "found")?;
        // What a newer lxcd has found and this one cannot read is as good as nothing: it looks for itself.
        let looked = match found.and_then(|found| serde_json::from_str(&found).ok()) {
            None => None,
            Some(services) => Some(Looked {
                services,
                addresses: get_json(&row, "addresses")?,
                checked: get(&row, "checked_us")?,
            }),
        };
        Ok(ServicesRecord { looked, trouble: trouble.zip(get(&row, "trouble_us")?) })
    }
}

/// The summary in a row that has [`COLUMNS`].
pub(super) fn inside(row: &AnyRow) -> Result<Option<Inside>> {
    let Some(checked) = get::<Option<Micros>>(row, "checked_us")? else { return Ok(None) };
    let count = |name| get::<i64>(row, name).map(|number| u32::try_from(number).unwrap_or(0));
    Ok(Some(Inside {
        healthy: count("healthy")?,
        total: count("total")?,
        addresses: get_json(row, "addresses")?,
        checked,
    }))
}

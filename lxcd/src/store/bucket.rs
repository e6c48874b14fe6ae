//! Buckets as rows. Owns that one is replaced as a whole or not at all; must not read or compare what is in one.

use std::collections::BTreeMap;

use lxc_core::record::{AuditRecord, BucketRecord};
use lxc_core::template::PackageList;
use sqlx::AssertSqlSafe;

use super::{Result, Store, audit, bulk, fail, get, get_json, get_parsed, json};

impl Store {
    /// Every bucket by name, or the one of that name, as they are at one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn buckets(&self, name: Option<&str>) -> Result<Vec<BucketRecord>> {
        let name = name.unwrap_or_default();
        let mut tx = self.one_moment().await?;
        let rows = sqlx::query("SELECT * FROM bucket WHERE $1 = '' OR name = $1")
            .bind(name.to_owned())
            .fetch_all(&mut *tx)
            .await
            .map_err(fail)?;
        let mut buckets = BTreeMap::new();
        for row in &rows {
            let record = BucketRecord {
                name: get(row, "name")?,
                lists: Vec::new(),
                revision: get(row, "revision")?,
                author: get(row, "author")?,
                created: get(row, "created_us")?,
                changed: get(row, "changed_us")?,
            };
            buckets.insert(record.name.clone(), record);
        }
        let rows = sqlx::query("SELECT * FROM bucket_packages WHERE $1 = '' OR bucket = $1 ORDER BY manager")
            .bind(name.to_owned())
            .fetch_all(&mut *tx)
            .await
            .map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        for row in &rows {
            let name: String = get(row, "bucket")?;
            if let Some(record) = buckets.get_mut(&name) {
                let (manager, items) = (get_parsed(row, "manager")?, get_json(row, "items")?);
                record.lists.push(PackageList { name, manager, items });
            }
        }
        Ok(buckets.into_values().collect())
    }

    /// Keeps a bucket in the place of the revision before it (of none, when it is the first), together with the record
    /// of who did it. False = somebody else was faster, and nothing is written.
    ///
    /// # Errors
    /// When the database fails; then nothing is written.
    pub async fn put_bucket(&self, record: &BucketRecord, audit: &AuditRecord) -> Result<bool> {
        let mut tx = self.write().await?;
        let sql = if record.revision == 1 {
            "INSERT INTO bucket (name, revision, author, changed_us, created_us) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO NOTHING"
        } else {
            "UPDATE bucket SET revision = $2, author = $3, changed_us = $4, created_us = $5 \
             WHERE name = $1 AND revision = $2 - 1"
        };
        let done = sqlx::query(sql)
            .bind(record.name.clone())
            .bind(record.revision)
            .bind(record.author.clone())
            .bind(record.changed)
            .bind(record.created)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM bucket_packages WHERE bucket = $1")
            .bind(record.name.clone())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        const PACKAGES: &str = "bucket_packages (bucket, manager, items)";
        if !record.lists.is_empty() {
            let sql = bulk::insert(PACKAGES, 3, record.lists.len());
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for list in &record.lists {
                query = query.bind(record.name.clone()).bind(list.manager.as_str()).bind(json(&list.items)?);
            }
            query.execute(&mut *tx).await.map_err(fail)?;
        }
        audit::insert(&mut tx, audit).await?;
        tx.commit().await.map_err(fail)?;
        Ok(true)
    }

    /// Removes a bucket, together with the record of who did it. False = there was none.
    ///
    /// # Errors
    /// When the database fails; then nothing is removed.
    pub async fn remove_bucket(&self, name: &str, audit: &AuditRecord) -> Result<bool> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM bucket WHERE name = $1")
            .bind(name.to_owned())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        audit::commit_if_done(tx, done.rows_affected(), audit).await
    }
}

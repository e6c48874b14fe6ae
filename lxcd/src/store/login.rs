//! Personal tokens as rows. The secret is a ciphertext here; opening it is the keyring's.

use lxc_core::ids::Installation;
use lxc_core::ports::StoreError;
use lxc_core::record::{AuditRecord, Login, Owner};
use sqlx::any::AnyRow;

use super::audit;
use super::{Result, Store, fail, get};

impl Store {
    /// Every personal token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logins(&self) -> Result<Vec<Login>> {
        let rows = sqlx::query("SELECT * FROM login ORDER BY installation, domain, uid")
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        rows.iter().map(login_row).collect()
    }

    /// Keeps somebody's token in the place of the one before, together with the record of who did it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_login(&self, login: &Login, audit: Option<&AuditRecord>) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO login (installation, domain, uid, name, token_id, secret, created_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (installation, domain, uid) DO UPDATE SET \
             name = excluded.name, token_id = excluded.token_id, secret = excluded.secret, \
             created_us = excluded.created_us",
        )
        .bind(login.installation.0.clone())
        .bind(login.person.domain.clone())
        .bind(i64::from(login.person.uid))
        .bind(login.name.clone())
        .bind(login.token_id.clone())
        .bind(login.secret.clone())
        .bind(login.created)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        if let Some(audit) = audit {
            audit::insert(&mut tx, audit).await?;
        }
        tx.commit().await.map_err(fail)
    }

    /// Forgets somebody's token, together with the record of who did it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_login(
        &self,
        installation: &Installation,
        person: &Owner,
        audit: &AuditRecord,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM login WHERE installation = $1 AND domain = $2 AND uid = $3")
            .bind(installation.0.clone())
            .bind(person.domain.clone())
            .bind(i64::from(person.uid))
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        audit::insert(&mut tx, audit).await?;
        tx.commit().await.map_err(fail)
    }
}

fn login_row(row: &AnyRow) -> Result<Login> {
    let uid: i64 = get(row, "uid")?;
    let uid = u32::try_from(uid).map_err(|_| StoreError::Corrupt(format!("column uid: {uid}")))?;
    Ok(Login {
        installation: Installation(get(row, "installation")?),
        person: Owner { uid, domain: get(row, "domain")? },
        name: get(row, "name")?,
        token_id: get(row, "token_id")?,
        secret: get(row, "secret")?,
        created: get(row, "created_us")?,
    })
}

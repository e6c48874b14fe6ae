//! Remotes and their pins as rows. The token secret is a ciphertext here; opening it is the keyring's.

use lxc_core::ids::Installation;
use lxc_core::record::{AuditRecord, Owner, People, Pin, RemoteRecord, Share};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::row::flag;
use super::{Connection, Result, Store, fail, get, get_json, get_parsed, json};
use super::{audit, bulk, poller, ssh};

impl Store {
    /// Every remote, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remotes(&self) -> Result<Vec<RemoteRecord>> {
        let rows =
            sqlx::query("SELECT * FROM remote ORDER BY name").fetch_all(&self.reader).await.map_err(fail)?;
        let mut remotes = rows.iter().map(remote_row).collect::<Result<Vec<_>>>()?;
        let pins = sqlx::query("SELECT * FROM pin ORDER BY remote, url")
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        for pin in &pins {
            let name: String = get(pin, "remote")?;
            if let Some(remote) = remotes.iter_mut().find(|remote| remote.name == name) {
                remote.pins.push(Pin {
                    url: get(pin, "url")?,
                    node: get(pin, "node")?,
                    fingerprint: get(pin, "fingerprint")?,
                    source: get(pin, "source")?,
                    not_after: get(pin, "not_after_us")?,
                });
            }
        }
        let shares = sqlx::query("SELECT * FROM share ORDER BY remote, who, domain")
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        for share in &shares {
            let name: String = get(share, "remote")?;
            if let Some(remote) = remotes.iter_mut().find(|remote| remote.name == name) {
                remote.people.shares.push(Share {
                    who: get(share, "who")?,
                    domain: get(share, "domain")?,
                    role: get_parsed(share, "role")?,
                });
            }
        }
        ssh::read(&self.reader, &mut remotes).await?;
        Ok(remotes)
    }

    /// Adds a remote, or replaces the one that was called `name`, together with the record of who did it.
    ///
    /// # Errors
    /// When the database fails, or the installation is known under another name (a UNIQUE violation).
    pub async fn put_remote(
        &self,
        name: &str,
        remote: &RemoteRecord,
        audit: Option<&AuditRecord>,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        if remote.is_default {
            sqlx::query("UPDATE remote SET is_default = 0 WHERE name <> $1")
                .bind(name.to_owned())
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
        put(&mut tx, name, remote).await?;
        put_pins(&mut tx, remote).await?;
        put_shares(&mut tx, remote).await?;
        ssh::put(&mut tx, remote).await?;
        if let Some(audit) = audit {
            audit::insert(&mut tx, audit).await?;
        }
        tx.commit().await.map_err(fail)
    }

    /// Removes a remote with its pins and its containers' rows, together with the record of who did it;
    /// operations, events and audit stay.
    ///
    /// # Errors
    /// When the database fails; then nothing is removed.
    pub async fn remove_remote(
        &self,
        name: &str,
        installation: &Installation,
        audit: &AuditRecord,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM remote WHERE name = $1")
            .bind(name.to_owned())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        sqlx::query("DELETE FROM login WHERE installation = $1")
            .bind(installation.0.clone())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        let version = poller::abandon(&mut tx, installation).await?;
        sqlx::query(
            "UPDATE container SET closed_us = $2, version = $3 WHERE installation = $1 AND closed_us IS NULL",
        )
        .bind(installation.0.clone())
        .bind(audit.time)
        .bind(version)
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
        audit::insert(&mut tx, audit).await?;
        tx.commit().await.map_err(fail)
    }
}

async fn put_pins(tx: &mut Connection, remote: &RemoteRecord) -> Result<()> {
    sqlx::query("DELETE FROM pin WHERE remote = $1")
        .bind(remote.name.clone())
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    const INTO: &str = "pin (remote, url, node, fingerprint, source, not_after_us)";
    for part in bulk::parts(&remote.pins) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 6, part.len())));
        for pin in part {
            query = query
                .bind(remote.name.clone())
                .bind(pin.url.clone())
                .bind(pin.node.clone())
                .bind(pin.fingerprint.clone())
                .bind(pin.source.clone())
                .bind(pin.not_after);
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

async fn put_shares(tx: &mut Connection, remote: &RemoteRecord) -> Result<()> {
    sqlx::query("DELETE FROM share WHERE remote = $1")
        .bind(remote.name.clone())
        .execute(&mut *tx)
        .await
        .map_err(fail)?;
    const INTO: &str = "share (remote, who, domain, role)";
    for part in bulk::parts(&remote.people.shares) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 4, part.len())));
        for share in part {
            query = query
                .bind(remote.name.clone())
                .bind(share.who.clone())
                .bind(share.domain.clone())
                .bind(share.role.as_str());
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

async fn put(tx: &mut Connection, name: &str, remote: &RemoteRecord) -> Result<()> {
    let known: Option<(i64,)> = sqlx::query_as("SELECT created_us FROM remote WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(&mut *tx)
        .await
        .map_err(fail)?;
    let sql = if known.is_some() {
        "UPDATE remote SET name = $2, installation = $3, urls = $4, token_id = $5, token_secret = $6, \
         ca_pem = $7, owner = $8, is_default = $9, pve_version = $10, cluster = $11, created_us = $12, \
         owner_uid = $13, owner_domain = $14 \
         WHERE name = $1"
    } else {
        "INSERT INTO remote (name, installation, urls, token_id, token_secret, ca_pem, owner, is_default, \
         pve_version, cluster, created_us, owner_uid, owner_domain) \
         SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 WHERE $1 = $1"
    };
    sqlx::query(sql)
        .bind(name.to_owned())
        .bind(remote.name.clone())
        .bind(remote.installation.0.clone())
        .bind(json(&remote.urls)?)
        .bind(remote.token_id.clone())
        .bind(remote.token_secret.clone())
        .bind(remote.ca_pem.clone())
        .bind(remote.owner.clone())
        .bind(i64::from(remote.is_default))
        .bind(remote.pve_version.clone())
        .bind(remote.cluster.clone())
        .bind(remote.created)
        .bind(remote.people.owner.as_ref().map(|owner| i64::from(owner.uid)))
        .bind(remote.people.owner.as_ref().map(|owner| owner.domain.clone()))
        .execute(tx)
        .await
        .map_err(fail)?;
    Ok(())
}

fn remote_row(row: &AnyRow) -> Result<RemoteRecord> {
    Ok(RemoteRecord {
        name: get(row, "name")?,
        installation: Installation(get(row, "installation")?),
        urls: get_json(row, "urls")?,
        token_id: get(row, "token_id")?,
        token_secret: get(row, "token_secret")?,
        ca_pem: get(row, "ca_pem")?,
        owner: get(row, "owner")?,
        is_default: flag(row, "is_default")?,
        pve_version: get(row, "pve_version")?,
        cluster: get(row, "cluster")?,
        created: get(row, "created_us")?,
        pins: Vec::new(),
        people: People { owner: owner(row)?, shares: Vec::new() },
        ssh: None,
    })
}

fn owner(row: &AnyRow) -> Result<Option<Owner>> {
    let (uid, domain): (Option<i64>, Option<String>) = (get(row, "owner_uid")?, get(row, "owner_domain")?);
    let uid = uid.and_then(|uid| u32::try_from(uid).ok());
    Ok(uid.zip(domain).map(|(uid, domain)| Owner { uid, domain }))
}

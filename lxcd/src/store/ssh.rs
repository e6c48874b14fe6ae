//! SSH accesses and host keys as rows, read and written with their remote. The secret is a ciphertext here.

use super::bound::Pool;
use super::{Connection, Result, fail, get, get_parsed};
use lxc_core::ports::StoreError;
use lxc_core::record::{RemoteRecord, SshHost, SshRecord};

/// Gives every remote its access.
pub(super) async fn read(reader: &Pool, remotes: &mut [RemoteRecord]) -> Result<()> {
    let rows = sqlx::query("SELECT * FROM ssh").fetch_all(reader).await.map_err(fail)?;
    for row in &rows {
        let name: String = get(row, "remote")?;
        let port: i64 = get(row, "port")?;
        let ssh = SshRecord {
            user: get(row, "user_name")?,
            port: u16::try_from(port).map_err(|_| StoreError::Corrupt(format!("column port: {port}")))?,
            way: get_parsed(row, "way")?,
            secret: get(row, "secret")?,
            directory: get(row, "directory")?,
            hosts: Vec::new(),
        };
        if let Some(remote) = remotes.iter_mut().find(|remote| remote.name == name) {
            remote.ssh = Some(ssh);
        }
    }
    let hosts = sqlx::query("SELECT * FROM ssh_host ORDER BY remote, node").fetch_all(reader).await;
    for host in &hosts.map_err(fail)? {
        let name: String = get(host, "remote")?;
        let remote = remotes.iter_mut().find(|remote| remote.name == name);
        if let Some(ssh) = remote.and_then(|remote| remote.ssh.as_mut()) {
            ssh.hosts.push(SshHost {
                node: get(host, "node")?,
                host: get(host, "host")?,
                fingerprint: get(host, "fingerprint")?,
            });
        }
    }
    Ok(())
}

/// Writes a remote's access in the place of the one before.
pub(super) async fn put(tx: &mut Connection, remote: &RemoteRecord) -> Result<()> {
    for sql in ["DELETE FROM ssh_host WHERE remote = $1", "DELETE FROM ssh WHERE remote = $1"] {
        sqlx::query(sql).bind(remote.name.clone()).execute(&mut *tx).await.map_err(fail)?;
    }
    let Some(ssh) = &remote.ssh else { return Ok(()) };
    sqlx::query(
        "INSERT INTO ssh (remote, user_name, port, way, secret, directory) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(remote.name.clone())
    .bind(ssh.user.clone())
    .bind(i64::from(ssh.port))
    .bind(ssh.way.as_str())
    .bind(ssh.secret.clone())
    .bind(ssh.directory.clone())
    .execute(&mut *tx)
    .await
    .map_err(fail)?;
    for host in &ssh.hosts {
        sqlx::query("INSERT INTO ssh_host (remote, node, host, fingerprint) VALUES ($1, $2, $3, $4)")
            .bind(remote.name.clone())
            .bind(host.node.clone())
            .bind(host.host.clone())
            .bind(host.fingerprint.clone())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
    }
    Ok(())
}

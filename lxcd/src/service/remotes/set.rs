//! `remote set`: another name, URL or token for the same installation. Owns the check that it stays the
//! same one.

use lxc_core::error::{Code, Error, Result};
use lxc_core::op::{Kind, Operation};
use lxc_core::record::RemoteRecord;
use secrecy::SecretString;

use super::ssh::NewSsh;
use super::urls;
use super::words::{check_name, exists};
use crate::service::access::{Caller, no_remote};
use crate::service::operations::done;
use crate::service::{Services, store_error};

/// What changes of a remote; None = stays.
#[derive(Debug, Default)]
pub struct Changes {
    /// New name.
    pub name: Option<String>,
    /// Make it the default (or not).
    pub make_default: Option<bool>,
    /// New URLs; empty = they stay.
    pub urls: Vec<String>,
    /// New token id.
    pub token_id: Option<String>,
    /// New secret.
    pub secret: Option<SecretString>,
    /// Pins for the new URLs, in their order.
    pub fingerprints: Vec<String>,
    /// SSH access: Some(None) takes it away.
    pub ssh: Option<Option<NewSsh>>,
}

impl Services {
    /// Changes a remote.
    ///
    /// # Errors
    /// When the new name is taken, or the new URL or token does not lead to the same installation.
    pub async fn set_remote(&self, caller: &Caller, name: &str, changes: Changes) -> Result<RemoteRecord> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote set", name, &remote.row.owner)?;
        let mut row = remote.row.clone();
        if let Some(new) = &changes.name {
            check_name(new)?;
            if new != name && self.registry.get(new).is_some() {
                return Err(exists(new));
            }
            row.name.clone_from(new);
        }
        row.is_default = changes.make_default.unwrap_or(row.is_default);
        let contact = !changes.urls.is_empty() || changes.token_id.is_some() || changes.secret.is_some();
        if !changes.urls.is_empty() {
            urls::take(&mut row, &changes.urls, &changes.fingerprints)?;
        }
        if let Some(id) = changes.token_id {
            row.token_id = id;
        }
        let secret = match changes.secret {
            Some(secret) => secret,
            None => self.registry.secret(&remote.row)?,
        };
        if contact {
            let client = self.registry.client(&row, secret.clone())?;
            let before = row.installation.clone();
            self.recognise(&client, &mut row).await?;
            if row.installation != before {
                let host = row.urls.first().map_or("", |url| url.trim_start_matches("https://"));
                return Err(urls::elsewhere(host, name));
            }
            self.check_urls(&mut row, &secret).await?;
        }
        row.token_secret = self.registry.seal(&row, &secret)?;
        let said = match &changes.ssh {
            None => String::new(),
            Some(None) => "no ssh".to_owned(),
            Some(Some(new)) => format!("ssh {} with {}", new.user, new.way),
        };
        match changes.ssh {
            None => {}
            Some(None) => row.ssh = None,
            Some(Some(new)) => {
                if row.ssh.as_ref().is_some_and(|ssh| ssh.directory != new.directory) {
                    self.nothing_is_made(&row).await?;
                }
                let client = self.registry.client(&row, secret)?;
                self.take_ssh(&mut row, &client, new).await?;
            }
        }
        let audit = done(&caller.actor, "remote set", name.to_owned(), self.now(), said, None);
        let remote = self.registry.put(name, row, &audit).await?;
        if remote.row.name != name {
            self.inventory.rename_remote(name, &remote.row.name);
        }
        self.bus.remotes_moved();
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        Ok(remote.row.clone())
    }

    /// What a create has begun on its node is looked for where jobs lay then, and would run once more elsewhere.
    async fn nothing_is_made(&self, row: &RemoteRecord) -> Result<()> {
        let open = self.store.open_operations().await.map_err(store_error)?;
        let here = |op: &&Operation| op.target.installation == row.installation;
        let Some(op) = open.iter().filter(here).find(|op| matches!(op.kind, Kind::Create { .. })) else {
            return Ok(());
        };
        Err(Error::new(Code::RemoteBusy, format!("a container is being made on {}", row.name))
            .because("its work on the node is followed where jobs lie now")
            .hint(format!("lxcctl op watch {}", op.id.short())))
    }
}

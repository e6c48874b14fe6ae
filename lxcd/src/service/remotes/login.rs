//! `remote login` and `remote logout`: a person's own token on a remote they may see. Owns the check that it is
//! one of the same Proxmox; it gives nobody a higher role here.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::{Login, Owner, RemoteRecord};
use secrecy::SecretString;

use super::urls::elsewhere;
use super::words::pve_error;
use crate::service::Services;
use crate::service::access::{Caller, no_remote};
use crate::service::operations::done;

impl Services {
    /// Uses a token for whatever the caller does on a remote from now on.
    ///
    /// # Errors
    /// LXC0302 when the remote is not there, LXC0603 when the token is not accepted.
    pub async fn login(
        &self,
        caller: &Caller,
        name: &str,
        token_id: &str,
        secret: &SecretString,
    ) -> Result<RemoteRecord> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "show", name, &remote.row.owner)?;
        let client = self.registry.client_as(&remote.row, token_id, secret.clone())?;
        for answer in client.installations().await.into_iter().take(1) {
            let found = answer.map_err(|error| pve_error(name, token_id, &error))?;
            if found != remote.row.installation {
                return Err(elsewhere("it", name));
            }
        }
        let login = Login {
            installation: remote.row.installation.clone(),
            person: Owner { uid: caller.actor.uid, domain: caller.actor.domain.clone() },
            name: caller.actor.name.clone(),
            token_id: token_id.to_owned(),
            secret: String::new(),
            created: self.now(),
        };
        let audit =
            done(&caller.actor, "remote login", name.to_owned(), self.now(), token_id.to_owned(), None);
        self.registry.put_login(login, secret, &audit).await?;
        self.bus.remotes_moved();
        Ok(remote.row.clone())
    }

    /// Goes back to the remote's own token.
    ///
    /// # Errors
    /// LXC0302 when the remote is not there; LXC0214 when the caller has no token of their own there.
    pub async fn logout(&self, caller: &Caller, name: &str) -> Result<RemoteRecord> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "show", name, &remote.row.owner)?;
        let login = self.registry.login_of(&remote.row.installation, &caller.actor).ok_or_else(|| {
            Error::new(Code::BadValue, format!("{} has no token of their own on {name}", caller.actor.name))
                .because(format!("what they do there is done with {}", remote.row.token_id))
                .hint(format!("lxcctl remote show {name}"))
        })?;
        let said = login.token_id.clone();
        let audit = done(&caller.actor, "remote logout", name.to_owned(), self.now(), said, None);
        self.registry.remove_login(&login, &audit).await?;
        self.bus.remotes_moved();
        Ok(remote.row.clone())
    }
}

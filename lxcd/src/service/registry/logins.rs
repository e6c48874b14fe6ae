//! Personal tokens with their clients. Owns opening and sealing of their secrets; who may have one is `remotes`'.

use std::sync::Arc;

use lxc_core::actor::Actor;
use lxc_core::error::Result;
use lxc_core::ids::Installation;
use lxc_core::record::{AuditRecord, Login, RemoteRecord};
use secrecy::SecretString;

use super::super::access::no_remote;
use super::super::store_error;
use super::{Registry, Remote};
use crate::keyring::Place;
use crate::pve::PveClient;

/// Somebody's own token, and the API as it sees it.
#[derive(Debug, Clone)]
pub(super) struct Personal {
    row: Login,
    /// The remote whose ways it goes.
    remote: RemoteRecord,
    client: Arc<PveClient>,
}

/// Where a personal secret is bound to.
pub(crate) fn login_place(row: &str) -> Place<'_> {
    Place { table: "login", row, column: "secret" }
}

impl Registry {
    /// Opens every stored personal token. One that cannot be opened is left out and logged.
    pub(super) async fn read_logins(&self) -> Result<()> {
        let mut opened = Vec::new();
        for row in self.store.logins().await.map_err(store_error)? {
            match self.personal(row.clone()) {
                Ok(personal) => opened.push(personal),
                Err(error) => {
                    tracing::error!(token = row.token_id, %error, "this personal token cannot be used")
                }
            }
        }
        *self.logins.write() = opened;
        Ok(())
    }

    fn personal(&self, row: Login) -> Result<Personal> {
        let remotes = self.all();
        let remote = remotes.iter().find(|remote| remote.row.installation == row.installation);
        let remote = remote.ok_or_else(|| no_remote(&row.installation.0))?;
        let same = |known: &&Personal| known.row == row && known.remote == remote.row;
        if let Some(known) = self.logins.read().iter().find(same) {
            return Ok(known.clone());
        }
        let secret = self.keyring.open(login_place(&row.row()), &row.secret)?;
        let client = Arc::new(self.client_as(&remote.row, &row.token_id, secret)?);
        Ok(Personal { row, remote: remote.row.clone(), client })
    }

    /// Somebody's own token on an installation.
    #[must_use]
    pub fn login_of(&self, installation: &Installation, actor: &Actor) -> Option<Login> {
        let logins = self.logins.read();
        let theirs = |login: &&Personal| {
            let person = &login.row.person;
            login.row.installation == *installation
                && person.uid == actor.uid
                && person.domain == actor.domain
        };
        logins.iter().find(theirs).map(|login| login.row.clone())
    }

    /// The API of a remote as somebody has it: through their own token, else through the shared one.
    #[must_use]
    pub fn client_of(&self, remote: &Remote, actor: &Actor) -> Arc<PveClient> {
        let installation = &remote.row.installation;
        let own = self.login_of(installation, actor);
        let own = own.and_then(|login| self.own_client(installation, &login.token_id));
        own.unwrap_or_else(|| remote.client.clone())
    }

    /// Keeps somebody's own token, sealed, and uses it from now on.
    ///
    /// # Errors
    /// When there is no randomness, or the store fails.
    pub async fn put_login(&self, mut row: Login, secret: &SecretString, audit: &AuditRecord) -> Result<()> {
        self.check_key().await?;
        row.secret = self.keyring.seal(login_place(&row.row()), secret)?;
        self.store.put_login(&row, Some(audit)).await.map_err(store_error)?;
        self.read_logins().await
    }

    /// Forgets somebody's own token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_login(&self, row: &Login, audit: &AuditRecord) -> Result<()> {
        self.store.remove_login(&row.installation, &row.person, audit).await.map_err(store_error)?;
        self.read_logins().await
    }

    /// The API of an installation through every token that somebody has there.
    #[must_use]
    pub fn own_clients(&self, installation: &Installation) -> Vec<Arc<PveClient>> {
        let logins = self.logins.read();
        let there = logins.iter().filter(|one| one.row.installation == *installation);
        there.map(|one| one.client.clone()).collect()
    }

    /// The API through the token of that name, where somebody has it.
    pub(super) fn own_client(&self, installation: &Installation, token_id: &str) -> Option<Arc<PveClient>> {
        let logins = self.logins.read();
        let meant = |one: &&Personal| one.row.installation == *installation && one.row.token_id == token_id;
        logins.iter().find(meant).map(|one| one.client.clone())
    }
}

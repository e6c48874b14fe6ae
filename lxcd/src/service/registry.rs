//! Known remotes with their clients. Owns opening and sealing of token secrets, and the way from an
//! installation to its API; must not poll or decide.

mod logins;
mod secrets;
mod ssh;

use lxc_core::record::{AuditRecord, RemoteRecord};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use lxc_core::error::{Error, Result};
use lxc_core::ids::Installation;
use lxc_core::ports::{PveApi, PveDirectory};
use parking_lot::RwLock;
use secrecy::SecretString;

use super::store_error;
use crate::keyring::Keyring;
use crate::pve::{CaBundle, Credentials, Endpoint, Options, PveClient, Trust};
use crate::store::Store;

use logins::Personal;
pub(crate) use logins::login_place;
pub(crate) use ssh::ssh_place;

/// One remote and how to talk to it.
#[derive(Debug)]
pub struct Remote {
    /// As stored.
    pub row: RemoteRecord,
    /// Its API.
    pub client: Arc<PveClient>,
}

/// Every known remote.
pub struct Registry {
    store: Store,
    keyring: Arc<Keyring>,
    options: Options,
    remotes: RwLock<BTreeMap<String, Arc<Remote>>>,
    /// Held from asking the store to changing `remotes`: what one puts there meanwhile, another who has read the store
    /// before would take away again.
    changing: tokio::sync::Mutex<()>,
    /// A remote has, or once had, an owner of its own.
    owned: AtomicBool,
    logins: RwLock<Vec<Personal>>,
    /// Why our keys are not the database's any more.
    stale: RwLock<Option<Error>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// The row of `meta` that tells whether a remote ever had an owner of its own.
const OWNED: &str = "remotes_owned";

impl Registry {
    /// Opens every stored remote. One that cannot be opened is left out and logged: it must not keep the
    /// others from working.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(store: Store, keyring: Arc<Keyring>, options: Options) -> Result<Self> {
        let registry = Self {
            store,
            keyring,
            options,
            remotes: RwLock::default(),
            changing: tokio::sync::Mutex::default(),
            owned: AtomicBool::new(false),
            logins: RwLock::default(),
            stale: RwLock::default(),
        };
        let owned = registry.store.meta(OWNED).await.map_err(store_error)?;
        registry.owned.store(owned.is_some(), Ordering::Release);
        for row in registry.store.remotes().await.map_err(store_error)? {
            match registry.open(row.clone()) {
                Ok(remote) => {
                    registry.remotes.write().insert(row.name, Arc::new(remote));
                }
                Err(error) => tracing::error!(remote = row.name, %error, "this remote cannot be used"),
            }
        }
        registry.read_logins().await?;
        Ok(registry)
    }

    /// A remote has, or once had, an owner of its own.
    #[must_use]
    pub fn has_owners(&self) -> bool {
        self.owned.load(Ordering::Acquire)
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Remote>> {
        self.remotes.read().values().cloned().collect()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Remote>> {
        self.remotes.read().get(name).cloned()
    }

    /// The one that a bare vmid means.
    #[must_use]
    pub fn default_name(&self) -> Option<String> {
        self.remotes
            .read()
            .values()
            .find(|remote| remote.row.is_default)
            .map(|remote| remote.row.name.clone())
    }

    /// A client for a URL and token, with what makes its certificate acceptable.
    ///
    /// # Errors
    /// When the token, the CA or the URL cannot be used.
    pub fn client(&self, row: &RemoteRecord, secret: SecretString) -> Result<PveClient> {
        self.client_as(row, &row.token_id, secret)
    }

    /// The same with another token.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub fn client_as(&self, row: &RemoteRecord, token_id: &str, secret: SecretString) -> Result<PveClient> {
        let ca = row.ca_pem.as_ref().map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
        let mut endpoints = Vec::new();
        for url in &row.urls {
            let node = row.pins.iter().find(|pin| pin.url == *url).and_then(|pin| pin.node.clone());
            let node = node.or_else(|| named(row, url));
            // A certificate that was learned is a node's of this installation, at whichever URL.
            let pins = row.pins.iter().filter(|pin| pin.url == *url || pin.url.starts_with("node:"));
            let pins = pins.filter_map(|pin| pin.fingerprint.parse().ok()).collect();
            endpoints.push(Endpoint { url: url.parse()?, trust: Trust { pins, ca: ca.clone() }, node });
        }
        PveClient::new(endpoints, Credentials::new(token_id, secret)?, self.options.clone())
    }

    /// Stores a remote in the place of the one called `name`, with the record of who did it, and uses it from now on.
    ///
    /// # Errors
    /// When the store fails or the remote cannot be opened.
    pub async fn put(&self, name: &str, row: RemoteRecord, audit: &AuditRecord) -> Result<Arc<Remote>> {
        self.check_key().await?;
        let _changing = self.changing.lock().await;
        // Who may see it has nothing to do with how it is reached: connections and pauses stay.
        let remote = match self.get(name) {
            Some(old) if same_contact(&old.row, &row) => {
                Remote { row: row.clone(), client: old.client.clone() }
            }
            _ => self.open(row.clone())?,
        };
        let remote = Arc::new(remote);
        if row.people.owner.is_some() && !self.owned.swap(true, Ordering::AcqRel) {
            self.store.set_meta(OWNED, "1").await.map_err(store_error)?;
        }
        self.store.put_remote(name, &row, Some(audit)).await.map_err(store_error)?;
        {
            let mut remotes = self.remotes.write();
            remotes.remove(name);
            if row.is_default {
                for other in remotes.values_mut().filter(|other| other.row.is_default) {
                    let row = RemoteRecord { is_default: false, ..other.row.clone() };
                    *other = Arc::new(Remote { row, client: other.client.clone() });
                }
            }
            remotes.insert(row.name, remote.clone());
        }
        // Personal tokens go the ways of their remote.
        self.read_logins().await?;
        Ok(remote)
    }

    /// Forgets a remote, its pins and its containers' rows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, row: &RemoteRecord, audit: &AuditRecord) -> Result<()> {
        let _changing = self.changing.lock().await;
        self.store.remove_remote(&row.name, &row.installation, audit).await.map_err(store_error)?;
        self.remotes.write().remove(&row.name);
        self.read_logins().await
    }

    /// Reads again what other daemons have changed. Answers the names that are gone and the remotes that are
    /// new or different.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reload(&self) -> Result<(Vec<String>, Vec<Arc<Remote>>)> {
        let _changing = self.changing.lock().await;
        let rows = self.store.remotes().await.map_err(store_error)?;
        if rows.iter().any(|row| row.people.owner.is_some()) {
            self.owned.store(true, Ordering::Release);
        }
        let known: BTreeMap<String, RemoteRecord> =
            self.all().iter().map(|remote| (remote.row.name.clone(), remote.row.clone())).collect();
        let gone: Vec<String> =
            known.keys().filter(|name| !rows.iter().any(|row| row.name == **name)).cloned().collect();
        let mut moved = Vec::new();
        for row in rows.into_iter().filter(|row| known.get(&row.name) != Some(row)) {
            if let Some(old) = self.get(&row.name).filter(|old| same_contact(&old.row, &row)) {
                let client = old.client.clone();
                self.remotes.write().insert(row.name.clone(), Arc::new(Remote { row, client }));
                continue;
            }
            match self.open(row.clone()) {
                Ok(remote) => moved.push(Arc::new(remote)),
                Err(error) => tracing::error!(remote = row.name, %error, "this remote cannot be used"),
            }
        }
        {
            let mut remotes = self.remotes.write();
            gone.iter().for_each(|name| drop(remotes.remove(name)));
            remotes.extend(moved.iter().map(|remote| (remote.row.name.clone(), remote.clone())));
        }
        self.read_logins().await?;
        Ok((gone, moved))
    }

    fn open(&self, row: RemoteRecord) -> Result<Remote> {
        let secret = self.secret(&row)?;
        let client = Arc::new(self.client(&row, secret)?);
        Ok(Remote { row, client })
    }
}

/// The node a URL is of by its host name: `pve1` of `https://pve1.lan:8006`.
fn named(row: &RemoteRecord, url: &str) -> Option<String> {
    let host = url.strip_prefix("https://")?.split(['.', ':']).next()?;
    row.pins.iter().filter_map(|pin| pin.node.clone()).find(|node| node == host)
}

/// Whether the API of two records is reached in the same way, whoever may see them.
fn same_contact(one: &RemoteRecord, other: &RemoteRecord) -> bool {
    let (people, ssh) = (other.people.clone(), other.ssh.clone());
    let seen = RemoteRecord { people, ssh, is_default: other.is_default, ..one.clone() };
    seen == *other
}

#[async_trait]
impl PveDirectory for Registry {
    async fn api(&self, installation: &Installation) -> Option<Arc<dyn PveApi>> {
        let remotes = self.remotes.read();
        let remote = remotes.values().find(|remote| remote.row.installation == *installation)?;
        Some(remote.client.clone())
    }
    async fn api_as(&self, installation: &Installation, login: Option<&str>) -> Option<Arc<dyn PveApi>> {
        match login.and_then(|id| self.own_client(installation, id)) {
            Some(client) => Some(client),
            None => self.api(installation).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use lxc_core::actor::Actor;

    use super::*;
    use crate::service::operations::done;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_reads_again_takes_nothing_away_that_is_just_being_added() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&dir.path().join("lxcd.db")).await.unwrap();
        let keyring = Arc::new(Keyring::generate().unwrap());
        let registry = Arc::new(Registry::load(store, keyring, Options::default()).await.unwrap());
        for number in 0..200_u32 {
            let name = format!("lab{number}");
            let mut row = RemoteRecord {
                name: name.clone(),
                installation: Installation(format!("{number:064x}")),
                urls: vec!["https://127.0.0.1:8006".to_owned()],
                token_id: "root@pam!t".to_owned(),
                token_secret: String::new(),
                ca_pem: None,
                owner: String::new(),
                people: Default::default(),
                is_default: false,
                pve_version: None,
                cluster: None,
                created: 0,
                pins: Vec::new(),
                ssh: None,
            };
            row.token_secret = registry.seal(&row, &SecretString::from("secret")).unwrap();
            let actor = Actor {
                name: "root".to_owned(),
                uid: 0,
                domain: "here".to_owned(),
                pid: 1,
                process: "lxcctl".to_owned(),
                tty: String::new(),
                login_uid: None,
                sudo_uid: None,
            };
            let audit = done(&actor, "remote add", name.clone(), 0, String::new(), None);
            let reading = tokio::spawn({
                let registry = registry.clone();
                async move { registry.reload().await }
            });
            registry.put(&name, row, &audit).await.unwrap();
            let (gone, _) = reading.await.unwrap().unwrap();
            assert!(gone.is_empty() && registry.get(&name).is_some(), "{name} was taken away again");
        }
    }
}

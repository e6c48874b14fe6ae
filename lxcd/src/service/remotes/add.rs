//! `remote add`: looking at a certificate, then recognising what is behind it. Owns the order in which
//! trust is established: no secret leaves before the certificate is accepted.

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Installation;
use lxc_core::ports::PveError;
use lxc_core::pve::Certificate;
use lxc_core::record::{People, RemoteRecord};
use lxc_core::selector::quote;
use secrecy::SecretString;

use super::urls;
use super::words::{check_name, exists, pin, pve_error, user_of};
use crate::pve::{ApiUrl, CaBundle, PveClient, probe};
use crate::service::Services;
use crate::service::access::Caller;
use crate::service::operations::done;

/// What `remote add` was given.
#[derive(Debug)]
pub struct NewRemote {
    /// Its name.
    pub name: String,
    /// Its URLs, the preferred one first.
    pub urls: Vec<String>,
    /// `user@realm!token`
    pub token_id: String,
    /// The token's secret.
    pub secret: SecretString,
    /// By URL, the certificate a person confirmed; empty = it must be vouched for or learned.
    pub fingerprints: Vec<String>,
    /// PEM of a CA to trust.
    pub ca_pem: Option<String>,
    /// Make it the default.
    pub make_default: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Added {
    /// As stored.
    pub row: RemoteRecord,
    /// Nodes whose certificates were learned from the first one.
    pub learned: Vec<String>,
    /// Said, not done.
    pub warnings: Vec<String>,
}

impl Services {
    /// Looks at the certificate of a URL.
    ///
    /// # Errors
    /// LXC0213 for a URL that cannot be one, LXC0701 when nothing answers there.
    pub async fn probe(
        &self,
        caller: &Caller,
        url: &str,
        ca_pem: Option<&str>,
    ) -> Result<(ApiUrl, Certificate)> {
        self.access.require_anywhere(caller, "remote add")?;
        let url: ApiUrl = url.parse()?;
        let ca = ca_pem.map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
        let certificate =
            probe(&url, ca.as_ref()).await.map_err(|error| pve_error(&url.authority(), "", &error))?;
        Ok((url, certificate))
    }

    /// Adds a remote.
    ///
    /// # Errors
    /// When its name is taken, its certificate, token or rights do not do, or it is known already.
    pub async fn add_remote(&self, caller: &Caller, new: NewRemote) -> Result<Added> {
        self.access.require_anywhere(caller, "remote add")?;
        check_name(&new.name)?;
        if self.registry.get(&new.name).is_some() {
            // Names are everybody's: a hidden one is taken all the same.
            return Err(exists(&new.name).hint_noted(
                format!("lxcctl remote set {} --token-id {}", new.name, quote(&new.token_id)),
                "if it is to use this token",
            ));
        }
        let mut row = RemoteRecord {
            name: new.name,
            installation: Installation(String::new()),
            urls: Vec::new(),
            token_id: new.token_id,
            token_secret: String::new(),
            ca_pem: new.ca_pem,
            owner: caller.actor.name.clone(),
            people: People { owner: self.access.owner(&caller.actor), shares: Vec::new() },
            is_default: new.make_default,
            pve_version: None,
            cluster: None,
            created: self.now(),
            pins: Vec::new(),
            ssh: None,
        };
        urls::take(&mut row, &new.urls, &new.fingerprints)?;
        // The first one tells what the others have to be.
        let first = RemoteRecord { urls: row.urls.iter().take(1).cloned().collect(), ..row.clone() };
        let client = self.registry.client(&first, new.secret.clone())?;
        let learned = self.recognise(&client, &mut row).await?;
        if let Some(known) = self.registry.all().iter().find(|r| r.row.installation == row.installation) {
            let (name, owner) = (&known.row.name, &known.row.owner);
            let two = "both show the same root certificate; under two names, two people could collide";
            return Err(if self.access.sees(caller, name) {
                Error::new(Code::SameInstallation, format!("this Proxmox is known as {name}"))
                    .because(two)
                    .hint(format!("lxcctl remote show {name}"))
            } else {
                Error::new(Code::SameInstallation, "this Proxmox is known already, and not yours to see")
                    .because(two)
                    .hint_noted("lxcctl whoami", format!("ask {owner} to share it with you"))
            });
        }
        self.check_urls(&mut row, &new.secret).await?;
        row.token_secret = self.registry.seal(&row, &new.secret)?;
        let said = row.urls.join(" ");
        let audit = done(&caller.actor, "remote add", row.name.clone(), self.now(), said, None);
        let remote = self.registry.put(&row.name.clone(), row, &audit).await?;
        self.bus.remotes_moved();
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        // Added it is, whatever the store says of the first look; the next one says more.
        let _ = self.inventory.poll_now(&remote.row.name).await;
        let warnings = self.empty_warning(&remote.row.name);
        Ok(Added { row: remote.row.clone(), learned, warnings })
    }

    /// Finds out what is behind a client: installation, version, cluster, nodes and their certificates.
    pub(super) async fn recognise(&self, client: &PveClient, row: &mut RemoteRecord) -> Result<Vec<String>> {
        let (name, token_id) = (row.name.clone(), row.token_id.clone());
        let failed = |error: PveError| pve_error(&name, &token_id, &error);
        let version = client.version().await.map_err(failed)?;
        let nodes = client.nodes().await.map_err(failed)?;
        let first = nodes.iter().find(|node| node.online).ok_or_else(|| {
            Error::new(Code::LacksPrivilege, "the token may not see any node")
                .because("Proxmox answers, with an empty list of nodes")
                .hint_noted(
                    format!("pveum acl modify / --users {} --roles PVEAuditor", user_of(&row.token_id)),
                    "on a Proxmox node",
                )
        })?;
        let certificates = client.root_ca(&first.name).await.map_err(failed)?;
        row.installation = certificates.installation;
        row.pve_version = Some(version.version);
        row.cluster = client.cluster_status().await.ok().and_then(|status| status.name);
        // Whose certificate we already know is the node behind our URL.
        let known: Vec<String> = row.pins.iter().map(|pin| pin.fingerprint.clone()).collect();
        let mut learned = Vec::new();
        for node in &nodes {
            let Some(fingerprint) = &node.fingerprint else { continue };
            if let Some(own) = row.pins.iter_mut().find(|pin| pin.fingerprint == *fingerprint) {
                own.node = Some(node.name.clone());
                let twin = format!("node:{}", node.name);
                let same = |pin: &lxc_core::record::Pin| pin.fingerprint == *fingerprint;
                if row.pins.iter().any(|pin| same(pin) && pin.url != twin) {
                    row.pins.retain(|pin| !(same(pin) && pin.url == twin));
                }
            } else if !known.is_empty() {
                let url = format!("node:{}", node.name);
                row.pins.retain(|pin| pin.url != url);
                row.pins.push(pin(&url, Some(node.name.clone()), fingerprint, "node", None)?);
                learned.push(node.name.clone());
            }
        }
        date_pins(client, row).await;
        Ok(learned)
    }

    fn empty_warning(&self, name: &str) -> Vec<String> {
        let picture = self.inventory.picture();
        let rights = picture.get(name).and_then(|view| view.rights.as_ref());
        match rights {
            Some(rights) if rights.blind() => {
                vec!["the token lacks VM.Audit, so Proxmox shows it no container at all".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// Fills in until when the pinned certificates are good, where their nodes say so. Good to know, no more:
/// a node that does not answer is no reason to fail.
async fn date_pins(client: &PveClient, row: &mut RemoteRecord) {
    let undated = row.pins.iter_mut().filter(|pin| pin.not_after.is_none());
    futures::future::join_all(undated.map(|pin| async move {
        let node = pin.node.clone()?;
        let leaf = client.root_ca(&node).await.ok()?.leaf?;
        pin.not_after = leaf.not_after.filter(|_| leaf.fingerprint.to_string() == pin.fingerprint);
        pin.not_after
    }))
    .await;
}

//! Remotes: looking at a certificate, adding, testing, trusting, changing, removing. Owns the order in
//! which trust is established: no secret leaves before the certificate is accepted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Installation;
use lxc_core::ports::PveError;
use secrecy::SecretString;

use super::access::{Caller, no_remote};
use super::operations::done;
use super::{Services, store_error};
use crate::pve::{ApiUrl, CaBundle, Certificate, PveClient, probe};
use crate::store::{PinRow, RemoteRow};

/// What `remote add` was given.
#[derive(Debug)]
pub struct NewRemote {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// `user@realm!token`
    pub token_id: String,
    /// The token's secret.
    pub secret: SecretString,
    /// The certificate a person confirmed; None = it must be vouched for.
    pub fingerprint: Option<String>,
    /// PEM of a CA to trust.
    pub ca_pem: Option<String>,
    /// Make it the default.
    pub make_default: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Added {
    /// As stored.
    pub row: RemoteRow,
    /// Nodes whose certificates were learned from the first one.
    pub learned: Vec<String>,
    /// Said, not done.
    pub warnings: Vec<String>,
}

/// A certificate now against its pin.
#[derive(Debug)]
pub struct TrustItem {
    /// Where.
    pub url: String,
    /// Pinned so far.
    pub old: Option<String>,
    /// Shown now, or why not.
    pub now: Result<Certificate, PveError>,
}

/// One question of `remote test`.
#[derive(Debug)]
pub struct RemoteCheck {
    /// What was asked for.
    pub name: &'static str,
    /// What came back, in words.
    pub detail: String,
    /// Or why nothing did.
    pub error: Option<Error>,
    /// How long it took.
    pub took: Duration,
}

impl RemoteCheck {
    fn new(remote: &str, name: &'static str, began: Instant, answer: Result<String, PveError>) -> Self {
        let took = began.elapsed();
        match answer {
            Ok(detail) => Self { name, detail, error: None, took },
            Err(error) => Self { name, detail: String::new(), error: Some(pve_error(remote, &error)), took },
        }
    }
}

/// What changes of a remote; None = stays.
#[derive(Debug, Default)]
pub struct Changes {
    /// New name.
    pub name: Option<String>,
    /// Make it the default (or not).
    pub make_default: Option<bool>,
    /// New URL.
    pub url: Option<String>,
    /// New token id.
    pub token_id: Option<String>,
    /// New secret.
    pub secret: Option<SecretString>,
    /// Pin for the new URL.
    pub fingerprint: Option<String>,
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
            probe(&url, ca.as_ref()).await.map_err(|error| pve_error(&url.authority(), &error))?;
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
            return Err(Error::new(Code::RemoteExists, format!("there is a remote {} already", new.name))
                .hint(format!("lxcctl remote show {}", new.name))
                .hint(format!("lxcctl remote set {} --token-id …", new.name)));
        }
        let url: ApiUrl = new.url.parse()?;
        let mut row = RemoteRow {
            name: new.name,
            installation: Installation(String::new()),
            urls: vec![url.to_string()],
            token_id: new.token_id,
            token_secret: String::new(),
            ca_pem: new.ca_pem,
            owner: caller.actor.name.clone(),
            is_default: new.make_default,
            pve_version: None,
            cluster: None,
            created: self.now(),
            pins: Vec::new(),
        };
        if let Some(text) = &new.fingerprint {
            row.pins.push(pin(&url.to_string(), None, text, "person", None)?);
        }
        let client = self.registry.client(&row, new.secret.clone())?;
        let learned = self.recognise(&client, &mut row).await?;
        if let Some(known) = self.registry.all().iter().find(|r| r.row.installation == row.installation) {
            return Err(Error::new(
                Code::SameInstallation,
                format!("this Proxmox is known as {}", known.row.name),
            )
            .because("both show the same root certificate; under two names, two people could collide")
            .hint(format!("lxcctl remote show {}", known.row.name)));
        }
        row.token_secret = self.registry.seal(&row, &new.secret)?;
        let remote = self.registry.put(&row.name.clone(), row).await?;
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        self.inventory.poll_now(&remote.row.name).await;
        let audit =
            done(&caller.actor, "remote add", remote.row.name.clone(), self.now(), url.to_string(), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        let warnings = self.empty_warning(&remote.row.name);
        Ok(Added { row: remote.row.clone(), learned, warnings })
    }

    /// Finds out what is behind a client: installation, version, cluster, nodes and their certificates.
    async fn recognise(&self, client: &PveClient, row: &mut RemoteRow) -> Result<Vec<String>> {
        let failed = |error: PveError| pve_error(&row.name, &error);
        let version = client.version().await.map_err(failed)?;
        let nodes = client.nodes().await.map_err(failed)?;
        let first = nodes.iter().find(|node| node.online).ok_or_else(|| {
            Error::new(Code::LacksPrivilege, "the token may not see any node")
                .because("Proxmox answers, with an empty list of nodes")
                .hint_noted("pveum acl modify / --users USER@REALM --roles PVEAuditor", "on a Proxmox node")
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
            } else if !known.is_empty() {
                let url = format!("node:{}", node.name);
                row.pins.retain(|pin| pin.url != url);
                row.pins.push(pin(&url, Some(node.name.clone()), fingerprint, "node", None)?);
                learned.push(node.name.clone());
            }
        }
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

    /// The remotes a caller may see; one, when named.
    ///
    /// # Errors
    /// LXC0302 when the named one is not there.
    pub fn remotes(&self, caller: &Caller, name: Option<&str>) -> Result<Vec<RemoteRow>> {
        self.access.enter(caller)?;
        self.check_remote(caller, name)?;
        let all = self.registry.all();
        let seen = all.iter().map(|remote| &remote.row).filter(|row| self.access.sees(caller, &row.name));
        Ok(seen.filter(|row| name.is_none_or(|name| name == row.name)).cloned().collect())
    }

    /// Asks a remote the first questions, one by one, stopping at none.
    ///
    /// # Errors
    /// LXC0302 when it is not there.
    pub async fn test_remote(&self, caller: &Caller, name: &str) -> Result<(RemoteRow, Vec<RemoteCheck>)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote test", name, &remote.row.owner)?;
        let client = &remote.client;
        let mut checks = Vec::new();
        let began = Instant::now();
        let version = client.version().await;
        let detail = |v: lxc_core::pve::Version| format!("PVE {}", v.version);
        checks.push(RemoteCheck::new(name, "api", began, version.map(detail)));
        let began = Instant::now();
        let nodes = client.nodes().await;
        let detail = |nodes: &Vec<lxc_core::pve::Node>| {
            let online = nodes.iter().filter(|node| node.online).count();
            format!("{online} of {} online", nodes.len())
        };
        checks.push(RemoteCheck::new(name, "nodes", began, nodes.as_ref().map(detail).map_err(Clone::clone)));
        for node in nodes.unwrap_or_default().iter().filter(|node| node.online) {
            let began = Instant::now();
            let list = client.list_lxc(&node.name).await;
            let detail = |list: Vec<lxc_core::pve::Live>| format!("{}: {} containers", node.name, list.len());
            checks.push(RemoteCheck::new(name, "list", began, list.map(detail)));
        }
        Ok((remote.row.clone(), checks))
    }

    /// The certificates shown now against the pins; `accept` replaces pins by what a person confirmed.
    ///
    /// # Errors
    /// LXC0302; LXC0703 when what is accepted is not what is shown.
    pub async fn trust(
        &self,
        caller: &Caller,
        name: &str,
        accept: &BTreeMap<String, String>,
    ) -> Result<(RemoteRow, Vec<TrustItem>)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote trust", name, &remote.row.owner)?;
        let mut row = remote.row.clone();
        let ca = row.ca_pem.as_ref().map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
        let mut items = Vec::new();
        for text in &row.urls {
            let url: ApiUrl = text.parse()?;
            let old = row.pins.iter().find(|pin| pin.url == *text).map(|pin| pin.fingerprint.clone());
            items.push(TrustItem { url: text.clone(), old, now: probe(&url, ca.as_ref()).await });
        }
        if accept.is_empty() {
            return Ok((row, items));
        }
        for (url, fingerprint) in accept {
            let shown = items.iter().find(|item| item.url == *url).and_then(|item| item.now.as_ref().ok());
            let new = pin(url, None, fingerprint, "person", shown.and_then(|c| c.not_after))?;
            if shown.is_none_or(|shown| shown.fingerprint.to_string() != new.fingerprint) {
                return Err(Error::new(
                    Code::CertificateChanged,
                    format!("{url} shows another certificate by now"),
                )
                .hint(format!("lxcctl remote trust {name} --rotate")));
            }
            row.pins.retain(|pin| pin.url != *url);
            row.pins.push(new);
        }
        let secret = self.registry.secret(&row)?;
        let client = self.registry.client(&row, secret)?;
        let before = row.installation.clone();
        self.recognise(&client, &mut row).await?;
        if row.installation != before {
            return Err(Error::new(Code::SameInstallation, format!("{name} is another Proxmox now"))
                .because("its root certificate has changed: containers known here are not the ones there")
                .hint_noted(format!("lxcctl remote remove {name}"), "and add it again, if that is right"));
        }
        let remote = self.registry.put(name, row).await?;
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        let audit =
            done(&caller.actor, "remote trust", name.to_owned(), self.now(), format!("{accept:?}"), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        Ok((remote.row.clone(), items))
    }

    /// Changes a remote.
    ///
    /// # Errors
    /// When the new name is taken, or the new URL or token does not lead to the same installation.
    pub async fn set_remote(&self, caller: &Caller, name: &str, changes: Changes) -> Result<RemoteRow> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote set", name, &remote.row.owner)?;
        let mut row = remote.row.clone();
        if let Some(new) = &changes.name {
            check_name(new)?;
            if new != name && self.registry.get(new).is_some() {
                return Err(Error::new(Code::RemoteExists, format!("there is a remote {new} already")));
            }
            row.name.clone_from(new);
        }
        row.is_default = changes.make_default.unwrap_or(row.is_default);
        let contact = changes.url.is_some() || changes.token_id.is_some() || changes.secret.is_some();
        if let Some(url) = &changes.url {
            let url: ApiUrl = url.parse()?;
            row.urls = vec![url.to_string()];
            if let Some(fingerprint) = &changes.fingerprint {
                row.pins.retain(|pin| pin.url != url.to_string());
                row.pins.push(pin(&url.to_string(), None, fingerprint, "person", None)?);
            }
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
                return Err(Error::new(Code::SameInstallation, "that URL leads to another Proxmox")
                    .because(format!("{name} has another root certificate"))
                    .hint("lxcctl remote add NAME URL"));
            }
        }
        row.token_secret = self.registry.seal(&row, &secret)?;
        let remote = self.registry.put(name, row).await?;
        if remote.row.name != name {
            self.inventory.rename_remote(name, &remote.row.name);
        }
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        let audit = done(&caller.actor, "remote set", name.to_owned(), self.now(), String::new(), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        Ok(remote.row.clone())
    }

    /// Removes a remote from our records; nothing changes on Proxmox. Answers how many containers go with
    /// it and how many operations still run there.
    ///
    /// # Errors
    /// LXC0507 while operations run.
    pub async fn remove_remote(&self, caller: &Caller, name: &str, dry_run: bool) -> Result<(u32, u32)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote remove", name, &remote.row.owner)?;
        let picture = self.inventory.picture();
        let containers = picture.get(name).map_or(0, |view| view.containers.len());
        let open = self.store.open_operations().await.map_err(store_error)?;
        let running = open.iter().filter(|op| op.target.installation == remote.row.installation).count();
        let counts =
            (u32::try_from(containers).unwrap_or(u32::MAX), u32::try_from(running).unwrap_or(u32::MAX));
        if dry_run {
            return Ok(counts);
        }
        if running > 0 {
            return Err(Error::new(Code::RemoteBusy, format!("{running} operations still run on {name}"))
                .because("without the remote nobody could follow them to their end")
                .hint("lxcctl op ls"));
        }
        self.inventory.drop_remote(name);
        self.registry.remove(&remote.row, self.now()).await?;
        let audit = done(&caller.actor, "remote remove", name.to_owned(), self.now(), String::new(), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        Ok(counts)
    }
}

fn pin(
    url: &str,
    node: Option<String>,
    fingerprint: &str,
    source: &str,
    not_after: Option<i64>,
) -> Result<PinRow> {
    let parsed: crate::pve::Fingerprint = fingerprint.parse().map_err(|_| {
        Error::new(Code::BadValue, "that is no SHA-256 fingerprint")
            .because("64 hex digits, with or without colons")
            .hint_noted("pvenode cert info", "on the node, shows it")
    })?;
    Ok(PinRow {
        url: url.to_owned(),
        node,
        fingerprint: parsed.to_string(),
        source: source.to_owned(),
        not_after,
    })
}

fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && name.len() <= 40 && name.chars().all(fine) {
        return Ok(());
    }
    Err(Error::new(
        Code::BadValue,
        format!("a remote cannot be called {:?}", name.chars().take(60).collect::<String>()),
    )
    .because("a letter, then letters, digits, dots, dashes or underscores, 40 at most"))
}

/// A failed question to a remote, as an answer to a person.
#[must_use]
pub fn pve_error(who: &str, error: &PveError) -> Error {
    let why = error.to_string();
    match error {
        PveError::Unauthorized(_) => {
            Error::new(Code::PveUnauthorized, format!("{who} does not accept the token"))
                .because(why)
                .hint_noted(
                    "pveum user token list USER@REALM",
                    "on a Proxmox node; a secret is shown only once",
                )
        }
        PveError::Untrusted { .. } => {
            Error::new(Code::CertificateChanged, format!("{who} shows a certificate that is not trusted"))
                .because(why)
                .hint_noted("pvenode cert info", "on the node, to compare; then --fingerprint")
        }
        PveError::Garbage(_) => {
            Error::new(Code::NotProxmox, format!("what answers at {who} is not Proxmox")).because(why)
        }
        PveError::Refused(refusal) => {
            Error::new(Code::PvePrivilege, format!("{who} refuses")).because(why).pve(refusal.text.clone())
        }
        PveError::NotDelivered(_) | PveError::Lost(_) => {
            Error::new(Code::RemoteUnreachable, format!("{who} does not answer")).because(why)
        }
    }
}

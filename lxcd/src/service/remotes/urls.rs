//! Several URLs of one remote. Owns the check that all lead to the same installation, and the pin each gets:
//! what a person gave, else that of the node whose certificate it shows.

use lxc_core::error::{Code, Error, Result};
use lxc_core::picture::UrlState;
use lxc_core::record::RemoteRecord;
use lxc_core::timing::micros;
use secrecy::SecretString;

use super::words::{pin, pve_error};
use crate::pve::{ApiUrl, CaBundle, Reach, probe};
use crate::service::Services;

/// URLs as they are kept: each once, with the pins that were given for them.
pub(super) fn take(row: &mut RemoteRecord, urls: &[String], fingerprints: &[String]) -> Result<()> {
    let mut kept: Vec<String> = Vec::new();
    for (at, text) in urls.iter().enumerate() {
        let url = text.parse::<ApiUrl>()?.to_string();
        if let Some(given) = fingerprints.get(at).filter(|given| !given.is_empty()) {
            let new = pin(&url, None, given, "person", None)?;
            row.pins.retain(|pin| pin.url != url);
            row.pins.push(new);
        }
        if !kept.contains(&url) {
            kept.push(url);
        }
    }
    row.pins.retain(|pin| kept.contains(&pin.url) || pin.url.starts_with("node:"));
    row.urls = kept;
    Ok(())
}

/// A URL that shows a certificate learned from another node is that node's from now on.
async fn learn(row: &mut RemoteRecord) -> Result<()> {
    let ca = row.ca_pem.as_ref().map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
    for text in &row.urls {
        if row.pins.iter().any(|pin| pin.url == *text) {
            continue;
        }
        let Ok(shown) = probe(&text.parse()?, ca.as_ref()).await else { continue };
        let shown = shown.fingerprint.to_string();
        if let Some(pin) =
            row.pins.iter_mut().find(|pin| pin.fingerprint == shown && pin.url.starts_with("node:"))
        {
            pin.url.clone_from(text);
        }
    }
    Ok(())
}

impl Services {
    /// How each URL of a remote does.
    #[must_use]
    pub fn url_states(&self, name: &str) -> Vec<UrlState> {
        let reach = self.registry.get(name).map(|remote| remote.client.reach()).unwrap_or_default();
        let state = |one: Reach| UrlState {
            url: one.url.to_string(),
            node: one.node,
            down: one.down.map(|(ago, why)| (self.now() - micros(ago), why)),
        };
        reach.into_iter().map(state).collect()
    }

    /// Asks each URL by itself what is behind it, and refuses when one leads elsewhere or nowhere.
    pub(super) async fn check_urls(&self, row: &mut RemoteRecord, secret: &SecretString) -> Result<()> {
        learn(row).await?;
        if row.urls.len() < 2 {
            return Ok(());
        }
        let client = self.registry.client(row, secret.clone())?;
        for (url, answer) in row.urls.iter().zip(client.installations().await) {
            let host = url.trim_start_matches("https://");
            let found = answer.map_err(|error| pve_error(host, &row.token_id, &error))?;
            if found != row.installation {
                return Err(elsewhere(host, &row.name));
            }
        }
        Ok(())
    }
}

/// A URL of another installation.
pub(super) fn elsewhere(host: &str, name: &str) -> Error {
    Error::new(Code::SameInstallation, format!("{host} leads to another Proxmox"))
        .because(format!("it has another root certificate than {name}"))
        .hint_noted("lxcctl remote ls", "another Proxmox is another remote: remote add")
}

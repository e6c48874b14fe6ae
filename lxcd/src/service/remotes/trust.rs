//! `remote trust`: the certificates shown now against the pins. Owns the replacing of pins, which only a
//! person's confirmation does.

use lxc_core::pve::Certificate;
use lxc_core::record::{Pin, RemoteRecord, SshHost};
use std::collections::BTreeMap;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::PveError;

use super::ssh::SshShown;
use super::words::pin;
use crate::pve::{ApiUrl, CaBundle, probe};
use crate::service::Services;
use crate::service::access::{Caller, no_remote};
use crate::service::operations::done;

fn is_shown(one: &SshShown, fingerprint: &str) -> bool {
    one.now.as_ref().is_ok_and(|now| now.as_str() == fingerprint)
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

impl Services {
    /// The certificates shown now against the pins; `accept` replaces pins by what a person confirmed.
    ///
    /// # Errors
    /// LXC0302; LXC0703 when what is accepted is not what is shown.
    pub async fn trust(
        &self,
        caller: &Caller,
        name: &str,
        accept: &BTreeMap<String, String>,
    ) -> Result<(RemoteRecord, Vec<TrustItem>, Vec<SshShown>)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote trust", name, &remote.row.owner)?;
        let mut row = remote.row.clone();
        let ca = row.ca_pem.as_ref().map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
        let mut items = Vec::new();
        for text in &row.urls {
            let url: ApiUrl = text.parse()?;
            let now = probe(&url, ca.as_ref()).await;
            let shown = now.as_ref().ok().map(|shown| shown.fingerprint.to_string());
            // A URL without a pin of its own may show a certificate that was learned.
            let learned =
                |pin: &&Pin| pin.url.starts_with("node:") && Some(&pin.fingerprint) == shown.as_ref();
            let old = row.pins.iter().find(|pin| pin.url == *text).or_else(|| row.pins.iter().find(learned));
            let old = old.map(|pin| pin.fingerprint.clone());
            items.push(TrustItem { url: text.clone(), old, now });
        }
        let shown = match &row.ssh {
            Some(ssh) => self.shown_ssh(&row, &remote.client, ssh.port).await.unwrap_or_default(),
            None => Vec::new(),
        };
        if accept.is_empty() {
            return Ok((row, items, shown));
        }
        for (url, fingerprint) in accept {
            if url.starts_with("ssh://") {
                self.pin_host(&mut row, &shown, url, fingerprint)?;
                continue;
            }
            let shown = items.iter().find(|item| item.url == *url).and_then(|item| item.now.as_ref().ok());
            let new = pin(url, None, fingerprint, "person", shown.and_then(|c| c.not_after))?;
            if shown.is_none_or(|shown| shown.fingerprint.to_string() != new.fingerprint) {
                return Err(Error::new(
                    Code::CertificateChanged,
                    format!("{url} shows another certificate by now"),
                )
                .because("it was exchanged between the look and the yes")
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
        let audit =
            done(&caller.actor, "remote trust", name.to_owned(), self.now(), format!("{accept:?}"), None);
        let remote = self.registry.put(name, row, &audit).await?;
        self.bus.remotes_moved();
        self.inventory.watch_remote(&remote.row, remote.client.clone());
        Ok((remote.row.clone(), items, shown))
    }

    fn pin_host(
        &self,
        row: &mut RemoteRecord,
        shown: &[SshShown],
        url: &str,
        fingerprint: &str,
    ) -> Result<()> {
        let now = shown.iter().find(|one| one.url() == url);
        let (Some(ssh), Some(now)) = (&mut row.ssh, now.filter(|now| is_shown(now, fingerprint))) else {
            return Err(Error::new(Code::HostKeyChanged, format!("{url} shows another host key by now"))
                .because("it was exchanged between the look and the yes")
                .hint(format!("lxcctl remote trust {} --rotate", row.name)));
        };
        ssh.hosts.retain(|host| host.node != now.node);
        let (node, host) = (now.node.clone(), now.host.clone());
        ssh.hosts.push(SshHost { node, host, fingerprint: fingerprint.to_owned() });
        ssh.hosts.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(())
    }
}

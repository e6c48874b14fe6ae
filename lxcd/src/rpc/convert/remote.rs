//! Remotes and certificates.

use lxc_core::error::{Code, Error, Result};
use lxc_core::picture::{RemoteView, UrlState};
use lxc_core::pve::Certificate;
use lxc_core::record::{RemoteRecord, SshRecord};
use lxc_proto::v1;
use secrecy::SecretString;

use crate::service::remotes::{NewSsh, SshShown};

pub(in crate::rpc) fn remote(row: &RemoteRecord, view: Option<&RemoteView>) -> v1::Remote {
    let trouble = view.and_then(|view| view.trouble.as_ref());
    let node_down = view.is_some_and(|view| view.nodes.values().any(|node| node.trouble.is_some()));
    let status = match (view.and_then(|view| view.polled), trouble) {
        (_, Some(trouble)) => match trouble.code {
            lxc_core::error::Code::PveUnauthorized => "unauthorized",
            lxc_core::error::Code::CertificateChanged => "untrusted",
            _ => "unreachable",
        },
        (Some(_), None) if node_down => "degraded",
        (Some(_), None) => "ok",
        (None, None) => "unknown",
    };
    v1::Remote {
        name: row.name.clone(),
        installation: row.installation.to_string(),
        urls: row.urls.clone(),
        token_id: row.token_id.clone(),
        pins: row
            .pins
            .iter()
            .map(|pin| v1::Pin {
                url: pin.url.clone(),
                node: pin.node.clone().unwrap_or_default(),
                fingerprint: pin.fingerprint.clone(),
                not_after_us: pin.not_after,
                source: pin.source.clone(),
            })
            .collect(),
        owner: row.owner.clone(),
        is_default: row.is_default,
        pve_version: row.pve_version.clone(),
        cluster: row.cluster.clone(),
        nodes: view.map(|view| view.nodes.keys().cloned().collect()).unwrap_or_default(),
        containers: view.map_or(0, |view| {
            let there = view.containers.values().filter(|entry| entry.row.gone_since.is_none());
            u32::try_from(there.count()).unwrap_or(u32::MAX)
        }),
        status: status.to_owned(),
        status_detail: trouble.map(|trouble| trouble.why.clone()).unwrap_or_default(),
        checked_us: view.and_then(|view| view.polled),
        created_us: row.created,
        has_ca: row.ca_pem.is_some(),
        url_states: Vec::new(),
        login: None,
        ssh: row.ssh.as_ref().map(ssh),
        shares: row
            .people
            .shares
            .iter()
            .map(|share| v1::Share {
                who: share.who.clone(),
                domain: share.domain.clone(),
                role: share.role.to_string(),
            })
            .collect(),
        owner_domain: row.people.owner.as_ref().map(|owner| owner.domain.clone()),
    }
}

fn ssh(ssh: &SshRecord) -> v1::Ssh {
    let hosts = ssh.hosts.iter().map(|host| v1::SshHost {
        node: host.node.clone(),
        host: host.host.clone(),
        fingerprint: host.fingerprint.clone(),
        ..Default::default()
    });
    v1::Ssh {
        user: ssh.user.clone(),
        port: u32::from(ssh.port),
        way: ssh.way.to_string(),
        directory: ssh.directory.clone(),
        hosts: hosts.collect(),
    }
}

pub(in crate::rpc) fn ssh_shown(shown: SshShown) -> v1::SshHost {
    let (fingerprint, error) = match shown.now {
        Ok(pin) => (pin.to_string(), None),
        Err(error) => (String::new(), Some(error.to_string())),
    };
    v1::SshHost { node: shown.node, host: shown.host, fingerprint, pinned: shown.old, error }
}

/// A host key among the certificates: what it is called there has `ssh://` in front.
pub(in crate::rpc) fn ssh_trust(shown: SshShown) -> v1::TrustItem {
    let url = shown.url();
    let now = shown.now.as_ref().map(ToString::to_string);
    v1::TrustItem {
        url,
        changed: now.as_ref().is_ok_and(|now| shown.old.as_ref() != Some(now)),
        old_fingerprint: shown.old.unwrap_or_default(),
        error: now.as_ref().err().map(ToString::to_string).unwrap_or_default(),
        certificate: now.ok().map(|fingerprint| v1::Certificate { fingerprint, ..Default::default() }),
        installation_changed: false,
    }
}

pub(in crate::rpc) fn new_ssh(wire: v1::SetSsh) -> Result<NewSsh> {
    let bad = |what: String| Error::new(Code::BadValue, what).hint("lxcctl remote set --help");
    Ok(NewSsh {
        user: wire.user,
        port: u16::try_from(wire.port)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| bad(format!("{} is no port", wire.port)))?,
        way: wire.way.parse().map_err(bad)?,
        secret: wire.secret.map(SecretString::from),
        directory: wire.directory,
        accepted: wire.fingerprints.into_iter().collect(),
    })
}

pub(in crate::rpc) fn url_state(state: UrlState) -> v1::UrlState {
    let (down_since_us, why) = state.down.map_or((None, String::new()), |(since, why)| (Some(since), why));
    v1::UrlState { url: state.url, node: state.node.unwrap_or_default(), down_since_us, why }
}

pub(in crate::rpc) fn certificate(certificate: &Certificate) -> v1::Certificate {
    v1::Certificate {
        fingerprint: certificate.fingerprint.to_string(),
        subject: certificate.subject.clone(),
        not_after_us: certificate.not_after.unwrap_or(0),
        vouched: certificate.vouched,
        issuer: certificate.issuer.clone(),
    }
}

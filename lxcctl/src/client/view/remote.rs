//! Remotes and their certificates.

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::ssh::Ssh;
use crate::ui::time::Instant;

/// One Proxmox installation.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Remote {
    pub kind: &'static str,
    pub name: String,
    pub installation: String,
    pub urls: Vec<String>,
    pub token_id: String,
    pub pins: Vec<Pin>,
    pub owner: String,
    pub is_default: bool,
    pub pve_version: Option<String>,
    pub cluster: Option<String>,
    pub nodes: Vec<String>,
    pub containers: u32,
    pub status: String,
    pub status_detail: Option<String>,
    pub checked_at: Option<Instant>,
    pub created_at: Instant,
    pub has_ca: bool,
    pub url_states: Vec<UrlState>,
    pub owner_domain: Option<String>,
    pub login: Option<String>,
    pub shares: Vec<Share>,
    pub ssh: Option<Ssh>,
}

/// With whom a remote is shared.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Share {
    pub who: String,
    pub domain: String,
    pub role: String,
}

impl From<pb::Share> for Share {
    fn from(s: pb::Share) -> Self {
        Self { who: s.who, domain: s.domain, role: s.role }
    }
}

/// How one URL of a remote does.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct UrlState {
    pub url: String,
    pub node: Option<String>,
    pub unreachable_since: Option<Instant>,
    pub why: Option<String>,
}

impl From<pb::UrlState> for UrlState {
    fn from(u: pb::UrlState) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            url: u.url,
            node: some(u.node),
            unreachable_since: u.down_since_us.map(Instant),
            why: some(u.why),
        }
    }
}

impl From<pb::Remote> for Remote {
    fn from(r: pb::Remote) -> Self {
        Self {
            kind: "Remote",
            name: r.name,
            installation: r.installation,
            urls: r.urls,
            token_id: r.token_id,
            pins: r.pins.into_iter().map(Pin::from).collect(),
            owner: r.owner,
            is_default: r.is_default,
            pve_version: r.pve_version,
            cluster: r.cluster,
            nodes: r.nodes,
            containers: r.containers,
            status: r.status,
            status_detail: Some(r.status_detail).filter(|text| !text.is_empty()),
            checked_at: r.checked_us.map(Instant),
            created_at: Instant(r.created_us),
            has_ca: r.has_ca,
            url_states: r.url_states.into_iter().map(UrlState::from).collect(),
            owner_domain: r.owner_domain,
            login: r.login,
            shares: r.shares.into_iter().map(Share::from).collect(),
            ssh: r.ssh.map(Ssh::from),
        }
    }
}

/// A certificate that is trusted by its fingerprint.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Pin {
    pub url: String,
    pub node: Option<String>,
    pub fingerprint: String,
    pub not_after: Option<Instant>,
    pub source: String,
}

impl From<pb::Pin> for Pin {
    fn from(p: pb::Pin) -> Self {
        Self {
            url: p.url,
            node: Some(p.node).filter(|node| !node.is_empty()),
            fingerprint: p.fingerprint,
            not_after: p.not_after_us.map(Instant),
            source: p.source,
        }
    }
}

/// A certificate as it is shown now.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Certificate {
    pub fingerprint: String,
    pub subject: String,
    pub not_after: Instant,
    pub vouched: bool,
    pub issuer: String,
}

impl From<pb::Certificate> for Certificate {
    fn from(c: pb::Certificate) -> Self {
        Self {
            fingerprint: c.fingerprint,
            subject: c.subject,
            not_after: Instant(c.not_after_us),
            vouched: c.vouched,
            issuer: c.issuer,
        }
    }
}

/// One thing `remote test` looked at.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct RemoteCheck {
    pub kind: &'static str,
    pub name: String,
    pub result: String,
    pub detail: String,
    pub latency_ms: u32,
    pub code: Option<String>,
}

impl From<pb::RemoteCheck> for RemoteCheck {
    fn from(c: pb::RemoteCheck) -> Self {
        Self {
            kind: "RemoteCheck",
            name: c.name,
            result: c.result,
            detail: c.detail,
            latency_ms: c.latency_ms,
            code: Some(c.code).filter(|code| !code.is_empty()),
        }
    }
}

/// One line of `remote doctor`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Finding {
    pub kind: &'static str,
    pub name: String,
    pub result: String,
    pub detail: String,
}

impl From<pb::Finding> for Finding {
    fn from(f: pb::Finding) -> Self {
        Self { kind: "Finding", name: f.name, result: f.result, detail: f.detail }
    }
}

/// A pin against what is shown now.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct TrustItem {
    pub kind: &'static str,
    pub url: String,
    pub old_fingerprint: Option<String>,
    pub certificate: Option<Certificate>,
    pub changed: bool,
    pub installation_changed: bool,
    pub error: Option<String>,
}

impl From<pb::TrustItem> for TrustItem {
    fn from(t: pb::TrustItem) -> Self {
        Self {
            kind: "TrustItem",
            url: t.url,
            old_fingerprint: Some(t.old_fingerprint).filter(|text| !text.is_empty()),
            certificate: t.certificate.map(Certificate::from),
            changed: t.changed,
            installation_changed: t.installation_changed,
            error: Some(t.error).filter(|text| !text.is_empty()),
        }
    }
}

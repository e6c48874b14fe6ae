//! Remotes and their pins. The token's secret is a ciphertext here; opening it is the keyring's.

use super::ssh::SshRecord;
use crate::actor::Role;
use crate::ids::{Installation, Micros};

/// One Proxmox installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRecord {
    /// Its name here.
    pub name: String,
    /// What it is.
    pub installation: Installation,
    /// API URLs, the first one preferred.
    pub urls: Vec<String>,
    /// `user@realm!token`
    pub token_id: String,
    /// Ciphertext.
    pub token_secret: String,
    /// PEM of a CA to trust instead of the system store.
    pub ca_pem: Option<String>,
    /// Who added it.
    pub owner: String,
    /// The one a bare vmid means.
    pub is_default: bool,
    /// As last seen.
    pub pve_version: Option<String>,
    /// Cluster name; None for a standalone node.
    pub cluster: Option<String>,
    /// When it was added.
    pub created: Micros,
    /// Certificates it is known by.
    pub pins: Vec<Pin>,
    /// Whose it is.
    pub people: People,
    /// How its nodes are reached over SSH; None = not at all.
    pub ssh: Option<SshRecord>,
}

/// Whose a remote is, and with whom it is shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// None = everybody's who has a role.
    pub owner: Option<Owner>,
    /// With whom it is shared.
    pub shares: Vec<Share>,
}

/// Somebody a remote belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Their uid.
    pub uid: u32,
    /// Identity domain of that uid: the same one elsewhere is somebody else.
    pub domain: String,
}

/// One `remote share`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// `bob` or `@dev`
    pub who: String,
    /// Identity domain of that name.
    pub domain: String,
    /// As what.
    pub role: Role,
}

/// A certificate that is trusted for one URL or node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// URL it is shown at.
    pub url: String,
    /// Node it belongs to, when known.
    pub node: Option<String>,
    /// SHA-256, upper-case hex with colons.
    pub fingerprint: String,
    /// `person` or `node`.
    pub source: String,
    /// When it expires.
    pub not_after: Option<Micros>,
}

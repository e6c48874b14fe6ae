//! How the nodes of a remote are reached over SSH. Without secrets, which never come here.

use lxc_proto::v1 as pb;
use serde::Serialize;

/// The access.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Ssh {
    pub user: String,
    pub port: u32,
    pub way: String,
    pub directory: Option<String>,
    pub hosts: Vec<SshHost>,
}

/// One node's SSH server with its pinned host key.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct SshHost {
    pub node: String,
    pub host: String,
    pub fingerprint: String,
}

/// What a node's SSH server shows now.
#[derive(Debug, Clone)]
pub struct SshShown {
    /// The server and its key.
    pub host: SshHost,
    /// What is pinned so far.
    pub pinned: Option<String>,
    /// Why it shows nothing.
    pub error: Option<String>,
}

impl From<pb::Ssh> for Ssh {
    fn from(s: pb::Ssh) -> Self {
        let hosts = s.hosts.into_iter().map(SshHost::from).collect();
        Self { user: s.user, port: s.port, way: s.way, directory: s.directory, hosts }
    }
}

impl From<pb::SshHost> for SshHost {
    fn from(h: pb::SshHost) -> Self {
        Self { node: h.node, host: h.host, fingerprint: h.fingerprint }
    }
}

impl From<pb::SshHost> for SshShown {
    fn from(mut h: pb::SshHost) -> Self {
        Self { pinned: h.pinned.take(), error: h.error.take(), host: h.into() }
    }
}

//! How the nodes of a remote are reached over SSH. The key or password is a ciphertext here; opening it is the
//! keyring's.

use std::fmt;
use std::str::FromStr;

/// The SSH access of a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshRecord {
    /// Who logs in.
    pub user: String,
    /// On which port, on every node.
    pub port: u16,
    /// How.
    pub way: SshWay,
    /// Ciphertext of the private key or the password; None for an agent.
    pub secret: Option<String>,
    /// Where jobs lie on the nodes; None = where they always do.
    pub directory: Option<String>,
    /// The nodes with their pinned keys.
    pub hosts: Vec<SshHost>,
}

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshWay {
    /// With a private key that is kept here.
    Key,
    /// With the keys of the agent that lxcd finds at SSH_AUTH_SOCK.
    Agent,
    /// With a password that is kept here.
    Password,
}

/// One node's SSH server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshHost {
    /// Whose.
    pub node: String,
    /// Name or address it is reached at.
    pub host: String,
    /// SHA-256 of its key, as ssh-keygen prints it.
    pub fingerprint: String,
}

impl SshWay {
    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Agent => "agent",
            Self::Password => "password",
        }
    }
}

impl fmt::Display for SshWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SshWay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Key, Self::Agent, Self::Password]
            .into_iter()
            .find(|way| way.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no way to log in over SSH"))
    }
}

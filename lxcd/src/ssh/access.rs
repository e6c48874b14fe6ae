//! How a node is reached and logged in to. Owns the words for it; must not look anything up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use lxc_core::job::Node;
use lxc_core::ports::JobError;
use russh::keys::ssh_key::{Fingerprint, HashAlg};
use secrecy::{ExposeSecret, SecretString};

/// Where jobs lie on a node, where nothing else is wished.
pub(crate) const JOBS: &str = "/var/lib/lxcd/jobs";

/// Gives the access for a node, as it is set now.
pub type AccessOf = Arc<dyn Fn(Node) -> BoxFuture<'static, Result<Access, JobError>> + Send + Sync>;

/// One node's SSH server and the log-in there.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Name or address.
    pub host: String,
    /// 22, mostly.
    pub port: u16,
    /// Who logs in; anybody but root goes through `sudo -n`.
    pub user: String,
    /// How.
    pub auth: Auth,
    /// The pinned host key. None = none yet: the server is asked for its key and told nothing.
    pub host_key: Option<HostKeyPin>,
    /// Where jobs lie on the node.
    pub job_dir: String,
}

impl Access {
    /// With the directory that everybody uses.
    #[must_use]
    pub fn new(host: &str, port: u16, user: &str, auth: Auth, host_key: Option<HostKeyPin>) -> Self {
        let (host, user) = (host.to_owned(), user.to_owned());
        Self { host, port, user, auth, host_key, job_dir: JOBS.to_owned() }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An IPv6 address has colons of its own.
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{}@{host}:{}", self.user, self.port)
    }
}

/// How somebody logs in.
#[derive(Debug, Clone)]
pub enum Auth {
    /// A private key without passphrase, in OpenSSH's, PKCS#8's or PKCS#1's PEM.
    Key(SecretString),
    /// Any key of the agent behind this socket.
    Agent(PathBuf),
    /// A password.
    Password(SecretString),
}

impl PartialEq for Auth {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(a), Self::Key(b)) | (Self::Password(a), Self::Password(b)) => {
                a.expose_secret() == b.expose_secret()
            }
            (Self::Agent(a), Self::Agent(b)) => a == b,
            _ => false,
        }
    }
}

/// The SHA-256 fingerprint of a host key as ssh-keygen prints it: `SHA256:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeyPin(String);

impl HostKeyPin {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().parse::<Fingerprint>() {
            Ok(fingerprint) if fingerprint.algorithm() == HashAlg::Sha256 => {
                Ok(Self(fingerprint.to_string()))
            }
            _ => Err(format!("{text:?} is no SHA-256 fingerprint as ssh-keygen -l prints it")),
        }
    }

    /// As ssh-keygen prints it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostKeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_what_ssh_keygen_prints() {
        let text = "SHA256:AtI3Xsn2wyZFUYhxkpIyNmEKDtEYLxYO+hqs1TQHVZo";
        assert_eq!(HostKeyPin::parse(&format!(" {text}\n")).unwrap().as_str(), text);
        let md5 = "MD5:d4:9f:6c:0b:2e:0e:64:5c:d7:27:b4:7b:12:9f:a1:3d";
        for wrong in ["", "SHA256:", "AtI3Xsn2wyZFUYhxkpIyNmEKDtEYLxYO+hqs1TQHVZo", md5, "SHA256:AtI3"] {
            HostKeyPin::parse(wrong).unwrap_err();
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = || SecretString::from("hunter2");
        for auth in [Auth::Key(secret()), Auth::Password(secret())] {
            let access = Access::new("fe80::1", 22, "root", auth, None);
            assert_eq!(access.to_string(), "root@[fe80::1]:22");
            assert!(!format!("{access:?}").contains("hunter2"));
        }
    }
}

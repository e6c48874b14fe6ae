//! Who asks, and what a role allows. Owns the roles and the verbs they open; must not look at sockets
//! or user databases (that is lxcd's `rpc::peer`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A person or program on the other end of the socket, as the kernel and the environment tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User name of `uid`, or `uid:N` when it has none.
    pub name: String,
    /// Effective uid of the peer (`SO_PEERCRED`).
    pub uid: u32,
    /// Identity domain: the host name unless configured. The same name elsewhere is somebody else.
    pub domain: String,
    /// Process id of the peer.
    pub pid: u32,
    /// Its command name.
    pub process: String,
    /// Its terminal, such as `pts/3`; empty without one.
    pub tty: String,
    /// The uid that logged in (`/proc/PID/loginuid`), whatever `su` or `sudo` made of it.
    pub login_uid: Option<u32>,
    /// `SUDO_UID` of the caller's environment: a claim, kept beside the facts.
    pub sudo_uid: Option<u32>,
}

/// What somebody may do, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Lifecycle and exec.
    Operator,
    /// Create, delete, remotes, templates, reveal.
    Admin,
}

impl Role {
    /// The word people write.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// The text was no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: viewer, operator or admin")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Viewer, Self::Operator, Self::Admin];
        all.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

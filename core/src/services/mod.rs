//! Services of a container: what `discover.sh` printed, read and judged. Owns which of them an operator cares for, how
//! each fares, and its main port and URL. Must not ask anything; what is missing in the text is missing here.

mod base;
mod docker;
mod judge;
mod listen;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use judge::judge;
pub use read::{failure, read};

/// What was printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    units: Vec<Unit>,
    openrc: Vec<Openrc>,
    images: Vec<docker::Image>,
    /// When Docker starts a container again by itself, by its id.
    policies: BTreeMap<String, String>,
    listeners: Vec<listen::Listener>,
    /// Addresses that others can reach, the one to reach it by first.
    pub addresses: Vec<IpAddr>,
    /// Service to its secrets.
    pub secrets: BTreeMap<String, Vec<Secret>>,
    /// Parts that could not be had.
    pub problems: Vec<Problem>,
    /// The last line was there: nothing was cut off.
    pub whole: bool,
}

/// A unit of systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Unit {
    /// With `.service`.
    id: String,
    oneshot: bool,
    load: String,
    active: String,
    sub: String,
    result: String,
    exit: u32,
    restarts: u32,
    pid: u32,
    group: String,
    path: String,
    file_state: String,
}

/// A service of OpenRC.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Openrc {
    name: String,
    level: String,
    state: String,
}

/// One secret of a service. Its value is there only where it was asked for, and never in Debug.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub key: String,
    /// What it is.
    pub value: Option<String>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A part that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `docker`
    pub part: String,
    /// In the words of whoever was asked.
    pub why: String,
}

/// Who runs a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A unit of systemd.
    Systemd,
    /// A service of OpenRC.
    Openrc,
    /// A container of Docker.
    Docker,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Openrc => "openrc",
            Self::Docker => "docker",
        }
    }
}

/// How a service fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It runs.
    Running,
    /// It is about to.
    Starting,
    /// It should run and was stopped, or ended without an error.
    Stopped,
    /// It failed, or fails again and again.
    Error,
}

impl Status {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// A service as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Without `.service`.
    pub name: String,
    /// Who runs it.
    pub kind: Kind,
    /// How it fares.
    pub status: Status,
    /// The port it is there for; None = it listens on none. 22 is never one.
    pub port: Option<u16>,
    /// Every port, ascending.
    pub ports: Vec<u16>,
    /// Where a browser finds it: only for ports of the web that others can reach.
    pub url: Option<String>,
    /// `exit code 203, 6 restarts`; empty = nothing to say.
    pub detail: String,
    /// How many secrets are kept for it.
    pub secrets: usize,
}

/// What a container is for, and what it brought along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    /// By name.
    pub services: Vec<Service>,
    /// Those that come with the distribution and are well: folded away. By name.
    pub system: Vec<Service>,
    /// Secrets of what is no service here, such as one that a script kept for a person: how many, by name.
    pub others: BTreeMap<String, usize>,
    /// Parts that could not be had.
    pub problems: Vec<Problem>,
}

impl Services {
    /// How many of the services run: the 3 of `3/4 services`.
    #[must_use]
    pub fn healthy(&self) -> usize {
        self.services.iter().filter(|service| service.status == Status::Running).count()
    }

    /// How many there are, system ones left out.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.services.len()
    }
}

//! What is done in a container after its start, piece by piece. Owns the pieces, their names and the phase each
//! belongs to; what a piece runs inside the container is `provision`'s.

use serde::{Deserialize, Serialize};

use super::spec::Phase;
use crate::template::Manager;

/// One piece; a durable step of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "part")]
pub enum Part {
    /// Waits until it answers: init, a route, name resolution.
    Reach,
    /// The files of the template, each by its policy.
    Files {
        /// How many.
        count: u32,
    },
    /// What one package manager is to install.
    Packages {
        /// Which one.
        manager: Manager,
        /// How many.
        count: u32,
    },
    /// One script.
    Script {
        /// `30-app.sh`
        name: String,
        /// Its place among the scripts, from 1.
        place: u32,
        /// How many there are.
        of: u32,
        /// How long it may run.
        seconds: u64,
    },
    /// Looks which services there are.
    Discover,
}

/// What is done where no template says anything: it is reached, and looked at for services and addresses.
#[must_use]
pub fn bare_parts() -> Vec<Part> {
    vec![Part::Reach, Part::Discover]
}

impl Part {
    /// Its name in `op show` and in the database.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Reach => "reach".to_owned(),
            Self::Files { .. } => "files".to_owned(),
            Self::Packages { manager, .. } => format!("packages:{manager}"),
            Self::Script { name, .. } => format!("script:{name}"),
            Self::Discover => "discover".to_owned(),
        }
    }

    /// Its phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            Self::Reach | Self::Files { .. } => Phase::Deploy,
            Self::Packages { .. } | Self::Script { .. } => Phase::Provision,
            Self::Discover => Phase::Discover,
        }
    }

    /// What is said while it is under way.
    #[must_use]
    pub fn doing(&self) -> String {
        match self {
            Self::Reach => "waiting until it answers".to_owned(),
            Self::Files { count } => crate::text::counted(u64::from(*count), "file"),
            Self::Packages { manager, count } => {
                format!("{} of {manager}", crate::text::counted(u64::from(*count), "package"))
            }
            Self::Script { name, place, of, .. } => format!("script {place}/{of} {name}"),
            Self::Discover => "looking for services".to_owned(),
        }
    }
}

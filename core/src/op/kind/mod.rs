//! The kinds of operations and the steps each consists of. Owns their parameters and names; must not
//! decide when a step is due (`op::plan`), nor what one does (`step`).

mod step;

use serde::{Deserialize, Serialize};

use crate::create::{Download, Part, Phase, Spec};
use crate::ids::OperationId;

pub use step::{Goal, StepKind, UnknownStep};

/// What was asked for. Stored as JSON together with [`Kind::VERSION`]; a daemon claims only what it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verb")]
pub enum Kind {
    /// Make it, and whatever follows.
    Create {
        /// What is made.
        spec: Box<Spec>,
        /// The operation whose marker the container carries: this one, or the first one of its retries.
        marker: OperationId,
    },
    /// Power on.
    Start,
    /// Power off now.
    Stop,
    /// Power off gracefully, with Proxmox's kill after the grace unless `force` is off.
    Shutdown {
        /// Grace in seconds, at least 1.
        grace: u32,
        /// Let Proxmox kill it when the grace is over.
        force: bool,
    },
    /// Shutdown, then start; from stopped: start only.
    Restart {
        /// Grace in seconds, at least 1.
        grace: u32,
        /// Let Proxmox kill it when the grace is over.
        force: bool,
    },
    /// Stop if running, destroy, purge from jobs and HA.
    Delete {
        /// Also free volumes that Proxmox finds by vmid alone.
        destroy_unreferenced_disks: bool,
    },
    /// Remove our record only.
    Forget,
    /// Of a newer lxcd beside this one: shown, never claimed, never written.
    #[serde(skip)]
    Newer {
        /// As it was typed there.
        verb: String,
    },
}

/// How much of a node an operation takes (ARCHITECTURE.md, rule 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Takes none of the node's slots.
    None,
    /// One of 16 per node.
    Power,
    /// One of 4 per node.
    Heavy,
}

impl Weight {
    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Power => "power",
            Self::Heavy => "heavy",
        }
    }

    /// From its name in the database.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Power, Self::Heavy].into_iter().find(|weight| weight.name() == name)
    }
}

impl Kind {
    /// The newest stored form this lxcd knows.
    pub const VERSION: i64 = 3;

    /// Of the stored form; raised when a field changes its meaning, or for a verb that older ones do not know.
    #[must_use]
    pub fn version(&self) -> i64 {
        match self {
            Self::Create { spec, .. } if spec.download.is_some() => 3,
            Self::Create { .. } => 2,
            _ => 1,
        }
    }

    /// The verb as typed.
    #[must_use]
    pub fn verb(&self) -> &str {
        match self {
            Self::Create { .. } => "create",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown { .. } => "shutdown",
            Self::Restart { .. } => "restart",
            Self::Delete { .. } => "delete",
            Self::Forget => "forget",
            Self::Newer { verb } => verb,
        }
    }

    /// Its steps, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<StepKind> {
        match self {
            Self::Create { spec, .. } => {
                let download = spec.download.iter().map(|_| (StepKind::Download, Phase::Create));
                let begun = [(StepKind::Create, Phase::Create), (StepKind::Start, Phase::Start)];
                let parts = spec.parts.iter().zip(0..).map(|(part, at)| (StepKind::Part(at), part.phase()));
                let all = download.chain(begun).chain(parts);
                let due = all.filter(|(_, phase)| *phase <= spec.stop_after);
                due.map(|(step, _)| step).collect()
            }
            Self::Start => vec![StepKind::Start],
            Self::Stop => vec![StepKind::Stop],
            Self::Shutdown { .. } => vec![StepKind::Shutdown],
            Self::Restart { .. } => vec![StepKind::Shutdown, StepKind::Start],
            Self::Delete { .. } => vec![StepKind::Delete],
            Self::Forget => vec![StepKind::Forget],
            Self::Newer { .. } => Vec::new(),
        }
    }

    /// The piece behind a step, of a create.
    #[must_use]
    pub fn part(&self, step: StepKind) -> Option<&Part> {
        match (self, step) {
            (Self::Create { spec, .. }, StepKind::Part(at)) => spec.parts.get(usize::from(at)),
            _ => None,
        }
    }

    /// What a step is called in the database and in `op show`.
    #[must_use]
    pub fn step_name(&self, step: StepKind) -> String {
        self.part(step).map_or_else(|| step.name().to_owned(), Part::name)
    }

    /// What is said of a step that begins: `script 3/5 30-app.sh`, else what it does.
    #[must_use]
    pub fn step_words(&self, step: StepKind) -> String {
        match self.download().filter(|_| step == StepKind::Download) {
            Some(download) => format!("{} {}", step.doing(), download.file),
            None => self.part(step).map_or_else(|| step.doing().to_owned(), Part::doing),
        }
    }

    /// The OS image it has to be brought first, of a create.
    #[must_use]
    pub fn download(&self) -> Option<&Download> {
        match self {
            Self::Create { spec, .. } => spec.download.as_ref(),
            _ => None,
        }
    }

    /// The phase a step belongs to, of a create.
    #[must_use]
    pub fn phase(&self, step: StepKind) -> Option<Phase> {
        match (self, step) {
            (Self::Create { .. }, StepKind::Download | StepKind::Create) => Some(Phase::Create),
            (Self::Create { .. }, StepKind::Start) => Some(Phase::Start),
            _ => self.part(step).map(Part::phase),
        }
    }

    /// Grace in seconds and whether Proxmox kills afterwards; None for kinds without one.
    #[must_use]
    pub fn grace(&self) -> Option<(u32, bool)> {
        match self {
            Self::Shutdown { grace, force } | Self::Restart { grace, force } => Some((*grace, *force)),
            _ => None,
        }
    }

    /// The first progress line, behind `op ID`: what the person waits for at most.
    #[must_use]
    pub fn opening(&self) -> String {
        match self {
            Self::Shutdown { grace, .. } => format!(", grace {}", crate::text::span(u64::from(*grace))),
            _ => String::new(),
        }
    }

    /// What it costs its node.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match self {
            Self::Forget => Weight::None,
            Self::Create { .. } | Self::Delete { .. } => Weight::Heavy,
            _ => Weight::Power,
        }
    }
}

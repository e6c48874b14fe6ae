//! The kinds of operations and the steps each consists of. Owns their parameters and names; must not
//! decide when a step is due (`op::plan`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::create::{Part, Phase, Spec};
use crate::ids::{OperationId, Vmid};
use crate::pve::{Call, Power};

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

/// One step, usually one Proxmox task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// vzcreate
    Create,
    /// One piece of what follows a start, by its place in the spec: a job on the node.
    Part(u16),
    /// vzstart
    Start,
    /// vzstop
    Stop,
    /// vzshutdown
    Shutdown,
    /// vzdestroy
    Delete,
    /// Only our own record.
    Forget,
}

/// What a step is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The container is there, ours, and no longer locked by its making.
    Made,
    /// It runs, or does not.
    Power(Power),
    /// The container is gone.
    Gone,
}

impl Kind {
    /// The newest stored form this lxcd knows.
    pub const VERSION: i64 = 2;

    /// Of the stored form; raised when a field changes its meaning, or for a verb that older ones do not know.
    #[must_use]
    pub fn version(&self) -> i64 {
        match self {
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
                let begun = [(StepKind::Create, Phase::Create), (StepKind::Start, Phase::Start)].into_iter();
                let parts = spec.parts.iter().zip(0..).map(|(part, at)| (StepKind::Part(at), part.phase()));
                let due = begun.chain(parts).filter(|(_, phase)| *phase <= spec.stop_after);
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
        self.part(step).map_or_else(|| step.doing().to_owned(), Part::doing)
    }

    /// The phase a step belongs to, of a create.
    #[must_use]
    pub fn phase(&self, step: StepKind) -> Option<Phase> {
        match (self, step) {
            (Self::Create { .. }, StepKind::Create) => Some(Phase::Create),
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

impl StepKind {
    /// Its name in the database and in `op show`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Part(_) => "part",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown => "shutdown",
            Self::Delete => "delete",
            Self::Forget => "forget",
        }
    }

    /// The participle of progress lines.
    #[must_use]
    pub fn doing(self) -> &'static str {
        match self {
            Self::Create => "creating",
            Self::Part(_) => "provisioning",
            Self::Start => "starting",
            Self::Stop | Self::Shutdown => "stopping",
            Self::Delete => "deleting",
            Self::Forget => "forgetting",
        }
    }

    /// What it is to reach.
    #[must_use]
    pub fn goal(self) -> Goal {
        match self {
            Self::Create => Goal::Made,
            Self::Start | Self::Part(_) => Goal::Power(Power::Running),
            Self::Stop | Self::Shutdown => Goal::Power(Power::Stopped),
            Self::Delete | Self::Forget => Goal::Gone,
        }
    }

    /// Whether its task may be aborted in the middle and leaves nothing half done.
    #[must_use]
    pub fn can_be_cut_off(self) -> bool {
        matches!(self, Self::Start | Self::Shutdown)
    }

    /// The call it makes; under HA, Proxmox neither forces a shutdown nor overrules one (docs/proxmox.md, HA).
    /// None for steps that call nothing.
    #[must_use]
    pub fn call(self, kind: &Kind, vmid: Vmid, ha: bool) -> Option<Call> {
        match self {
            Self::Create => {
                let Kind::Create { spec, marker } = kind else { return None };
                Some(Call::Create { options: spec.parameters(vmid, *marker) })
            }
            Self::Start => Some(Call::Start),
            Self::Stop => Some(Call::Stop { overrule_shutdown: !ha }),
            Self::Shutdown => {
                let (grace, force) = kind.grace().unwrap_or((30, true));
                Some(Call::Shutdown { timeout: grace.max(1), force_stop: force && !ha })
            }
            Self::Delete => {
                let destroy_unreferenced_disks =
                    matches!(kind, Kind::Delete { destroy_unreferenced_disks: true });
                Some(Call::Delete { force: true, destroy_unreferenced_disks })
            }
            Self::Forget | Self::Part(_) => None,
        }
    }
}

/// As it stands in the database: `start`, `part:3`.
impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(at) => write!(f, "part:{at}"),
            one => f.write_str(one.name()),
        }
    }
}

impl FromStr for StepKind {
    type Err = UnknownStep;

    fn from_str(text: &str) -> Result<Self, UnknownStep> {
        const PLAIN: [StepKind; 6] = [
            StepKind::Create,
            StepKind::Start,
            StepKind::Stop,
            StepKind::Shutdown,
            StepKind::Delete,
            StepKind::Forget,
        ];
        if let Some(at) = text.strip_prefix("part:") {
            return at.parse().map(Self::Part).map_err(|_| UnknownStep(text.to_owned()));
        }
        let plain = PLAIN.into_iter().find(|one| one.name() == text);
        plain.ok_or_else(|| UnknownStep(text.to_owned()))
    }
}

/// A step this lxcd does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no step of an operation")]
pub struct UnknownStep(String);

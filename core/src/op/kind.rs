//! The kinds of operations and the steps each consists of. Owns their parameters and names; must not
//! decide when a step is due (`op::plan`).

use serde::{Deserialize, Serialize};

use crate::pve::{Call, Power};

/// What was asked for. Stored as JSON together with [`Kind::VERSION`]; a daemon claims only what it knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verb")]
pub enum Kind {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
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

impl Kind {
    /// Of the stored form; raised when a field changes its meaning.
    pub const VERSION: i64 = 1;

    /// The verb as typed.
    #[must_use]
    pub fn verb(&self) -> &str {
        match self {
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
    pub fn steps(&self) -> &'static [StepKind] {
        match self {
            Self::Start => &[StepKind::Start],
            Self::Stop => &[StepKind::Stop],
            Self::Shutdown { .. } => &[StepKind::Shutdown],
            Self::Restart { .. } => &[StepKind::Shutdown, StepKind::Start],
            Self::Delete { .. } => &[StepKind::Delete],
            Self::Forget => &[StepKind::Forget],
            Self::Newer { .. } => &[],
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
            Self::Delete { .. } => Weight::Heavy,
            _ => Weight::Power,
        }
    }
}

impl StepKind {
    /// Its name in the database and in `op show`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
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
            Self::Start => "starting",
            Self::Stop | Self::Shutdown => "stopping",
            Self::Delete => "deleting",
            Self::Forget => "forgetting",
        }
    }

    /// The power state it is to reach; None = the container is to be gone.
    #[must_use]
    pub fn goal(self) -> Option<Power> {
        match self {
            Self::Start => Some(Power::Running),
            Self::Stop | Self::Shutdown => Some(Power::Stopped),
            Self::Delete | Self::Forget => None,
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
    pub fn call(self, kind: &Kind, ha: bool) -> Option<Call> {
        match self {
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
            Self::Forget => None,
        }
    }
}

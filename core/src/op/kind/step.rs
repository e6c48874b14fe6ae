//! The steps operations consist of: what each is called, what it is to reach and which call does it. Must not decide
//! when one is due (`op::plan`).

use std::fmt;
use std::str::FromStr;

use super::Kind;
use crate::create::Download;
use crate::ids::Vmid;
use crate::pve::{Call, Power};

/// One step, usually one Proxmox task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// download: the OS image comes to the node.
    Download,
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
    /// The OS image is on its storage; says nothing of the container.
    Image,
    /// The container is there, ours, and no longer locked by its making.
    Made,
    /// It runs, or does not.
    Power(Power),
    /// The container is gone.
    Gone,
}

impl StepKind {
    /// Its name in the database and in `op show`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
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
            Self::Download => "downloading",
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
            Self::Download => Goal::Image,
            Self::Create => Goal::Made,
            Self::Start | Self::Part(_) => Goal::Power(Power::Running),
            Self::Stop | Self::Shutdown => Goal::Power(Power::Stopped),
            Self::Delete | Self::Forget => Goal::Gone,
        }
    }

    /// Whether its task may be aborted in the middle and leaves nothing half done. A download becomes an image by its
    /// last act, which is one rename.
    #[must_use]
    pub fn can_be_cut_off(self) -> bool {
        matches!(self, Self::Download | Self::Start | Self::Shutdown)
    }

    /// The call it makes; under HA, Proxmox neither forces a shutdown nor overrules one (docs/proxmox.md, HA).
    /// None for steps that call nothing.
    #[must_use]
    pub fn call(self, kind: &Kind, vmid: Vmid, ha: bool) -> Option<Call> {
        match self {
            Self::Download => kind.download().map(|Download { storage, file }| Call::Download {
                storage: storage.clone(),
                file: file.clone(),
            }),
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
        const PLAIN: [StepKind; 7] = [
            StepKind::Download,
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

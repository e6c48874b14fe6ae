//! Events, of operations and of the inventory, as they are kept and asked for.

use serde::{Deserialize, Serialize};

use crate::ids::{ContainerId, Installation, Micros, OperationId, Vmid};
use crate::op::EventKind;

/// What an event says beside its columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventData {
    /// In words.
    pub message: String,
    /// Step, from 1, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<(u32, u32)>,
    /// Of the whole operation, 0–100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// When Proxmox kills what still runs then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forced_at: Option<Micros>,
    /// graceful, forced, unobserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Global, in commit order.
    pub cursor: i64,
    /// Operation and number in it.
    pub operation: Option<(OperationId, i64)>,
    /// When.
    pub time: Micros,
    /// Its type.
    pub kind: String,
    /// Installation it happened in.
    pub installation: Installation,
    /// Container.
    pub vmid: Vmid,
    /// Incarnation.
    pub container_id: String,
    /// remote/vmid as it was then.
    pub target: String,
    /// Host name as it was then.
    pub name: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// The rest.
    pub data: EventData,
}

impl EventRecord {
    /// The remote it happened on, as it was called then.
    #[must_use]
    pub fn remote(&self) -> &str {
        self.target.split('/').next().unwrap_or_default()
    }
}

/// An event outside of any operation: what the inventory saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its type.
    pub kind: EventKind,
    /// Installation it happened in.
    pub installation: Installation,
    /// Container.
    pub vmid: Vmid,
    /// Incarnation.
    pub container_id: ContainerId,
    /// remote/vmid.
    pub target: String,
    /// Host name.
    pub name: Option<String>,
    /// In words.
    pub message: String,
}

/// Which events a reader wants; empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Behind this cursor.
    pub after: Option<i64>,
    /// At or after.
    pub since: Option<Micros>,
    /// Types.
    pub kinds: Vec<String>,
    /// Name of who caused it.
    pub actor: String,
    /// Step, progress and log events too.
    pub detailed: bool,
    /// Only on these remotes, as they were called then; None = on all.
    pub remotes: Option<Vec<String>>,
    /// Only on this installation, whatever it was called then.
    pub installation: Option<Installation>,
    /// Only these containers; None = all.
    pub containers: Option<Vec<(Installation, Vmid)>>,
    /// At most so many: the first ones after `after`, else the last ones.
    pub limit: i64,
}

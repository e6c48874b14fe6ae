//! What Proxmox says, in our words: UPIDs, task endings, live state, refusals. Owns every fact about
//! Proxmox's texts and shapes (docs/proxmox.md); must not speak HTTP (that is lxcd's `pve`).

pub mod call;
mod certificate;
pub mod classify;
pub mod inventory;
pub mod live;
pub mod task;

pub use call::Call;
pub use certificate::{Certificate, Fingerprint};
pub use classify::{Refusal, RefusalKind};
pub use inventory::{ClusterMember, ClusterStatus, Node, NodeStatus, Permissions, Resource, Version};
pub use live::{Config, Ha, Interface, Live, Placement, Power, Usage};
pub use task::{TaskEntry, TaskExit, TaskStatus, Upid};

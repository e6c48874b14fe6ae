//! Wake-ups inside this process: "operation X has more to tell", "the queue may move", "the listing may
//! differ". Carries no data and may lose messages to slow readers, who then read the store again.

pub mod redis;

use lxc_core::ids::{Installation, OperationId, Vmid};
use tokio::sync::{Notify, broadcast, watch};

/// How many wake-ups a slow reader may fall behind before it is told that it did.
const BEHIND: usize = 1024;

/// What an operation has found out in passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The row of this container has changed.
    Container(Installation, Vmid),
    /// A node does not answer. A hint, no record: the next poll may know better.
    Silent {
        /// Where.
        installation: Installation,
        /// Which.
        node: String,
        /// In words.
        why: String,
    },
}

/// The in-process bus.
#[derive(Debug)]
pub struct Bus {
    operations: broadcast::Sender<OperationId>,
    findings: broadcast::Sender<Finding>,
    queue: Notify,
    inventory: watch::Sender<u64>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            operations: broadcast::Sender::new(BEHIND),
            findings: broadcast::Sender::new(BEHIND),
            queue: Notify::new(),
            inventory: watch::Sender::new(0),
        }
    }
}

impl Bus {
    /// An operation has new events, or has ended.
    pub fn operation_moved(&self, id: OperationId) {
        // Nobody listening is fine.
        let _ = self.operations.send(id);
    }

    /// Every operation that moves from now on; `Lagged` means: read the store again.
    #[must_use]
    pub fn operations(&self) -> broadcast::Receiver<OperationId> {
        self.operations.subscribe()
    }

    /// How many listen for operations right now.
    #[must_use]
    pub fn watchers(&self) -> u32 {
        u32::try_from(self.operations.receiver_count()).unwrap_or(u32::MAX)
    }

    /// An operation has found out something about a container, and has written it.
    pub fn container_moved(&self, installation: &Installation, vmid: Vmid) {
        let _ = self.findings.send(Finding::Container(installation.clone(), vmid));
    }

    /// An operation could not reach a node.
    pub fn node_silent(&self, installation: &Installation, node: &str, why: &str) {
        let (installation, node, why) = (installation.clone(), node.to_owned(), why.to_owned());
        let _ = self.findings.send(Finding::Silent { installation, node, why });
    }

    /// What operations find out from now on; `Lagged` means: read the store again.
    #[must_use]
    pub fn findings(&self) -> broadcast::Receiver<Finding> {
        self.findings.subscribe()
    }

    /// A lock or a slot was freed, or something was submitted.
    pub fn queue_moved(&self) {
        self.queue.notify_one();
    }

    /// Waits for [`Self::queue_moved`].
    pub async fn queue(&self) {
        self.queue.notified().await;
    }

    /// A row of the listing may differ.
    pub fn inventory_moved(&self) {
        self.inventory.send_modify(|version| *version += 1);
    }

    /// Changes of the listing; only the latest counts.
    #[must_use]
    pub fn inventory(&self) -> watch::Receiver<u64> {
        self.inventory.subscribe()
    }
}

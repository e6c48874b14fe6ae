//! Wake-ups: "operation X has more to tell", "the queue may move", "the listing may differ". Inside this process
//! and, where several daemons share a database, between them (`relay`). Carries no data and may lose messages
//! to slow readers, who then read the store again.

mod redis;
mod relay;

use std::time::Duration;

use lxc_core::ids::{Installation, OperationId, Vmid};
use lxc_core::wake::Wake;
use tokio::sync::{Notify, broadcast, mpsc, watch};

pub use self::redis::{Health, Redis, RedisRelay};
pub use self::relay::{Carried, carry};

/// How many wake-ups a slow reader may fall behind before it is told that it did.
const BEHIND: usize = 1024;

/// What an operation, here or elsewhere, has found out in passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The row of this container has changed.
    Container(Installation, Vmid),
    /// Rows of this installation have changed.
    Rows(Installation),
    /// Somebody asks for a poll of this installation, or nobody polls it any more.
    Poll(Installation),
    /// A node does not answer. A hint, no record: the next poll may know better.
    Silent {
        /// Where.
        installation: Installation,
        /// Which.
        node: String,
        /// In words.
        why: String,
    },
    /// Nobody knows what was missed: read everything.
    Anything,
}

/// An operation that has ended in this daemon's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What was asked for.
    pub verb: String,
    /// succeeded, failed, cancelled, needs_attention.
    pub state: &'static str,
    /// From its submit to its admission.
    pub waited: Duration,
    /// From its admission to its end.
    pub took: Duration,
}

/// The bus of one process.
#[derive(Debug)]
pub struct Bus {
    operations: broadcast::Sender<Option<OperationId>>,
    wishes: broadcast::Sender<Option<OperationId>>,
    findings: broadcast::Sender<Finding>,
    ended: broadcast::Sender<Ended>,
    queue: Notify,
    inventory: watch::Sender<u64>,
    remotes: watch::Sender<u64>,
    drains: watch::Sender<u64>,
    /// To the other daemons; full or closed, they find out a little later.
    outward: Option<mpsc::Sender<Wake>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            operations: broadcast::Sender::new(BEHIND),
            wishes: broadcast::Sender::new(BEHIND),
            findings: broadcast::Sender::new(BEHIND),
            ended: broadcast::Sender::new(BEHIND),
            queue: Notify::new(),
            inventory: watch::Sender::new(0),
            remotes: watch::Sender::new(0),
            drains: watch::Sender::new(0),
            outward: None,
        }
    }
}

/// Whoever is woken for operations; see [`Bus::operations`].
#[derive(Debug)]
pub struct Woken(broadcast::Receiver<Option<OperationId>>);

impl Woken {
    /// The next operation that moved; None = any may have. Ends never: the bus outlives its readers.
    pub async fn next(&mut self) -> Option<OperationId> {
        // Lagged = messages were lost, which is as good as any.
        self.0.recv().await.unwrap_or(None)
    }

    /// One more that has moved already, if there is one: as [`Self::next`], without waiting.
    pub fn ready(&mut self) -> Option<Option<OperationId>> {
        match self.0.try_recv() {
            Ok(moved) => Some(moved),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(None),
            Err(_) => None,
        }
    }
}

/// Whoever follows findings; see [`Bus::findings`].
#[derive(Debug)]
pub struct Found(broadcast::Receiver<Finding>);

impl Found {
    /// What was found out next.
    pub async fn next(&mut self) -> Finding {
        self.0.recv().await.unwrap_or(Finding::Anything)
    }
}

impl Bus {
    /// A bus that also tells other daemons, and what is to be carried to them.
    #[must_use]
    pub fn shared() -> (Self, mpsc::Receiver<Wake>) {
        let (outward, carried) = mpsc::channel(BEHIND);
        (Self { outward: Some(outward), ..Self::default() }, carried)
    }

    /// What moved, here and elsewhere.
    fn tell(&self, wake: Wake) {
        if let Some(outward) = &self.outward {
            // Full = many at once, and whoever reads them reads all that moved.
            let _ = outward.try_send(wake.clone());
        }
        self.hear(wake);
    }

    /// What another daemon says moved.
    pub fn hear(&self, wake: Wake) {
        // Nobody listening is fine in each case.
        match wake {
            Wake::Operation(id) => drop(self.operations.send(Some(id))),
            Wake::Wish(id) => drop(self.wishes.send(Some(id))),
            Wake::Container(installation, vmid) => {
                let _ = self.findings.send(Finding::Container(installation, vmid));
            }
            Wake::Inventory(installation) => {
                let _ = self.findings.send(Finding::Rows(installation));
                self.inventory_moved();
            }
            Wake::Poll(installation) => drop(self.findings.send(Finding::Poll(installation))),
            Wake::Queue => self.queue.notify_one(),
            Wake::Drain => self.drains.send_modify(|version| *version += 1),
            Wake::Remotes => self.remotes.send_modify(|version| *version += 1),
            Wake::Anything => {
                let _ = (self.operations.send(None), self.wishes.send(None));
                let _ = self.findings.send(Finding::Anything);
                self.queue.notify_one();
                self.inventory_moved();
                self.remotes.send_modify(|version| *version += 1);
                self.drains.send_modify(|version| *version += 1);
            }
        }
    }

    /// An operation has new events, or has ended.
    pub fn operation_moved(&self, id: OperationId) {
        self.tell(Wake::Operation(id));
    }

    /// An operation has ended here.
    pub fn operation_ended(&self, ended: Ended) {
        let _ = self.ended.send(ended);
    }

    /// Every operation that ends here from now on; a slow reader misses some.
    #[must_use]
    pub fn ended(&self) -> broadcast::Receiver<Ended> {
        self.ended.subscribe()
    }

    /// Every operation that moves from now on.
    #[must_use]
    pub fn operations(&self) -> Woken {
        Woken(self.operations.subscribe())
    }

    /// How many listen for operations right now.
    #[must_use]
    pub fn watchers(&self) -> u32 {
        u32::try_from(self.operations.receiver_count()).unwrap_or(u32::MAX)
    }

    /// A person wishes something of an operation.
    pub fn wished(&self, id: OperationId) {
        self.tell(Wake::Wish(id));
    }

    /// Every operation that something is wished of from now on.
    #[must_use]
    pub fn wishes(&self) -> Woken {
        Woken(self.wishes.subscribe())
    }

    /// An operation has found out something about a container, and has written it.
    pub fn container_moved(&self, installation: &Installation, vmid: Vmid) {
        self.tell(Wake::Container(installation.clone(), vmid));
    }

    /// An operation could not reach a node.
    pub fn node_silent(&self, installation: &Installation, node: &str, why: &str) {
        let (installation, node, why) = (installation.clone(), node.to_owned(), why.to_owned());
        let _ = self.findings.send(Finding::Silent { installation, node, why });
    }

    /// What is found out from now on.
    #[must_use]
    pub fn findings(&self) -> Found {
        Found(self.findings.subscribe())
    }

    /// A lock or a slot was freed, or something was submitted.
    pub fn queue_moved(&self) {
        self.tell(Wake::Queue);
    }

    /// Waits for [`Self::queue_moved`].
    pub async fn queue(&self) {
        self.queue.notified().await;
    }

    /// A row of the listing may differ.
    pub fn inventory_moved(&self) {
        self.inventory.send_modify(|version| *version += 1);
    }

    /// Rows of an installation, or what happened to them, were written for all to read.
    pub fn rows_written(&self, installation: &Installation) {
        if let Some(outward) = &self.outward {
            // As in `tell`; here the picture has them already.
            let _ = outward.try_send(Wake::Inventory(installation.clone()));
        }
        self.inventory_moved();
    }

    /// A poll of an installation is wanted of whoever polls it, or may by now.
    pub fn poll_wanted(&self, installation: &Installation) {
        if let Some(outward) = &self.outward {
            // As in `tell`; who asks does not poll.
            let _ = outward.try_send(Wake::Poll(installation.clone()));
        }
    }

    /// A daemon was asked to hand over.
    pub fn drain_wanted(&self) {
        self.tell(Wake::Drain);
    }

    /// Wishes that a daemon hand over; only the latest counts.
    #[must_use]
    pub fn drains(&self) -> watch::Receiver<u64> {
        self.drains.subscribe()
    }

    /// Changes of the listing; only the latest counts.
    #[must_use]
    pub fn inventory(&self) -> watch::Receiver<u64> {
        self.inventory.subscribe()
    }

    /// A remote was added, changed or removed.
    pub fn remotes_moved(&self) {
        if let Some(outward) = &self.outward {
            // As in `tell`; here it is known already.
            let _ = outward.try_send(Wake::Remotes);
        }
    }

    /// Changes of the remotes by other daemons; only the latest counts.
    #[must_use]
    pub fn remotes(&self) -> watch::Receiver<u64> {
        self.remotes.subscribe()
    }
}

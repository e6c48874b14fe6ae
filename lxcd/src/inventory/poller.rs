//! [`Inventory`]: the picture, and one poller per remote that keeps it. Owns who is polled and how long a
//! listing waits for that; what a poll does is `round`'s, what operations add is `findings`'.

use lxc_core::picture::{Entry, Freshness, Picture, RemoteView};
use lxc_core::record::RemoteRecord;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use lxc_core::ids::{DaemonId, Installation};
use lxc_core::ports::Clock;
use lxc_core::timing::{Timing, micros};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::shared::Known;
use super::unwritten::Unwritten;
use crate::bus::Bus;
use crate::pve::PveClient;
use crate::store::{self, Store};

/// How long a listing waits for a poll that is due before it shows what it has.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long `--fresh` waits: longer than Proxmox waits for its own nodes.
const FRESH: Duration = Duration::from_secs(40);

/// Everything that is known to be out there.
pub struct Inventory {
    pub(super) store: Store,
    pub(super) bus: Arc<Bus>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Timing,
    picture: RwLock<Arc<Picture>>,
    /// What was seen and is not in the store yet.
    pub(super) unwritten: Mutex<BTreeMap<Installation, Unwritten>>,
    pub(super) me: DaemonId,
    /// What this daemon polls; the others do not.
    pub(super) held: Mutex<HashSet<Installation>>,
    pub(super) known: tokio::sync::Mutex<Known>,
    /// Nothing is polled here any more, for good.
    pub(super) handed_over: CancellationToken,
    pub(super) looked: AtomicI64,
    pollers: Mutex<BTreeMap<String, Poller>>,
    tracker: TaskTracker,
    pub(super) stop: CancellationToken,
}

#[derive(Clone)]
pub(super) struct Poller {
    pub(super) client: Arc<PveClient>,
    /// Counts requests for a poll …
    pub(super) wanted: watch::Sender<u64>,
    /// … and polls done; a poll answers every request made before it began.
    pub(super) done: watch::Sender<u64>,
    /// Nobody may poll it any more: see at once.
    pub(super) kicked: Arc<Notify>,
    pub(super) stop: CancellationToken,
}

impl Inventory {
    /// An inventory that knows what the store knows, and polls nothing yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(
        store: Store,
        bus: Arc<Bus>,
        clock: Arc<dyn Clock>,
        timing: Timing,
        remotes: &[RemoteRecord],
        me: DaemonId,
    ) -> crate::store::Result<Arc<Self>> {
        let mut picture = Picture::new();
        for remote in remotes {
            let mut view = RemoteView::new(&remote.name, &remote.installation);
            for row in store.containers(Some(&remote.installation)).await? {
                let entry = Entry::new(row, Freshness::Cached);
                view.containers.insert(entry.row.vmid, Arc::new(entry));
            }
            picture.insert(remote.name.clone(), Arc::new(view));
        }
        let inventory = Arc::new(Self {
            store,
            bus,
            clock,
            timing,
            picture: RwLock::new(Arc::new(picture)),
            unwritten: Mutex::default(),
            me,
            held: Mutex::default(),
            known: tokio::sync::Mutex::default(),
            handed_over: CancellationToken::new(),
            looked: AtomicI64::new(0),
            pollers: Mutex::default(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        inventory.catch_up().await;
        Ok(inventory)
    }

    /// The picture as it is now.
    #[must_use]
    pub fn picture(&self) -> Arc<Picture> {
        self.picture.read().clone()
    }

    /// Polls a remote from now on, with this client; replaces an earlier poller of that name.
    pub fn watch_remote(self: &Arc<Self>, remote: &RemoteRecord, client: Arc<PveClient>) {
        let poller = Poller {
            client,
            wanted: watch::Sender::new(0),
            done: watch::Sender::new(0),
            kicked: Arc::default(),
            stop: self.stop.child_token(),
        };
        if let Some(old) = self.pollers.lock().insert(remote.name.clone(), poller.clone()) {
            old.stop.cancel();
        }
        self.change(|picture| {
            let view = || Arc::new(RemoteView::new(&remote.name, &remote.installation));
            picture.entry(remote.name.clone()).or_insert_with(view);
        });
        let (inventory, name) = (self.clone(), remote.name.clone());
        self.tracker.spawn(async move { inventory.poll_remote(&name, poller).await });
    }

    /// Polls a remote that another daemon has added or changed: what that one knows is known here first.
    pub async fn meet_remote(self: &Arc<Self>, remote: &RemoteRecord, client: Arc<PveClient>) {
        self.change(|picture| {
            let view = || Arc::new(RemoteView::new(&remote.name, &remote.installation));
            picture.entry(remote.name.clone()).or_insert_with(view);
        });
        self.known.lock().await.remove(&remote.installation);
        self.catch_up().await;
        self.watch_remote(remote, client);
    }

    /// Forgets a remote.
    pub fn drop_remote(&self, name: &str) {
        if let Some(poller) = self.pollers.lock().remove(name) {
            poller.stop.cancel();
        }
        self.change(|picture| {
            if let Some(view) = picture.remove(name) {
                self.unwritten.lock().remove(&view.installation);
                self.held.lock().remove(&view.installation);
            }
        });
    }

    /// A remote is called otherwise from now on; what is known of it stays known. Its poller is begun anew.
    pub fn rename_remote(&self, old: &str, new: &str) {
        if let Some(poller) = self.pollers.lock().remove(old) {
            poller.stop.cancel();
        }
        self.change(|picture| {
            if let Some(mut view) = picture.remove(old) {
                Arc::make_mut(&mut view).name = new.to_owned();
                picture.insert(new.to_owned(), view);
            }
        });
    }

    /// The picture for a listing: a remote whose poll is due is polled first, for as long as a person
    /// does not notice; with `fresh`, for as long as it takes. A store that does not answer does not keep anybody from
    /// what is known here: it comes with what was wrong.
    pub async fn look(&self, fresh: bool) -> (Arc<Picture>, store::Result<()>) {
        let now = self.clock.now();
        self.looked.store(now, Ordering::Release);
        let (picture, current) = match self.current().await {
            Ok(picture) => (picture, Ok(())),
            // A poll asks the store too: whoever waited for that one waits for no other.
            Err(error) if !fresh => return (self.picture(), Err(error)),
            Err(error) => (self.picture(), Err(error)),
        };
        let due = |view: &RemoteView| {
            fresh
                || view.polled.is_none_or(|at| now.abs_diff(at) > micros(self.timing.sample.0).unsigned_abs())
        };
        let pollers: Vec<Poller> = {
            let pollers = self.pollers.lock();
            picture.values().filter(|v| due(v)).filter_map(|v| pollers.get(&v.name).cloned()).collect()
        };
        if pollers.is_empty() {
            return (picture, current);
        }
        let patience = if fresh { FRESH } else { PATIENCE };
        let polls = join_all(pollers.iter().map(Poller::poll));
        tokio::select! {
            _ = polls => {}
            () = self.clock.sleep(patience) => {}
        }
        (self.picture(), current)
    }

    /// Polls one remote now and waits for the answer.
    pub async fn poll_now(&self, name: &str) {
        let poller = self.pollers.lock().get(name).cloned();
        if let Some(poller) = poller {
            poller.poll().await;
        }
    }

    /// Has one remote polled soon; waits for nothing.
    pub(super) fn poll_soon(&self, name: &str) {
        if let Some(poller) = self.pollers.lock().get(name) {
            poller.wanted.send_modify(|count| *count += 1);
        }
    }

    /// Has one remote's poller see at once whether it is the one that polls.
    pub(super) fn kick(&self, name: &str) {
        if let Some(poller) = self.pollers.lock().get(name) {
            poller.kicked.notify_one();
        }
    }

    /// Stops every poller.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Edits the picture, and tells that it may differ.
    pub(super) fn change(&self, edit: impl FnOnce(&mut Picture)) {
        edit(Arc::make_mut(&mut *self.picture.write()));
        self.bus.inventory_moved();
    }
}

impl Poller {
    /// Asks for a poll and waits for one that began afterwards.
    async fn poll(&self) {
        let mut done = self.done.subscribe();
        self.wanted.send_modify(|count| *count += 1);
        let mine = *self.wanted.borrow();
        tokio::select! {
            _ = done.wait_for(|answered| *answered >= mine) => {}
            // The remote was removed meanwhile, or another poller has taken this one's place.
            () = self.stop.cancelled() => {}
        }
    }
}

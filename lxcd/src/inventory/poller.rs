//! [`Inventory`]: the picture, and one poller per remote that keeps it. Owns who is polled and how long a
//! listing waits for that; what a poll does is `round`'s, what operations add is `findings`'.

use lxc_core::picture::{Entry, Freshness, Picture, RemoteView};
use lxc_core::record::RemoteRecord;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use lxc_core::ids::{DaemonId, Installation, Micros};
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

/// A poll that was done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    /// The last request it answers.
    pub(super) answered: u64,
    /// Whether it came to asking Proxmox: what the store does not say keeps a poll from it.
    pub(super) went: store::Result<()>,
}

/// What came of asking for a look at everything.
#[derive(Debug)]
pub struct Looked {
    /// As it is now.
    pub picture: Arc<Picture>,
    /// What was wrong with the store, of which the picture is then no more than a memory.
    pub store: store::Result<()>,
    /// Remotes whose answer nobody waited for any longer.
    pub late: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Poller {
    pub(super) client: Arc<PveClient>,
    /// Counts requests for a poll …
    pub(super) wanted: watch::Sender<u64>,
    /// … and polls done; a poll answers every request made before it began.
    pub(super) done: watch::Sender<Done>,
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

    /// Whether this daemon polls an installation.
    #[must_use]
    pub fn polls(&self, installation: &Installation) -> bool {
        self.held.lock().contains(installation)
    }

    /// When somebody listed last.
    #[must_use]
    pub fn looked_at(&self) -> Micros {
        self.looked.load(Ordering::Acquire)
    }

    /// Polls a remote from now on, with this client; replaces an earlier poller of that name.
    pub fn watch_remote(self: &Arc<Self>, remote: &RemoteRecord, client: Arc<PveClient>) {
        let poller = Poller {
            client,
            wanted: watch::Sender::new(0),
            done: watch::Sender::new(Done { answered: 0, went: Ok(()) }),
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
        let Looked { picture, store, .. } = if fresh { self.look_again().await } else { self.glance().await };
        (picture, store)
    }

    async fn glance(&self) -> Looked {
        let now = self.clock.now();
        self.looked.store(now, Ordering::Release);
        let picture = match self.current().await {
            Ok(picture) => picture,
            // A poll asks the store too: whoever waited for that one waits for no other.
            Err(error) => return Looked { picture: self.picture(), store: Err(error), late: Vec::new() },
        };
        let often = micros(self.timing.sample.0).unsigned_abs();
        let due = |view: &RemoteView| view.polled.is_none_or(|at| now.abs_diff(at) > often);
        let due: Vec<&String> = picture.iter().filter(|(_, view)| due(view)).map(|(name, _)| name).collect();
        if due.is_empty() {
            return Looked { picture, store: Ok(()), late: Vec::new() };
        }
        // What was not seen now was seen a moment ago, and says when.
        join_all(due.into_iter().map(|name| self.polled(name, PATIENCE))).await;
        Looked { picture: self.picture(), store: Ok(()), late: Vec::new() }
    }

    /// The picture after a poll of every remote that began now, and what kept any of them from it: what is not in it
    /// is only then not there.
    pub async fn look_again(&self) -> Looked {
        self.looked.store(self.clock.now(), Ordering::Release);
        let (picture, mut store) = match self.current().await {
            Ok(picture) => (picture, Ok(())),
            Err(error) => (self.picture(), Err(error)),
        };
        let names: Vec<&String> = picture.keys().collect();
        let polls = join_all(names.iter().map(|name| self.polled(name, FRESH))).await;
        let mut late = Vec::new();
        for (name, poll) in names.into_iter().zip(polls) {
            match poll {
                None => late.push(name.clone()),
                Some(went) => store = store.and(went),
            }
        }
        Looked { picture: self.picture(), store, late }
    }

    /// Polls a remote; None = not within `patience`.
    async fn polled(&self, name: &str, patience: Duration) -> Option<store::Result<()>> {
        tokio::select! {
            went = self.poll_now(name) => Some(went),
            () = self.clock.sleep(patience) => None,
        }
    }

    /// Polls one remote now and waits for the answer, by whoever polls it in the end.
    ///
    /// # Errors
    /// When the store kept it from that; a Proxmox that does not answer is in the picture.
    pub async fn poll_now(&self, name: &str) -> store::Result<()> {
        loop {
            // A remote that is gone has nothing that could be missed.
            let Some(poller) = self.pollers.lock().get(name).cloned() else { return Ok(()) };
            if let Some(went) = poller.poll().await {
                return went;
            }
            if self.stop.is_cancelled() {
                return Ok(());
            }
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
    /// Asks for a poll and waits for one that began afterwards. None = the remote was removed meanwhile, or another
    /// poller has taken this one's place.
    async fn poll(&self) -> Option<store::Result<()>> {
        let mut done = self.done.subscribe();
        self.wanted.send_modify(|count| *count += 1);
        let mine = *self.wanted.borrow();
        tokio::select! {
            done = done.wait_for(|done| done.answered >= mine) => done.ok().map(|done| done.went.clone()),
            () = self.stop.cancelled() => None,
        }
    }
}

//! [`Inventory`]: one poller per remote, and the picture they keep. Owns the pace: often while somebody
//! looks, seldom while nobody does (ARCHITECTURE.md, The picture).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use lxc_core::ids::{Installation, Micros, Vmid};
use lxc_core::ports::Clock;
use lxc_core::timing::{Timing, micros};
use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rights::Rights;
use super::view::{Entry, Freshness, Picture, RemoteView};
use super::{fill, merge, sample};
use crate::bus::Bus;
use crate::pve::PveClient;
use crate::store::{RemoteRow, Store};

/// How long a listing waits for a poll that is due before it shows what it has.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long `--fresh` waits: longer than Proxmox waits for its own nodes.
const FRESH: Duration = Duration::from_secs(40);

/// Everything that is known to be out there.
pub struct Inventory {
    store: Store,
    bus: Arc<Bus>,
    clock: Arc<dyn Clock>,
    timing: Timing,
    picture: RwLock<Arc<Picture>>,
    looked: AtomicI64,
    pollers: Mutex<BTreeMap<String, Poller>>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

#[derive(Clone)]
struct Poller {
    client: Arc<PveClient>,
    /// Counts requests for a poll …
    wanted: watch::Sender<u64>,
    /// … and polls done; a poll answers every request made before it began.
    done: watch::Sender<u64>,
    stop: CancellationToken,
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
        remotes: &[RemoteRow],
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
        Ok(Arc::new(Self {
            store,
            bus,
            clock,
            timing,
            picture: RwLock::new(Arc::new(picture)),
            looked: AtomicI64::new(0),
            pollers: Mutex::default(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// The picture as it is now.
    #[must_use]
    pub fn picture(&self) -> Arc<Picture> {
        self.picture.read().clone()
    }

    /// Polls a remote from now on, with this client; replaces an earlier poller of that name.
    pub fn watch_remote(self: &Arc<Self>, remote: &RemoteRow, client: Arc<PveClient>) {
        let poller = Poller {
            client,
            wanted: watch::Sender::new(0),
            done: watch::Sender::new(0),
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

    /// Forgets a remote.
    pub fn drop_remote(&self, name: &str) {
        if let Some(poller) = self.pollers.lock().remove(name) {
            poller.stop.cancel();
        }
        self.change(|picture| {
            picture.remove(name);
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
    /// does not notice; with `fresh`, for as long as it takes.
    pub async fn look(&self, fresh: bool) -> Arc<Picture> {
        let now = self.clock.now();
        self.looked.store(now, Ordering::Release);
        let picture = self.picture();
        let due = |view: &RemoteView| {
            fresh
                || view.polled.is_none_or(|at| now.abs_diff(at) > micros(self.timing.sample.0).unsigned_abs())
        };
        let pollers: Vec<Poller> = {
            let pollers = self.pollers.lock();
            picture.values().filter(|v| due(v)).filter_map(|v| pollers.get(&v.name).cloned()).collect()
        };
        if pollers.is_empty() {
            return picture;
        }
        let patience = if fresh { FRESH } else { PATIENCE };
        let polls = join_all(pollers.iter().map(Poller::poll));
        tokio::select! {
            _ = polls => {}
            () = self.clock.sleep(patience) => {}
        }
        self.picture()
    }

    /// Polls one remote now and waits for the answer.
    pub async fn poll_now(&self, name: &str) {
        let poller = self.pollers.lock().get(name).cloned();
        if let Some(poller) = poller {
            poller.poll().await;
        }
    }

    /// Takes over what operations find out, until stopped.
    pub async fn follow_operations(&self) {
        let mut moved = self.bus.containers();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                moved = moved.recv() => match moved {
                    Ok((installation, vmid)) => self.refresh(&installation, vmid).await,
                    // The next poll tells.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Stops every poller.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Reads one row again after an operation has written it.
    async fn refresh(&self, installation: &Installation, vmid: Vmid) {
        let row = match self.store.container(installation, vmid).await {
            Ok(row) => row,
            Err(error) => {
                tracing::warn!(%error, vmid, "cannot read a container again");
                return;
            }
        };
        self.change(|picture| {
            let Some(view) = picture.values_mut().find(|view| view.installation == *installation) else {
                return;
            };
            let view = Arc::make_mut(view);
            match (row, view.containers.get(&vmid)) {
                (None, _) => {
                    view.containers.remove(&vmid);
                }
                (Some(row), Some(old)) if old.row.id == row.id => {
                    let mut entry = (**old).clone();
                    entry.row.attention = row.attention;
                    entry.row.lifecycle = row.lifecycle;
                    entry.row.error_op = row.error_op;
                    if row.observed >= entry.row.observed {
                        entry.row.node = row.node;
                        entry.row.power = row.power;
                        entry.row.observed = row.observed;
                        entry.freshness = Freshness::Live;
                        if let Some(power) = row.power.filter(|power| *power != entry.row.live.power) {
                            entry.row.live.power = power;
                            entry.row.live.usage = without_run(&entry.row.live.usage);
                            entry.addresses_read = None;
                        }
                    }
                    view.containers.insert(vmid, Arc::new(entry));
                }
                (Some(row), _) => {
                    view.containers.insert(vmid, Arc::new(Entry::new(row, Freshness::Live)));
                }
            }
        });
    }

    async fn poll_remote(self: Arc<Self>, name: &str, poller: Poller) {
        let mut wanted = poller.wanted.subscribe();
        loop {
            let answering = *wanted.borrow_and_update();
            tokio::select! {
                () = poller.stop.cancelled() => return,
                () = self.poll(name, &poller.client) => {}
            }
            poller.done.send_replace(answering);
            tokio::select! {
                () = poller.stop.cancelled() => return,
                () = self.clock.sleep(self.pace()) => {}
                _ = wanted.changed() => {}
            }
        }
    }

    fn pace(&self) -> Duration {
        let quiet = self.clock.now().saturating_sub(self.looked.load(Ordering::Acquire));
        let (often, seldom) = self.timing.sample;
        if quiet < micros(self.timing.looking) { often } else { seldom }
    }

    async fn poll(&self, name: &str, client: &PveClient) {
        let sample = sample::take(client, self.clock.now()).await;
        let Some(before) = self.picture().get(name).cloned() else { return };
        let busy = self.busy(&before.installation).await;
        // Unknown rights: what is missing may only be out of sight.
        let rights = client.permissions().await.ok().map(|permissions| Arc::new(Rights::new(permissions)));
        let mut delta = merge::Delta::default();
        self.change(|picture| {
            if let Some(view) = picture.get_mut(name) {
                let (after, changes) = merge::merge(view, &sample, &busy, rights);
                *view = Arc::new(after);
                delta = changes;
            }
        });
        self.write(name, &delta.rows, &[], &delta.events).await;
        let Some(view) = self.picture().get(name).cloned() else { return };
        let filled = fill::fill(client, &view, self.clock.now(), &self.timing).await;
        if filled.entries.is_empty() {
            return;
        }
        self.write(name, &filled.rows, &filled.closed, &filled.events).await;
        self.change(|picture| {
            let Some(view) = picture.get_mut(name) else { return };
            let view = Arc::make_mut(view);
            for (vmid, entry) in filled.entries {
                let current = view.containers.get(&vmid);
                if current.is_some_and(|current| current.row.observed <= entry.row.observed) {
                    view.containers.insert(vmid, Arc::new(entry));
                }
            }
        });
    }

    async fn busy(&self, installation: &Installation) -> HashSet<Vmid> {
        match self.store.held_locks().await {
            Ok(locks) => locks.into_iter().filter(|l| l.0 == *installation).map(|l| l.1).collect(),
            Err(_) => HashSet::new(),
        }
    }

    async fn write(
        &self,
        name: &str,
        rows: &[crate::store::ContainerRow],
        closed: &[lxc_core::ids::ContainerId],
        events: &[crate::store::NewEvent],
    ) {
        if rows.is_empty() && closed.is_empty() && events.is_empty() {
            return;
        }
        let now: Micros = self.clock.now();
        // The picture holds all the same; the next material change is written again.
        if let Err(error) = self.store.record_containers(rows, closed, events, now).await {
            tracing::warn!(%error, remote = name, "cannot write what was seen");
        }
        // Whoever follows the journal was woken before there was anything in it.
        if !events.is_empty() {
            self.bus.inventory_moved();
        }
    }

    fn change(&self, edit: impl FnOnce(&mut Picture)) {
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
        // Closed = the remote was removed meanwhile.
        let _ = done.wait_for(|answered| *answered >= mine).await;
    }
}

/// The figures that only a running container has, taken out.
fn without_run(usage: &lxc_core::pve::Usage) -> lxc_core::pve::Usage {
    lxc_core::pve::Usage { cpu: None, memory: None, swap: None, uptime: None, ..usage.clone() }
}

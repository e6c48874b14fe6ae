//! What other daemons have written, read before anybody is answered: one daemon polls an installation, the others
//! show what it saw. Owns who polls and what of the store counts here; must not ask Proxmox.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lxc_core::ids::Installation;
use lxc_core::picture::{Entry, Freshness, Picture, RemoteView};
use lxc_core::ports::StoreError;
use lxc_core::record::ContainerRecord;

use super::findings::{renumbered, take_over, without_run};
use super::poller::{Inventory, Poller};
use crate::store::{self, Newer, Polling};

/// Up to which write the picture is current, by installation.
pub(super) type Known = BTreeMap<Installation, i64>;

impl Inventory {
    /// The picture with everything that is in the store by now.
    ///
    /// # Errors
    /// When the store does not answer as soon as somebody who waits wants to know.
    pub async fn current(&self) -> store::Result<Arc<Picture>> {
        self.store.promptly(self.try_catch_up()).await?;
        Ok(self.picture())
    }

    /// Takes over what others have written since the last time; answers how the polling stands, as far as is known.
    pub(super) async fn catch_up(&self) -> BTreeMap<Installation, Polling> {
        self.try_catch_up().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for what other daemons have seen");
            BTreeMap::new()
        })
    }

    /// May be dropped half-way: what was taken over is noted in the same breath.
    async fn try_catch_up(&self) -> store::Result<BTreeMap<Installation, Polling>> {
        if !self.store.is_shared() {
            return Ok(BTreeMap::new());
        }
        // One at a time: what was read first must not be shown last.
        let mut known = self.known.lock().await;
        let polling: BTreeMap<_, _> = self.store.polling().await?.into_iter().collect();
        for view in self.picture().values() {
            let here = &view.installation;
            let (before, now) = (
                known.get(here).copied().unwrap_or(0),
                polling.get(here).map_or(0, |polling| polling.version),
            );
            if now <= before {
                continue;
            }
            match self.store.newer(here, before).await {
                Ok(newer) => {
                    self.show(here, newer, before == 0);
                    known.insert(here.clone(), now);
                }
                Err(error @ StoreError::Failed(_)) => return Err(error),
                // What is wrong with one keeps nobody from the others.
                Err(error) => tracing::warn!(%error, remote = view.name, "cannot read what is new"),
            }
        }
        Ok(polling)
    }

    fn show(&self, installation: &Installation, newer: Newer, whole: bool) {
        let held = self.held.lock().contains(installation);
        self.change(|picture| {
            let view = picture.values_mut().find(|view| view.installation == *installation);
            let Some(view) = view.map(Arc::make_mut) else { return };
            if held {
                let mut unwritten = self.unwritten.lock();
                let unwritten = unwritten.entry(installation.clone()).or_default();
                take_over(view, newer.rows, &newer.closed, unwritten);
            } else {
                replace(view, newer, whole);
            }
        });
    }

    /// Becomes or stays the poller of an installation. While the store does not answer, whoever polled goes on.
    pub(super) async fn hold(&self, installation: &Installation, anyway: bool) -> bool {
        let before = self.held.lock().contains(installation);
        if self.handed_over.is_cancelled() {
            return false;
        }
        let now = self.clock.now();
        let held = self.store.hold_poller(installation, self.me, anyway, now).await.unwrap_or(before);
        match (before, held) {
            (false, true) => {
                // Begins from what the last one saw.
                self.catch_up().await;
                self.held.lock().insert(installation.clone());
                tracing::debug!(%installation, "polling it from here");
            }
            (true, false) => self.lose(installation).await,
            _ => {}
        }
        held
    }

    /// Another polls it now: what that one sees counts, and what was not written is its to find.
    pub(super) async fn lose(&self, installation: &Installation) {
        if self.held.lock().remove(installation) {
            tracing::debug!(%installation, "another daemon polls it now");
        }
        self.unwritten.lock().remove(installation);
        self.known.lock().await.remove(installation);
    }

    /// Has the poller poll, wherever it is, and waits until that is written. One that does not is replaced.
    pub(super) async fn ask(
        &self,
        name: &str,
        installation: &Installation,
        poller: &Poller,
    ) -> store::Result<()> {
        let mut moved = self.bus.inventory();
        let asked = self.store.ask_poll(installation).await.inspect_err(|error| {
            tracing::warn!(%error, remote = name, "cannot ask for a poll");
        })?;
        self.bus.poll_wanted(installation);
        let until = self.clock.boot() + self.timing.lease;
        loop {
            let polling = self.catch_up().await;
            if polling.get(installation).is_some_and(|polling| polling.answered >= asked) {
                return Ok(());
            }
            if self.hold(installation, self.clock.boot() >= until).await {
                return self.poll(name, &poller.client).await;
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = self.clock.sleep(self.timing.reread.0) => {}
            }
        }
    }

    /// Somebody asks for a poll, or nobody polls an installation any more.
    pub(super) fn asked_for(&self, installation: &Installation) {
        let picture = self.picture();
        let Some(view) = picture.values().find(|view| view.installation == *installation) else { return };
        if self.held.lock().contains(installation) {
            // Who looks elsewhere looks.
            self.looked.store(self.clock.now(), std::sync::atomic::Ordering::Release);
            self.poll_soon(&view.name);
        } else {
            self.kick(&view.name);
        }
    }

    /// After wake-ups were lost: what was asked for meanwhile, and what nobody polls.
    pub(super) async fn asked_meanwhile(&self) {
        for (installation, polling) in self.catch_up().await {
            if polling.asked > polling.answered || !self.held.lock().contains(&installation) {
                self.asked_for(&installation);
            }
        }
    }

    /// Polls nothing any more; another daemon is told to.
    pub async fn hand_over(&self) {
        self.handed_over.cancel();
        let held: Vec<Installation> = self.held.lock().iter().cloned().collect();
        match self.store.release_pollers(self.me).await {
            Ok(released) => released.iter().for_each(|installation| self.bus.poll_wanted(installation)),
            Err(error) => tracing::warn!(%error, "cannot give the polling to another; it takes it by itself"),
        }
        for installation in held {
            self.lose(&installation).await;
        }
    }
}

/// What the store says, and nothing else; `whole` = it is all there is.
fn replace(view: &mut RemoteView, newer: Newer, whole: bool) {
    let Newer { rows, closed, round } = newer;
    if whole {
        let open: HashSet<_> = rows.iter().map(|row| row.id).collect();
        view.containers.retain(|_, entry| open.contains(&entry.row.id));
    }
    view.containers.retain(|_, entry| !closed.contains(&entry.row.id));
    for row in rows {
        match view.containers.get_mut(&row.vmid) {
            Some(entry) if entry.row.id == row.id => renew(Arc::make_mut(entry), row),
            _ => {
                renumbered(view, &row);
                view.containers.insert(row.vmid, Arc::new(Entry::new(agreeing(row), Freshness::Live)));
            }
        }
    }
    if let Some(round) = round {
        round.show(view);
    }
}

/// The same incarnation, written again. Figures are in rounds: a row may have been written without looking.
fn renew(entry: &mut Entry, mut row: ContainerRecord) {
    entry.wants_config = row.config.is_none();
    if row.observed > entry.row.observed {
        entry.freshness = Freshness::Live;
    } else {
        row.observed = entry.row.observed;
    }
    row.live.usage = entry.row.live.usage.clone();
    row.live.power = entry.row.live.power;
    entry.row = agreeing(row);
}

/// The sample says what the row says of its power.
fn agreeing(mut row: ContainerRecord) -> ContainerRecord {
    if let Some(power) = row.power.filter(|power| *power != row.live.power) {
        row.live.power = power;
        row.live.usage = without_run(&row.live.usage);
    }
    row
}

#[cfg(test)]
mod tests {
    use lxc_core::pve::{Power, Usage};
    use lxc_core::record::Round;

    use super::*;
    use crate::inventory::tests::{row, view};

    #[test]
    fn a_round_brings_figures_and_troubles_and_a_later_row_keeps_its_power() {
        let seen = ContainerRecord { observed: 20, power: Some(Power::Running), ..row(104) };
        let mut theirs = view(vec![seen.clone(), row(105)]);
        let entry = Arc::make_mut(theirs.containers.get_mut(&104).unwrap());
        entry.row.live.usage = Usage { cpu: Some(0.5), ..Usage::default() };
        let round: Round =
            serde_json::from_str(&serde_json::to_string(&Round::of(&theirs)).unwrap()).unwrap();

        let mut ours = RemoteView::new("lab", &theirs.installation);
        let rows = vec![seen.clone(), row(105)];
        replace(&mut ours, Newer { rows, round: Some(round), ..Newer::default() }, true);
        assert_eq!(ours.containers[&104].row.live.usage.cpu, Some(0.5));
        assert_eq!(ours.nodes, theirs.nodes);

        // An operation of a third has stopped one and deleted the other.
        let stopped = ContainerRecord { observed: 30, power: Some(Power::Stopped), ..seen };
        let closed = HashSet::from([ours.containers[&105].row.id]);
        replace(&mut ours, Newer { rows: vec![stopped], closed, round: None }, false);
        let entry = &ours.containers[&104];
        assert_eq!((entry.row.live.power, entry.row.live.usage.cpu), (Power::Stopped, None));
        assert_eq!(ours.containers.len(), 1);
    }
}

//! One poller: asks, merges, writes, again. Owns its pace, often while somebody looks and seldom while nobody
//! does, and the order within a round; what the answers mean is decided in `merge` and `fill`.

use lxc_core::picture::{RemoteView, Rights};
use lxc_core::record::Round;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lxc_core::ids::{Installation, Vmid};
use lxc_core::timing::micros;

use super::merge::{self, Delta};
use super::poller::{Done, Inventory, Poller};
use super::unwritten::Unwritten;
use super::{fill, sample};
use crate::pve::PveClient;
use crate::store;

impl Inventory {
    pub(super) async fn poll_remote(self: Arc<Self>, name: &str, poller: Poller) {
        let mut wanted = poller.wanted.subscribe();
        loop {
            let answering = *wanted.borrow_and_update();
            let asked = answering > poller.done.borrow().answered;
            let (polled, went) = tokio::select! {
                () = poller.stop.cancelled() => return,
                turn = self.turn(name, &poller, asked) => turn,
            };
            poller.done.send_replace(Done { answered: answering, went });
            tokio::select! {
                () = poller.stop.cancelled() => return,
                () = self.rest(polled) => {}
                _ = wanted.changed() => {}
                () = poller.kicked.notified() => {}
            }
        }
    }

    /// Polls, where that is this daemon's; else what was asked for is asked of the one whose it is. Answers
    /// which of the two, and what kept it from it.
    async fn turn(&self, name: &str, poller: &Poller, asked: bool) -> (bool, store::Result<()>) {
        let Some(installation) = self.picture().get(name).map(|view| view.installation.clone()) else {
            return (false, Ok(()));
        };
        if self.hold(&installation, false).await {
            return (true, self.poll(name, &poller.client).await);
        }
        let went = if asked { self.ask(name, &installation, poller).await } else { Ok(()) };
        if !asked {
            self.catch_up().await;
        }
        (false, went)
    }

    /// Until the next poll is due, which somebody who begins to look brings nearer.
    async fn rest(&self, polled: bool) {
        let (often, _) = self.timing.sample;
        let mut rested = Duration::ZERO;
        loop {
            // Whoever does not poll looks as often whether the one that does is still there.
            let pause = if polled { self.pace() } else { self.timing.heartbeat };
            if rested >= pause {
                return;
            }
            let slice = often.min(pause - rested);
            self.clock.sleep(slice).await;
            rested += slice;
        }
    }

    fn pace(&self) -> Duration {
        let quiet = self.clock.now().saturating_sub(self.looked.load(Ordering::Acquire));
        let (often, seldom) = self.timing.sample;
        if quiet < micros(self.timing.looking) { often } else { seldom }
    }

    /// One round. What Proxmox does not answer is in the picture afterwards; what the store does not is the error.
    pub(super) async fn poll(&self, name: &str, client: &PveClient) -> store::Result<()> {
        let Some(here) = self.picture().get(name).map(|view| view.installation.clone()) else {
            return Ok(());
        };
        // Read before anything is asked: whoever asked for a poll by now is answered by this one.
        let asked = self.catch_up().await.get(&here).map_or(0, |polling| polling.asked);
        let sample = sample::take(client, self.clock.now()).await;
        let Some(before) = self.picture().get(name).cloned() else { return Ok(()) };
        // Who cannot tell what our operations hold would take their work for somebody else's.
        let busy = self.busy(&before.installation).await?;
        // Unknown rights: what is missing may only be out of sight.
        let rights = client.permissions().await.ok().map(|permissions| Arc::new(Rights::new(permissions)));
        self.learn(name, |view| {
            let (after, delta) = merge::merge(view, &sample, &busy, rights);
            *view = after;
            delta
        });
        let Some(view) = self.picture().get(name).cloned() else { return Ok(()) };
        let round = self.store.is_shared().then(|| (Round::of(&view), asked));
        self.write(&before.installation, round).await;
        let answers = fill::ask(client, &view, self.clock.now(), &self.timing).await;
        if !answers.is_empty() {
            let now = self.clock.now();
            self.learn(name, |view| fill::fill(view, answers, now));
            self.write(&before.installation, None).await;
        }
        Ok(())
    }

    /// Changes what is known of a remote; what is to be written of that is remembered in the same moment.
    fn learn(&self, name: &str, edit: impl FnOnce(&mut RemoteView) -> Delta) {
        self.change(|picture| {
            if let Some(view) = picture.get_mut(name) {
                let delta = edit(Arc::make_mut(view));
                self.unwritten.lock().entry(view.installation.clone()).or_default().add(delta);
            }
        });
    }

    async fn busy(&self, installation: &Installation) -> store::Result<HashSet<Vmid>> {
        let locks = self.store.held_locks().await.inspect_err(|error| {
            tracing::warn!(%error, %installation, "cannot read what operations hold; leaving out this round");
        })?;
        Ok(locks.into_iter().filter(|l| l.0 == *installation).map(|l| l.1).collect())
    }

    /// Writes what is not in the store yet. What cannot be written stays, for the next round.
    async fn write(&self, installation: &Installation, round: Option<(Round, i64)>) {
        let due = self
            .unwritten
            .lock()
            .get(installation)
            .filter(|unwritten| !unwritten.is_empty())
            .map(Unwritten::due);
        if due.is_none() && round.is_none() {
            return;
        }
        let (rows, closed, events) = due.unwrap_or_default();
        let now = self.clock.now();
        let round = round.as_ref().map(|(round, answered)| (round, *answered));
        match self.store.record_round(self.me, installation, &rows, &closed, &events, round, now).await {
            Ok(false) => self.lose(installation).await,
            Ok(true) => {
                if let Some(unwritten) = self.unwritten.lock().get_mut(installation) {
                    unwritten.written(&rows, &closed, events.len());
                }
                // Whoever follows the journal was woken before there was anything in it.
                self.bus.rows_written(installation);
            }
            Err(error) => {
                tracing::warn!(%error, %installation, "cannot write what was seen; trying again with the next round");
                // What the store refuses may be there under another id, from another daemon: that one counts.
                self.read_again(installation, None).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lxc_core::op::EventKind;
    use lxc_core::record::{ContainerRecord, EventFilter};
    use lxc_core::timing::Timing;
    use sqlx::AnyPool;

    use super::*;
    use crate::inventory::tests::{installation, inventory, row, view};

    /// Makes the store refuse every new container.
    async fn refuse(raw: &AnyPool) {
        let no = "CREATE TRIGGER no BEFORE INSERT ON container BEGIN SELECT RAISE(ABORT, 'no'); END";
        sqlx::query(no).execute(raw).await.unwrap();
    }

    fn discovered(row: &ContainerRecord) -> Delta {
        let event = merge::event("lab", row, EventKind::Discovered, "seen for the first time");
        Delta { rows: vec![row.clone()], events: vec![event], ..Delta::default() }
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_written_with_the_next_round() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = inventory(dir.path(), Timing::default()).await;
        let raw =
            AnyPool::connect(&format!("sqlite://{}", dir.path().join("lxcd.db").display())).await.unwrap();
        refuse(&raw).await;
        let (first, second) = (row(104), row(105));
        for row in [&first, &second] {
            inventory.learn("lab", |known| {
                known.containers.extend(view(vec![row.clone()]).containers);
                discovered(row)
            });
            inventory.write(&installation(), None).await;
        }
        assert!(inventory.store.containers(None).await.unwrap().is_empty());
        let known = inventory.picture()["lab"].containers.len();
        assert_eq!(known, 2, "the picture holds all the same");
        sqlx::query("DROP TRIGGER no").execute(&raw).await.unwrap();
        inventory.write(&installation(), None).await;
        assert_eq!(inventory.store.containers(None).await.unwrap(), [first, second]);
        let all = EventFilter { limit: 10, ..EventFilter::default() };
        assert_eq!(inventory.store.events(&all).await.unwrap().len(), 2, "each once");
        inventory.write(&installation(), None).await;
        assert_eq!(inventory.store.events(&all).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_record_that_another_wrote_first_counts() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = inventory(dir.path(), Timing::default()).await;
        let (ours, theirs) = (row(104), row(104));
        inventory
            .store
            .record_containers(&installation(), std::slice::from_ref(&theirs), &[], &[], 0)
            .await
            .unwrap();
        inventory.learn("lab", |known| {
            known.containers.extend(view(vec![ours.clone()]).containers);
            Delta { rows: vec![ours.clone(), row(105)], ..Delta::default() }
        });
        inventory.write(&installation(), None).await;
        inventory.write(&installation(), None).await;
        assert_eq!(inventory.picture()["lab"].containers[&104].row.id, theirs.id);
        let stored = inventory.store.containers(None).await.unwrap();
        assert_eq!(stored.iter().map(|row| row.vmid).collect::<Vec<_>>(), [104, 105]);
    }

    #[tokio::test]
    async fn who_begins_to_look_does_not_wait_out_the_rest_nobody_needed() {
        let dir = tempfile::tempdir().unwrap();
        let sample = (Duration::from_millis(10), Duration::from_secs(3_600));
        let inventory = inventory(dir.path(), Timing { sample, ..Timing::default() }).await;
        let mut rest = std::pin::pin!(inventory.rest(true));
        assert!(futures::poll!(rest.as_mut()).is_pending(), "nobody looks");
        inventory.looked.store(inventory.clock.now(), Ordering::Release);
        tokio::time::timeout(Duration::from_secs(20), rest).await.expect("sooner than in an hour");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bus_that_lags_has_everything_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = inventory(dir.path(), Timing::default()).await;
        // Subscribed by hand, so that it can fall behind before anybody listens.
        let findings = inventory.bus.findings();
        inventory.store.record_containers(&installation(), &[row(104)], &[], &[], 0).await.unwrap();
        for _ in 0..5_000 {
            inventory.bus.container_moved(&installation(), 999);
        }
        let following = tokio::spawn({
            let inventory = inventory.clone();
            async move { inventory.follow(findings).await }
        });
        let mut changes = inventory.bus.inventory();
        let seen = async {
            while !inventory.picture()["lab"].containers.contains_key(&104) {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.expect("read again");
        inventory.stop().await;
        following.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_an_operation_could_not_reach_is_shown_so_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = inventory(dir.path(), Timing::default()).await;
        inventory.learn("lab", |known| {
            *known = view(vec![row(104)]);
            Delta::default()
        });
        let findings = inventory.bus.findings();
        inventory.bus.node_silent(&installation(), "pve1", "no route to host");
        let following = tokio::spawn({
            let inventory = inventory.clone();
            async move { inventory.follow(findings).await }
        });
        let mut changes = inventory.bus.inventory();
        let seen = async {
            while inventory.picture()["lab"].nodes["pve1"].trouble.is_none() {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.expect("shown");
        inventory.stop().await;
        following.await.unwrap();
    }
}

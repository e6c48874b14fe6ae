//! Watching operations: what is stored, then what comes, each event exactly once. Owns replay, wake-ups
//! and the end of the stream; the text of events is made in core.

use lxc_core::record::EventRecord;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use lxc_core::actor::Actor;
use lxc_core::error::Result;
use lxc_core::ids::{OperationId, RequestId};
use lxc_core::op::Operation;
use tokio::sync::mpsc;

use super::Services;
use super::access::Caller;
use crate::bus::Woken;

/// One message of a watch.
#[derive(Debug)]
pub enum Item {
    /// How an operation stands as the watch begins, and who asked for it.
    Snapshot(Box<Operation>, Option<Actor>),
    /// Something happened.
    Event(Box<EventRecord>),
    /// Events that are not stored any more.
    Skipped {
        /// Of this operation.
        id: OperationId,
        /// First.
        from: i64,
        /// Last.
        to: i64,
    },
    /// An operation has ended, and who had asked for it.
    Result(Box<Operation>, Option<Actor>),
}

/// Events read from the store at a time.
const PAGE: usize = 500;
/// Operations that are looked at together.
const MANY: usize = 100;
/// Whoever watches more than these has their news in gulps.
const FEW: usize = 8;
/// Between two gulps.
const BREATH: Duration = Duration::from_millis(50);

/// The receiver of a watch went away; nothing is wrong.
struct Gone;

impl Services {
    /// Finds the operations and streams them until all have ended or nobody listens.
    ///
    /// # Errors
    /// When an id is unknown.
    pub async fn watch(
        &self,
        caller: &Caller,
        ids: &[String],
        after: &[i64],
    ) -> Result<mpsc::Receiver<Result<Item>>> {
        // Subscribed before anything is read: what happens meanwhile wakes us again.
        let moved = self.bus.operations();
        let mut ops = Vec::new();
        let mut whole = self.whole(caller, ids).await?;
        for (index, id) in ids.iter().enumerate() {
            let after = after.get(index).copied().unwrap_or(0);
            match whole.remove(id) {
                Some(op) => ops.push((op, after)),
                None => ops.extend(self.find_operations(caller, id).await?.into_iter().map(|op| (op, after))),
            }
        }
        let actors = self.actors(ops.iter().map(|(op, _)| op)).await?;
        let (tx, rx) = mpsc::channel(256);
        let services = self.clone();
        tokio::spawn(async move {
            let watcher = Watcher { services, tx, actors, seen: HashMap::new() };
            // Err = nobody listens any more, which ends a watch as well as its end does.
            let _ = watcher.run(ops, moved).await;
        });
        Ok(rx)
    }

    /// The operations whose ids are given in full, read together, as far as the caller may see them.
    async fn whole(&self, caller: &Caller, ids: &[String]) -> Result<HashMap<String, Operation>> {
        self.access.enter(caller)?;
        let ids: Vec<OperationId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let found = self.store.operations_of(&ids).await.map_err(super::store_error)?;
        let seen = found.into_iter().filter(|op| self.access.sees(caller, &op.target.remote));
        Ok(seen.map(|op| (op.id.to_string(), op)).collect())
    }
}

struct Watcher {
    services: Services,
    tx: mpsc::Sender<Result<Item>>,
    /// Who asked, by request.
    actors: HashMap<RequestId, Actor>,
    /// Last number told of each operation that has not ended yet.
    seen: HashMap<OperationId, i64>,
}

impl Watcher {
    async fn run(mut self, ops: Vec<(Operation, i64)>, mut moved: Woken) -> Result<(), Gone> {
        let mut due: Vec<OperationId> = ops.iter().map(|(op, _)| op.id).collect();
        for (op, after) in ops {
            self.seen.insert(op.id, after);
            let actor = self.actors.get(&op.request_id).cloned();
            self.send(Ok(Item::Snapshot(Box::new(op), actor))).await?;
        }
        loop {
            for part in due.chunks(MANY) {
                self.catch_up(part).await?;
            }
            if self.seen.is_empty() {
                return Ok(());
            }
            let closed = self.tx.clone();
            if self.seen.len() > FEW {
                // Nobody reads that fast, and what comes meanwhile is read with it.
                tokio::select! {
                    () = self.services.clock.sleep(BREATH) => {}
                    () = closed.closed() => return Err(Gone),
                }
            }
            due = tokio::select! {
                due = self.moved(&mut moved) => due,
                () = closed.closed() => return Err(Gone),
            };
        }
    }

    /// Waits until any that is watched has moved; answers all that have by then.
    async fn moved(&self, moved: &mut Woken) -> Vec<OperationId> {
        loop {
            let first = moved.next().await;
            let mut due = HashSet::new();
            for woken in std::iter::once(first).chain(std::iter::from_fn(|| moved.ready())) {
                match woken {
                    Some(id) if self.seen.contains_key(&id) => {
                        due.insert(id);
                    }
                    Some(_) => {}
                    None => due.extend(self.seen.keys().copied()),
                }
            }
            if !due.is_empty() {
                return due.into_iter().collect();
            }
        }
    }

    /// Tells everything that is stored of some operations and not told yet.
    async fn catch_up(&mut self, due: &[OperationId]) -> Result<(), Gone> {
        loop {
            let behind: Vec<(OperationId, i64)> =
                due.iter().filter_map(|id| self.seen.get(id).map(|after| (*id, *after))).collect();
            if behind.is_empty() {
                return Ok(());
            }
            let (store, listened) = (&self.services.store, || !self.tx.is_closed());
            let progress = match self.services.patiently(listened, || store.progress(&behind, PAGE)).await {
                Ok(progress) => progress,
                Err(error) => return self.send(Err(error)).await,
            };
            for event in progress.events {
                self.tell(event).await?;
            }
            if progress.more {
                continue;
            }
            for op in progress.ended {
                self.seen.remove(&op.id);
                let actor = self.actors.get(&op.request_id).cloned();
                self.send(Ok(Item::Result(Box::new(op), actor))).await?;
            }
            return Ok(());
        }
    }

    async fn tell(&mut self, event: EventRecord) -> Result<(), Gone> {
        let Some((id, seq)) = event.operation else { return Ok(()) };
        let expected = self.seen.get(&id).copied().unwrap_or(0) + 1;
        if seq > expected {
            self.send(Ok(Item::Skipped { id, from: expected, to: seq - 1 })).await?;
        }
        self.seen.insert(id, seq);
        self.send(Ok(Item::Event(Box::new(event)))).await
    }

    async fn send(&self, item: Result<Item>) -> Result<(), Gone> {
        self.tx.send(item).await.map_err(|_| Gone)
    }
}

//! Watching operations: what is stored, then what comes, each event exactly once. Owns replay, wake-ups
//! and the end of the stream; the text of events is made in core.

use lxc_core::record::EventRecord;
use std::collections::HashMap;

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
const PAGE: i64 = 500;

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
        for (index, id) in ids.iter().enumerate() {
            let after = after.get(index).copied().unwrap_or(0);
            ops.extend(self.find_operations(caller, id).await?.into_iter().map(|op| (op, after)));
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
        let all: Vec<OperationId> = ops.iter().map(|(op, _)| op.id).collect();
        for (op, after) in ops {
            self.seen.insert(op.id, after);
            let actor = self.actors.get(&op.request_id).cloned();
            self.send(Ok(Item::Snapshot(Box::new(op), actor))).await?;
        }
        for id in all {
            self.catch_up(id).await?;
        }
        while !self.seen.is_empty() {
            let woken = tokio::select! {
                woken = moved.next() => woken,
                () = self.tx.closed() => return Err(Gone),
            };
            match woken {
                Some(id) if self.seen.contains_key(&id) => self.catch_up(id).await?,
                Some(_) => {}
                None => {
                    let all: Vec<OperationId> = self.seen.keys().copied().collect();
                    for id in all {
                        self.catch_up(id).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells everything that is stored of one operation and not told yet.
    async fn catch_up(&mut self, id: OperationId) -> Result<(), Gone> {
        // The operation first: an end that is seen here has all its events in the store.
        let (store, listened) = (&self.services.store, || !self.tx.is_closed());
        let op = match self.services.patiently(listened, || store.operation(id)).await {
            Ok(op) => op,
            Err(error) => return self.send(Err(error)).await,
        };
        loop {
            let after = self.seen.get(&id).copied().unwrap_or(0);
            let read = || self.services.store.operation_events(id, after, PAGE);
            let events = match self.services.patiently(|| !self.tx.is_closed(), read).await {
                Ok(events) => events,
                Err(error) => return self.send(Err(error)).await,
            };
            let Some(last) = events.last().and_then(|event| event.operation.map(|(_, seq)| seq)) else {
                break;
            };
            for event in events {
                let seq = event.operation.map_or(0, |(_, seq)| seq);
                let expected = self.seen.get(&id).copied().unwrap_or(0) + 1;
                if seq > expected {
                    self.send(Ok(Item::Skipped { id, from: expected, to: seq - 1 })).await?;
                }
                self.seen.insert(id, seq);
                self.send(Ok(Item::Event(Box::new(event)))).await?;
            }
            self.seen.insert(id, last);
        }
        if let Some(op) = op
            && op.outcome().is_some()
        {
            self.seen.remove(&id);
            let actor = self.actors.get(&op.request_id).cloned();
            self.send(Ok(Item::Result(Box::new(op), actor))).await?;
        }
        Ok(())
    }

    async fn send(&self, item: Result<Item>) -> Result<(), Gone> {
        self.tx.send(item).await.map_err(|_| Gone)
    }
}

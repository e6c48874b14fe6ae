//! Group commit: many operations in one transaction. Hundreds that run side by side would else stand in line for the
//! writer, each with a transaction and a trip to the disk of its own. Owns who writes for whom; what is written is
//! `commit`'s. Whoever comes while nobody writes waits for nobody.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use lxc_core::ids::Micros;
use lxc_core::op::{EventDraft, Operation};
use lxc_core::ports::{Committed, StoreError};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use super::write::{Write, write_all};
use super::{Dialect, Result, Store, fail};

/// In one transaction, which others wait for meanwhile: a submit should not notice.
const MOST: usize = 16;

/// A commit that waits for its turn.
#[derive(Debug)]
struct Waiting {
    op: Operation,
    events: Vec<EventDraft>,
    now: Micros,
    reply: oneshot::Sender<Result<Committed>>,
}

impl Waiting {
    fn as_write(&self) -> Write<'_> {
        Write { op: &self.op, events: &self.events, now: self.now }
    }
}

/// The line, and how many transactions may be under way.
#[derive(Debug, Clone)]
pub(super) struct GroupCommit {
    line: Arc<Mutex<VecDeque<Waiting>>>,
    turns: Arc<Semaphore>,
}

impl GroupCommit {
    pub(super) fn new(dialect: Dialect) -> Self {
        // SQLite has one writer. Postgres has several, and others want connections too.
        let turns = if dialect == Dialect::Sqlite { 1 } else { 3 };
        Self { line: Arc::default(), turns: Arc::new(Semaphore::new(turns)) }
    }
}

impl Store {
    /// Commits, together with whoever waits as well.
    pub(super) async fn commit_in_group(
        &self,
        op: &Operation,
        events: &[EventDraft],
        now: Micros,
    ) -> Result<Committed> {
        let (reply, mut answer) = oneshot::channel();
        self.group.line.lock().push_back(Waiting { op: op.clone(), events: events.to_vec(), now, reply });
        // Whoever was to write for us was dropped meanwhile; nobody knows how far he came.
        let lost = |_| StoreError::Failed("the transaction was given up".to_owned());
        loop {
            let turn = tokio::select! {
                biased;
                done = &mut answer => return done.map_err(lost)?,
                turn = self.group.turns.acquire() => turn,
            };
            let Ok(_turn) = turn else { return Err(StoreError::Failed("the database is closed".to_owned())) };
            let group = next_group(&mut self.group.line.lock());
            if group.is_empty() {
                // Taken by somebody else, who is about to answer.
                drop(_turn);
                return answer.await.map_err(lost)?;
            }
            self.write_group(group).await;
        }
    }

    async fn write_group(&self, group: Vec<Waiting>) {
        match self.try_group(&group).await {
            Ok(written) => {
                for (waiting, committed) in group.into_iter().zip(written) {
                    // Nobody waits any more: it is written all the same.
                    let _ = waiting.reply.send(Ok(committed));
                }
            }
            // One that cannot be written must not keep the others from it.
            Err(_) if group.len() > 1 => {
                for waiting in group {
                    let alone = std::slice::from_ref(&waiting);
                    let written = self.try_group(alone).await;
                    let _ = waiting.reply.send(written.map(|mut written| written.remove(0)));
                }
            }
            Err(error) => {
                for waiting in group {
                    let _ = waiting.reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// All of them in one transaction, or none. Whoever is fenced out writes nothing in it.
    async fn try_group(&self, group: &[Waiting]) -> Result<Vec<Committed>> {
        let mut tx = self.write().await?;
        let written = write_all(&mut tx, &group.iter().map(Waiting::as_write).collect::<Vec<_>>()).await?;
        if written.iter().all(|committed| *committed == Committed::Fenced) {
            tx.rollback().await.map_err(fail)?;
        } else {
            tx.commit().await.map_err(fail)?;
        }
        Ok(written)
    }
}

/// The first in the line. An operation is in it twice when whoever wrote it first was dropped meanwhile: the second
/// time builds upon the first, and comes with the next group.
fn next_group(line: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut seen = HashSet::new();
    let many = line.iter().take(MOST).take_while(|waiting| seen.insert(waiting.op.id)).count();
    line.drain(..many).collect()
}

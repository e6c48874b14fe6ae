//! Who may begin (Queued → Running). Pure: the queue, the locks and the counts in, verdicts out. Must
//! not touch the database; lxcd's store runs it inside the claiming transaction.

use std::collections::{HashMap, HashSet};

use super::kind::Weight;
use crate::ids::{Installation, Micros, OperationId, RequestId, Vmid};

/// Power operations at once on one node.
pub const POWER_SLOTS: u32 = 16;
/// Heavy operations (delete, create, clone, …) at once on one node.
pub const HEAVY_SLOTS: u32 = 4;

/// A queued operation, as far as admission looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub id: OperationId,
    /// Its batch.
    pub request_id: RequestId,
    /// What it wants to lock.
    pub installation: Installation,
    /// What it wants to lock.
    pub vmid: Vmid,
    /// Node it will work on.
    pub node: String,
    /// What it costs there.
    pub weight: Weight,
    /// Until when it waits for the lock; None = not at all.
    pub lock_deadline: Option<Micros>,
    /// A person asked to end it.
    pub cancel: bool,
}

impl Waiting {
    /// Whether it would rather wait for a lock than be refused.
    fn waits(&self, now: Micros) -> bool {
        self.lock_deadline.is_some_and(|deadline| now < deadline)
    }
}

/// Bounds a batch brought along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// At once in the batch.
    pub max_parallel: u32,
    /// At once on one node in the batch; 0 = no bound of its own.
    pub max_per_node: u32,
    /// Stop at the first failure.
    pub on_error_stop: bool,
    /// One of the batch has failed.
    pub has_failed: bool,
    /// Running ones by installation and node.
    pub running: HashMap<(Installation, String), u32>,
    /// Between two admissions.
    pub pause: Micros,
    /// No admission before.
    pub not_before: Micros,
}

/// What runs now.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Held locks and who holds them.
    pub locks: HashMap<(Installation, Vmid), OperationId>,
    /// Used slots: (power, heavy) by installation and node.
    pub slots: HashMap<(Installation, String), (u32, u32)>,
}

/// What becomes of one queued operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Begins now.
    Admit,
    /// Its container is locked and it does not wait (any longer).
    Refuse {
        /// Who holds it.
        holder: OperationId,
    },
    /// An earlier one of its batch failed.
    Stop,
    /// Ends by a person's wish.
    Cancel,
    /// Stays queued.
    Keep,
}

/// What one that is alone in its batch finds where it is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Who else holds its container.
    pub holder: Option<OperationId>,
    /// Slots of its weight that are in use on its node.
    pub used: u32,
    /// Others wait for its node or its container.
    pub queued: bool,
}

/// What [`admit`] would say of one that is alone in its batch, without the queue; None = it depends on who else waits.
/// One that is kept may be refused all the same, when somebody before it in the queue is given its container.
#[must_use]
pub fn admit_alone(op: &Waiting, beside: &Beside, now: Micros) -> Option<Verdict> {
    let full = match op.weight {
        Weight::None => false,
        Weight::Power => beside.used >= POWER_SLOTS,
        Weight::Heavy => beside.used >= HEAVY_SLOTS,
    };
    match beside.holder {
        _ if op.cancel => Some(Verdict::Cancel),
        Some(holder) if !op.waits(now) => Some(Verdict::Refuse { holder }),
        Some(_) => Some(Verdict::Keep),
        None if full => Some(Verdict::Keep),
        None => (!beside.queued).then_some(Verdict::Admit),
    }
}

/// Decides for the queue, oldest first, each admission counting for those behind it.
#[must_use]
pub fn admit(
    queue: &[Waiting],
    bounds: &HashMap<RequestId, Bounds>,
    running: &Running,
    now: Micros,
) -> Vec<Verdict> {
    let mut bounds = bounds.clone();
    let mut slots = running.slots.clone();
    let mut locked: HashSet<(Installation, Vmid)> = running.locks.keys().cloned().collect();
    let mut admitted: HashMap<(Installation, Vmid), OperationId> = running.locks.clone();
    queue
        .iter()
        .map(|op| {
            let key = (op.installation.clone(), op.vmid);
            let Some(batch) = bounds.get_mut(&op.request_id) else { return Verdict::Keep };
            if op.cancel {
                batch.has_failed = true;
                return Verdict::Cancel;
            }
            if batch.on_error_stop && batch.has_failed {
                return Verdict::Stop;
            }
            // A container that is to be made is locked by its own operation already.
            if locked.contains(&key) && admitted.get(&key) != Some(&op.id) {
                return match admitted.get(&key) {
                    Some(holder) if !op.waits(now) => {
                        batch.has_failed = true;
                        Verdict::Refuse { holder: *holder }
                    }
                    _ => Verdict::Keep,
                };
            }
            let node = (op.installation.clone(), op.node.clone());
            let here = batch.running.get(&node).copied().unwrap_or(0);
            let all: u32 = batch.running.values().sum();
            let per_node_full = batch.max_per_node > 0 && here >= batch.max_per_node;
            if all >= batch.max_parallel.max(1) || per_node_full || now < batch.not_before {
                return Verdict::Keep;
            }
            let (power, heavy) = slots.entry(node.clone()).or_default();
            match op.weight {
                Weight::None => {}
                Weight::Power if *power >= POWER_SLOTS => return Verdict::Keep,
                Weight::Heavy if *heavy >= HEAVY_SLOTS => return Verdict::Keep,
                Weight::Power => *power += 1,
                Weight::Heavy => *heavy += 1,
            }
            *batch.running.entry(node).or_default() += 1;
            if batch.pause > 0 {
                batch.not_before = now.saturating_add(batch.pause);
            }
            locked.insert(key.clone());
            admitted.insert(key, op.id);
            Verdict::Admit
        })
        .collect()
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;

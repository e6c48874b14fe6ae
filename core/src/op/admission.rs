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
                let waits = op.lock_deadline.is_some_and(|deadline| now < deadline);
                return match admitted.get(&key) {
                    Some(holder) if !waits => {
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
            let used = slots.entry(node.clone()).or_default();
            match op.weight {
                Weight::None => {}
                Weight::Power if used.0 >= POWER_SLOTS => return Verdict::Keep,
                Weight::Heavy if used.1 >= HEAVY_SLOTS => return Verdict::Keep,
                Weight::Power => used.0 += 1,
                Weight::Heavy => used.1 += 1,
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
mod tests {
    use super::*;

    fn waiting(request: RequestId, vmid: Vmid, node: &str) -> Waiting {
        Waiting {
            id: OperationId::generate(),
            request_id: request,
            installation: Installation("a".into()),
            vmid,
            node: node.into(),
            weight: Weight::Power,
            lock_deadline: None,
            cancel: false,
        }
    }

    fn bounds(max_parallel: u32) -> Bounds {
        Bounds {
            max_parallel,
            max_per_node: 0,
            on_error_stop: false,
            has_failed: false,
            running: HashMap::new(),
            pause: 0,
            not_before: 0,
        }
    }

    #[test]
    fn one_container_one_operation() {
        let request = RequestId::generate();
        let queue = [waiting(request, 104, "pve1"), waiting(request, 104, "pve1")];
        let verdicts = admit(&queue, &HashMap::from([(request, bounds(8))]), &Running::default(), 0);
        assert_eq!(verdicts, [Verdict::Admit, Verdict::Refuse { holder: queue[0].id }]);
    }

    #[test]
    fn waits_for_a_lock_until_its_deadline() {
        let request = RequestId::generate();
        let mut op = waiting(request, 104, "pve1");
        op.lock_deadline = Some(10);
        let holder = OperationId::generate();
        let running = Running {
            locks: HashMap::from([((op.installation.clone(), 104), holder)]),
            slots: HashMap::new(),
        };
        let bounds = HashMap::from([(request, bounds(8))]);
        assert_eq!(admit(std::slice::from_ref(&op), &bounds, &running, 9), [Verdict::Keep]);
        assert_eq!(admit(&[op], &bounds, &running, 10), [Verdict::Refuse { holder }]);
    }

    #[test]
    fn a_failure_stops_the_batch_in_the_same_pass() {
        let request = RequestId::generate();
        let queue = [waiting(request, 101, "pve1"), waiting(request, 102, "pve1")];
        let stopping = Bounds { on_error_stop: true, ..bounds(1) };
        let holder = OperationId::generate();
        let locked = Running {
            locks: HashMap::from([((queue[0].installation.clone(), 101), holder)]),
            slots: HashMap::new(),
        };
        let bounds = HashMap::from([(request, stopping)]);
        assert_eq!(admit(&queue, &bounds, &locked, 0), [Verdict::Refuse { holder }, Verdict::Stop]);
        let cancelled = [Waiting { cancel: true, ..queue[0].clone() }, queue[1].clone()];
        assert_eq!(admit(&cancelled, &bounds, &Running::default(), 0), [Verdict::Cancel, Verdict::Stop]);
    }

    #[test]
    fn respects_every_bound() {
        let request = RequestId::generate();
        let queue: Vec<Waiting> = (0..40).map(|i| waiting(request, 100 + i, "pve1")).collect();
        let count = |verdicts: Vec<Verdict>| verdicts.iter().filter(|v| **v == Verdict::Admit).count();
        let run = |bounds: Bounds| {
            count(admit(&queue, &HashMap::from([(request, bounds)]), &Running::default(), 0))
        };
        assert_eq!(run(bounds(3)), 3);
        assert_eq!(run(bounds(100)), POWER_SLOTS as usize);
        assert_eq!(run(Bounds { max_per_node: 2, ..bounds(100) }), 2);
        assert_eq!(run(Bounds { not_before: 1, ..bounds(100) }), 0);
        assert_eq!(run(Bounds { pause: 1, ..bounds(100) }), 1);
        assert_eq!(run(Bounds { on_error_stop: true, has_failed: true, ..bounds(100) }), 0);
    }
}

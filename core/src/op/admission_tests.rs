//! Who is let in, and that one alone is treated like everybody.

use proptest::prelude::*;

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
    let running =
        Running { locks: HashMap::from([((op.installation.clone(), 104), holder)]), slots: HashMap::new() };
    let bounds = HashMap::from([(request, bounds(8))]);
    assert_eq!(admit(std::slice::from_ref(&op), &bounds, &running, 9), [Verdict::Keep]);
    assert_eq!(admit(&[op], &bounds, &running, 10), [Verdict::Refuse { holder }]);
}

proptest! {
    /// Whoever else waits: nobody is let in, kept out or refused who would not be with all of them in sight.
    #[test]
    fn one_alone_is_treated_like_everybody(
        others in prop::collection::vec((100_u32..103, 1..3, weights(), prop::option::of(0_i64..20)), 0..40),
        mine in (100_u32..103, 1..3, weights(), prop::option::of(0_i64..20), any::<bool>()),
        used in prop::collection::vec(0..20_u32, 4),
        locks in prop::collection::vec(any::<bool>(), 3),
    ) {
        let (batch, lone) = (RequestId::generate(), RequestId::generate());
        let of = |request, vmid, node: i32, weight, lock_deadline, cancel| {
            let plain = waiting(request, vmid, &format!("pve{node}"));
            Waiting { weight, lock_deadline, cancel, ..plain }
        };
        let mut queue: Vec<Waiting> = others
            .into_iter()
            .map(|(vmid, node, weight, deadline)| of(batch, vmid, node, weight, deadline, false))
            .collect();
        let (vmid, node, weight, deadline, cancel) = mine;
        let op = of(lone, vmid, node, weight, deadline, cancel);
        let here = |node: i32| (op.installation.clone(), format!("pve{node}"));
        let slots = HashMap::from([(here(1), (used[0], used[1])), (here(2), (used[2], used[3]))]);
        let mut running = Running { slots, ..Running::default() };
        for (vmid, _) in (100..).zip(locks).filter(|(_, locked)| *locked) {
            running.locks.insert((op.installation.clone(), vmid), OperationId::generate());
        }
        let slots = running.slots[&here(node)];
        let beside = Beside {
            holder: running.locks.get(&(op.installation.clone(), vmid)).copied(),
            used: if weight == Weight::Heavy { slots.1 } else { slots.0 },
            queued: queue.iter().any(|other| other.node == op.node || other.vmid == op.vmid),
        };
        let alone = admit_alone(&op, &beside, 10);
        queue.push(op);
        let all = admit(&queue, &HashMap::from([(batch, bounds(100)), (lone, bounds(1))]), &running, 10);
        match alone {
            None => {}
            Some(Verdict::Keep) => prop_assert_ne!(all.last(), Some(&Verdict::Admit)),
            decided => prop_assert_eq!(decided.as_ref(), all.last()),
        }
    }
}

fn weights() -> impl Strategy<Value = Weight> {
    prop::sample::select(vec![Weight::None, Weight::Power, Weight::Heavy])
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
    let run =
        |bounds: Bounds| count(admit(&queue, &HashMap::from([(request, bounds)]), &Running::default(), 0));
    assert_eq!(run(bounds(3)), 3);
    assert_eq!(run(bounds(100)), POWER_SLOTS as usize);
    assert_eq!(run(Bounds { max_per_node: 2, ..bounds(100) }), 2);
    assert_eq!(run(Bounds { not_before: 1, ..bounds(100) }), 0);
    assert_eq!(run(Bounds { pause: 1, ..bounds(100) }), 1);
    assert_eq!(run(Bounds { on_error_stop: true, has_failed: true, ..bounds(100) }), 0);
}

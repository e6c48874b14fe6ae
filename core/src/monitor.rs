//! When containers are looked into in the background. Owns the rhythm and how many at once; pure, who looks and what
//! is found there are others'.

use std::collections::BTreeMap;

use crate::ids::{ContainerId, Micros};
use crate::job::Node;
use crate::timing::{Timing, micros};

/// Looks at once on one node.
const AT_ONCE: usize = 2;
/// … and on all together: each is a process of ours there and a piece of an answer here.
const IN_ALL: usize = 16;
/// Looks at a new run until it has been seen for so many times what it gets to settle: some services take a while.
const EARLY: i64 = 4;
/// The longest pause after failures, in the usual ones; also how long anybody counts as interested.
pub const LONGEST: i64 = 12;

/// A container that runs and could be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its incarnation.
    pub id: ContainerId,
    /// Where.
    pub node: Node,
    /// Since when it runs; None = nobody knows.
    pub started: Option<Micros>,
    /// When it was looked into last, as far as others tell.
    pub checked: Option<Micros>,
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When.
    pub at: Micros,
    /// How many have failed, one after the other, with this one; 0 = it went well.
    pub failures: u32,
}

/// Which to look into now, those that have waited longest first. `busy` = the nodes of the looks under way.
#[must_use]
pub fn pick<'a>(
    candidates: &'a [Candidate],
    past: &BTreeMap<ContainerId, Past>,
    busy: &[&Node],
    now: Micros,
    timing: &Timing,
) -> Vec<&'a Candidate> {
    let last = |one: &Candidate| past.get(&one.id).map(|past| past.at).max(one.checked);
    let mut due: Vec<&Candidate> =
        candidates.iter().filter(|one| is_due(one, past.get(&one.id), now, timing)).collect();
    due.sort_by_key(|one| (last(one), one.id));
    let mut taken: BTreeMap<&Node, usize> = BTreeMap::new();
    busy.iter().for_each(|node| *taken.entry(node).or_default() += 1);
    due.retain(|one| {
        let taken = taken.entry(&one.node).or_default();
        *taken += 1;
        *taken <= AT_ONCE
    });
    due.truncate(IN_ALL.saturating_sub(busy.len()));
    due
}

fn is_due(one: &Candidate, past: Option<&Past>, now: Micros, timing: &Timing) -> bool {
    let (every, settle) = (micros(timing.inside.0), micros(timing.inside.1));
    let started = one.started.unwrap_or(Micros::MIN);
    // What happened in an earlier run is of no use in this one.
    let past = past.filter(|past| past.at >= started);
    let checked = past.map(|past| past.at).max(one.checked).filter(|at| *at >= started);
    // A clock that was put back makes nobody wait.
    let over = |since: Micros, wait: Micros| now < since || now >= since.saturating_add(wait);
    match (checked, past) {
        (None, _) => one.started.is_none_or(|started| over(started, settle)),
        (Some(at), Some(past)) if past.failures > 0 => {
            let doubled = 1_i64.checked_shl(past.failures - 1).filter(|times| *times > 0);
            over(at, every.saturating_mul(doubled.unwrap_or(LONGEST).min(LONGEST)))
        }
        (Some(at), _) if at.saturating_sub(started) < EARLY * settle => over(at, EARLY * settle),
        (Some(at), _) => over(at, every),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Installation;

    const S: Micros = 1_000_000;

    fn one(node: &str, started: Option<Micros>, checked: Option<Micros>) -> Candidate {
        let node = Node { installation: Installation("ab".repeat(32)), name: node.to_owned() };
        Candidate { id: ContainerId::generate(), node, started, checked }
    }

    #[test]
    fn often_at_first_and_seldom_after_failures() {
        let timing = Timing::default();
        let failed = |at, failures| Some(Past { at: at * S, failures });
        let now = 10_000;
        for (started, checked, past, due) in [
            (None, None, None, true),
            (Some(9_990), None, None, false),
            (Some(9_985), None, None, true),
            // Of an earlier run.
            (Some(9_980), Some(9_900), failed(9_950, 9), true),
            // It had only begun when it was looked into.
            (Some(9_920), Some(9_941), None, false),
            (Some(9_920), Some(9_940), None, true),
            (Some(0), Some(9_701), None, false),
            (Some(0), Some(9_700), None, true),
            (None, Some(9_700), None, true),
            (None, Some(9_000), failed(9_701, 1), false),
            (None, Some(9_000), failed(9_700, 1), true),
            (None, None, failed(9_500, 2), false),
            (None, None, failed(9_400, 2), true),
            (None, None, failed(6_401, 99), false),
            (None, None, failed(6_400, 99), true),
            // By a clock that was ahead.
            (Some(0), Some(10_001), None, true),
        ] {
            let one = one("pve1", started.map(|at| at * S), checked.map(|at| at * S));
            let told = is_due(&one, past.as_ref(), now * S, &timing);
            assert_eq!(told, due, "{started:?} {checked:?} {past:?}");
        }
    }

    #[test]
    fn two_at_once_on_a_node_and_who_waited_longest_first() {
        let all = [
            one("pve1", None, Some(3)),
            one("pve1", None, Some(1)),
            one("pve1", None, Some(2)),
            one("pve2", None, None),
            one("pve2", None, Some(4)),
        ];
        let picked = |busy: &[&Node]| -> Vec<ContainerId> {
            let none = BTreeMap::new();
            pick(&all, &none, busy, 1_000 * S, &Timing::default()).iter().map(|one| one.id).collect()
        };
        assert_eq!(picked(&[]), [3, 1, 2, 4].map(|at| all[at].id));
        let (first, second) = (&all[0].node, &all[3].node);
        assert_eq!(picked(&[first, second, second]), [all[1].id]);
    }

    #[test]
    fn sixteen_at_once_on_all_nodes() {
        let all: Vec<Candidate> = (0..40).map(|node| one(&format!("pve{node}"), None, None)).collect();
        let picked = |busy: &[&Node]| pick(&all, &BTreeMap::new(), busy, 1_000 * S, &Timing::default()).len();
        assert_eq!(picked(&[]), 16);
        let busy: Vec<&Node> = all.iter().take(10).map(|one| &one.node).collect();
        assert_eq!(picked(&busy), 6);
    }
}

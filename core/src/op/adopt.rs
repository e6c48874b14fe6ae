//! Finding the task of a dispatch whose answer was lost (ARCHITECTURE.md, rule 8). Pure: lists in, a verdict
//! out. Must not look anything up.

use std::collections::{BTreeMap, HashSet};

use super::step::Dispatch;
use crate::ids::Vmid;
use crate::pve::{TaskEntry, Upid};

/// What the task list says about a lost dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// No trace of it (yet).
    None,
    /// This is it.
    One(Upid),
    /// Several could be; whether all of them have ended.
    Many {
        /// None of them runs.
        all_ended: bool,
    },
}

/// What a node lists about one container, or one image, before something is sent there: none of that is ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Its tasks.
    pub upids: Vec<Upid>,
    /// Seconds of the node's own clock before which nothing that is not listed began.
    pub newest_start: i64,
}

impl Baseline {
    /// From a list that may be of the whole node, and may have been cut off at its old end. `subject` = what the tasks
    /// are about ([`crate::pve::Call::subject`]).
    #[must_use]
    pub fn of(listed: &[TaskEntry], subject: &str) -> Self {
        let upids: Vec<Upid> =
            listed.iter().filter(|task| task.upid.id == subject).map(|task| task.upid.clone()).collect();
        let newest = upids.iter().map(|upid| upid.start_time).max().unwrap_or(0);
        // Cut off is what ended before everything that is listed, so it began no later than that.
        let cut = listed.iter().filter_map(|task| task.end_time).min().map_or(0, |end| end + 1);
        Self { upids, newest_start: newest.max(cut) }
    }
}

/// Candidates have a type of the call's set, its subject and our identity inside the UPID, were not listed before
/// the dispatch, did not begin before the newest one that was, and belong to no other operation.
#[must_use]
pub fn adopt(dispatch: &Dispatch, vmid: Vmid, listed: &[TaskEntry], taken: &HashSet<Upid>) -> Adoption {
    let subject = dispatch.call.subject(vmid);
    // By name: a task that ends while Proxmox reads its lists may be in both of them.
    let mut candidates: BTreeMap<&Upid, bool> = BTreeMap::new();
    let possible = listed.iter().filter(|entry| {
        let upid = &entry.upid;
        dispatch.call.task_types().contains(&upid.kind.as_str())
            && upid.id == subject
            && upid.user == dispatch.identity
            && upid.start_time >= dispatch.newest_start
            && !dispatch.baseline.contains(upid)
            && !taken.contains(upid)
    });
    for entry in possible {
        *candidates.entry(&entry.upid).or_default() |= entry.exit.is_some();
    }
    match (candidates.len(), candidates.first_key_value()) {
        (1, Some((one, _))) => Adoption::One((*one).clone()),
        (_, Some(_)) => Adoption::Many { all_ended: candidates.values().all(|ended| *ended) },
        (_, None) => Adoption::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::{Call, TaskExit};

    fn upid(start: u32, kind: &str, user: &str) -> Upid {
        format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:{kind}:104:{user}:").parse().unwrap()
    }

    fn entry(upid: Upid, ended: bool) -> TaskEntry {
        TaskEntry { upid, exit: ended.then_some(TaskExit::Ok), end_time: None }
    }

    fn dispatch() -> Dispatch {
        Dispatch {
            call: Call::Start,
            node: "pve1".into(),
            identity: "lxcd@pve!cli".into(),
            baseline: vec![upid(100, "vzstart", "lxcd@pve!cli")],
            newest_start: 100,
            at: 0,
            ha: false,
        }
    }

    #[test]
    fn takes_only_what_is_ours_and_new() {
        let ours = upid(101, "vzstart", "lxcd@pve!cli");
        let listed = [
            entry(upid(100, "vzstart", "lxcd@pve!cli"), true),
            entry(upid(102, "vzstart", "root@pam"), false),
            entry(upid(103, "vzstop", "lxcd@pve!cli"), false),
            entry(upid(99, "vzstart", "lxcd@pve!cli"), true),
            entry(ours.clone(), false),
        ];
        assert_eq!(adopt(&dispatch(), 104, &listed, &HashSet::new()), Adoption::One(ours.clone()));
        assert_eq!(adopt(&dispatch(), 105, &listed, &HashSet::new()), Adoption::None);
        assert_eq!(adopt(&dispatch(), 104, &listed, &HashSet::from([ours])), Adoption::None);
    }

    #[test]
    fn a_download_is_found_by_its_file() {
        let upid = |start: u32, id: &str| -> Upid {
            format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:download:{id}:lxcd@pve!cli:").parse().unwrap()
        };
        let file = "debian-12-standard_12.11-1_amd64.tar.zst";
        let call = Call::Download { storage: "local".into(), file: file.into() };
        let listed =
            [entry(upid(100, file), true), entry(upid(101, file), false), entry(upid(101, "x"), false)];
        let before = Baseline::of(&listed[..1], &call.subject(104));
        assert_eq!((before.upids.len(), before.newest_start), (1, 100));
        let dispatch = Dispatch { call, baseline: before.upids, ..dispatch() };
        assert_eq!(adopt(&dispatch, 104, &listed, &HashSet::new()), Adoption::One(upid(101, file)));
        assert_eq!(adopt(&dispatch, 104, &listed[..1], &HashSet::new()), Adoption::None);
    }

    #[test]
    fn several_wait_for_all_to_end() {
        let (a, b) = (upid(101, "vzstart", "lxcd@pve!cli"), upid(101, "hastart", "lxcd@pve!cli"));
        let listed = [entry(a.clone(), true), entry(b.clone(), false)];
        assert_eq!(adopt(&dispatch(), 104, &listed, &HashSet::new()), Adoption::Many { all_ended: false });
        let listed = [entry(a, true), entry(b, true)];
        assert_eq!(adopt(&dispatch(), 104, &listed, &HashSet::new()), Adoption::Many { all_ended: true });
    }
}

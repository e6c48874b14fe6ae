//! Tasks: workers of a node, known by their UPID.
//!
//! Owns identity, log, end and visibility of a task. What a task does is `work`. A finished task stays in
//! the active list as running until the list is refreshed, and only then enters the archive.

use std::collections::HashMap;

use super::{Vmid, Work};
use crate::pvesim::auth::Identity;
use crate::pvesim::clock::Ms;

/// Index of a task.
pub type TaskId = usize;

/// The index of finished tasks is cut at this length, its one rotation included.
const ARCHIVE_MAX: usize = 2000;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// When, in model time.
    pub at: Ms,
    /// When, in the node's own time.
    pub wall: i64,
    /// `OK`, `WARNINGS: 1` or the text of the error.
    pub status: String,
}

/// One task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name everywhere.
    pub upid: String,
    /// Index of its node.
    pub node: usize,
    /// `vzstart`, `vzstop` …
    pub kind: String,
    /// What it is about, usually a container's number.
    pub id: String,
    /// Who asked for it.
    pub who: Identity,
    /// Worker's process id.
    pub pid: u32,
    /// Worker's start in the node's jiffies.
    pub pstart: i64,
    /// Start in the node's own time.
    pub starttime: i64,
    /// Start in model time.
    pub started: Ms,
    /// Log lines.
    pub log: Vec<String>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// When its end is noticed by the lists.
    pub settles: Ms,
    /// What it does.
    pub work: Work,
    /// The container whose lock it wants.
    pub vmid: Option<Vmid>,
    /// Position in its work.
    pub(super) stage: u8,
    /// Counts interruptions: a step scheduled before one is void.
    pub(super) turn: u32,
    /// Warnings printed so far.
    pub(super) warnings: u32,
    /// Did it come from a request (and not from HA or another task)?
    pub requested: bool,
}

impl Task {
    /// Has it ended?
    #[must_use]
    pub fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// The status the archive shows, if it ended at all.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.end.as_ref().map(|end| end.status.as_str())
    }
}

/// All tasks, with the lists of each node.
#[derive(Debug, Default)]
pub struct Tasks {
    all: Vec<Task>,
    by_upid: HashMap<String, TaskId>,
    active: Vec<Vec<TaskId>>,
    archive: Vec<Vec<TaskId>>,
}

impl Tasks {
    /// Empty lists for `nodes` nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { active: vec![Vec::new(); nodes], archive: vec![Vec::new(); nodes], ..Self::default() }
    }

    /// The task of that name.
    #[must_use]
    pub fn find(&self, upid: &str) -> Option<TaskId> {
        self.by_upid.get(upid).copied()
    }

    /// The task of that index.
    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.all.get(id)
    }

    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.all.get_mut(id)
    }

    pub(super) fn insert(&mut self, task: Task) -> TaskId {
        let id = self.all.len();
        self.by_upid.insert(task.upid.clone(), id);
        if let Some(list) = self.active.get_mut(task.node) {
            list.push(id);
        }
        self.all.push(task);
        id
    }

    /// Moves what has settled from the active lists to the archives.
    pub(super) fn settle(&mut self, now: Ms) {
        for (active, archive) in self.active.iter_mut().zip(&mut self.archive) {
            let all = &self.all;
            let settled = |id: &TaskId| all[*id].ended() && all[*id].settles <= now;
            let mut done: Vec<TaskId> = active.iter().copied().filter(settled).collect();
            if done.is_empty() {
                continue;
            }
            active.retain(|id| !settled(id));
            done.sort_by_key(|id| all[*id].end.as_ref().map(|e| e.at));
            archive.extend(done);
        }
    }

    /// The active list of a node: running tasks, and ended ones nobody has noticed yet.
    pub fn active(&self, node: usize) -> impl Iterator<Item = &Task> {
        self.active.get(node).into_iter().flatten().rev().filter_map(|id| self.all.get(*id))
    }

    /// The archive of a node, last finished first.
    pub fn archive(&self, node: usize) -> impl Iterator<Item = &Task> {
        let finished = self.archive.get(node).into_iter().flatten().rev();
        finished.take(ARCHIVE_MAX).filter_map(|id| self.all.get(*id))
    }

    /// Running tasks of a container.
    pub fn running_of(&self, vmid: Vmid) -> impl Iterator<Item = TaskId> + '_ {
        let live = self.active.iter().flatten().copied();
        live.filter(move |id| self.all[*id].vmid == Some(vmid) && !self.all[*id].ended())
    }

    /// Running tasks of a node.
    pub fn running_on(&self, node: usize) -> Vec<TaskId> {
        let live = self.active.get(node).into_iter().flatten().copied();
        live.filter(|id| !self.all[*id].ended()).collect()
    }

    /// Rotates the logs away: what is finished is forgotten.
    pub(super) fn rotate(&mut self) {
        for id in self.archive.iter_mut().flat_map(std::mem::take) {
            self.by_upid.remove(&self.all[id].upid);
        }
    }
}

/// Is this text shaped like a UPID? Fields of an unknown task need no more.
#[must_use]
pub fn is_upid(text: &str) -> bool {
    let hex = |s: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let fields: Vec<&str> = text.split(':').collect();
    match fields.as_slice() {
        ["UPID", node, pid, pstart, start, kind, _, user, ""] => {
            !node.is_empty()
                && hex(pid, 8..=8)
                && hex(pstart, 8..=9)
                && hex(start, 8..=8)
                && !kind.is_empty()
                && !user.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_upid;

    #[test]
    fn upids_are_recognised() {
        assert!(is_upid("UPID:pve:0000032B:00039782:6B00DA9A:vzstart:104:root@pam!lxcd:"));
        assert!(is_upid("UPID:pve:000015EB:100052232:6B00DE8D:imgdel:104@local:root@pam:"));
        assert!(!is_upid("notaupid"));
        assert!(!is_upid("UPID:pve:1:2:3:vzstart:104:root@pam:"));
    }
}

//! The beginning and the end of a worker.
//!
//! Owns the UPID, the last log line, when the lists notice an end, and the release of the lock. What happens in
//! between is `work`.

use super::task::End;
use super::{Event, Node, Record, Task, TaskId, Vmid, Work, World};
use crate::pvesim::auth::Identity;
use crate::pvesim::noise;

impl World {
    /// Starts a worker.
    pub fn spawn(&mut self, node: usize, kind: &str, id: &str, who: &Identity, work: Work) -> TaskId {
        let wall = self.wall.at(self.now());
        let uptime_ms = self.uptime_ms(node);
        let pid = self.nodes.get_mut(node).map_or(1, Node::fork);
        let pstart = uptime_ms / 10;
        let auth_id = &who.auth_id;
        let upid =
            format!("UPID:{}:{pid:08X}:{pstart:08X}:{wall:08X}:{kind}:{id}:{auth_id}:", self.node_name(node));
        let task = Task {
            upid: upid.clone(),
            node,
            kind: kind.to_owned(),
            id: id.to_owned(),
            who: who.clone(),
            pid,
            pstart,
            starttime: wall,
            started: self.now(),
            log: Vec::new(),
            end: None,
            settles: 0,
            work,
            vmid: id.parse().ok(),
            stage: 0,
            turn: 0,
            warnings: 0,
            requested: false,
        };
        let task = self.tasks.insert(task);
        self.ledger.note(self.now(), Record::TaskStart { upid });
        // The worker is forked, then the answer is written: its first step comes a moment later.
        self.after(20, Event::Step { task, turn: 0 });
        task
    }

    /// Ends a task; `last_line` is false where a worker was killed before it could say how it ended.
    pub(super) fn finish(&mut self, id: TaskId, status: &str, last_line: bool) {
        let (now, wall) = (self.now(), self.wall.at(self.now()));
        let lag = self.faults.list_lag_ms();
        let Some(task) = self.tasks.get_mut(id).filter(|t| !t.ended()) else { return };
        if last_line {
            task.log.push(match status {
                "OK" => "TASK OK".to_owned(),
                warned if warned.starts_with("WARNINGS") => format!("TASK {warned}"),
                error => format!("TASK ERROR: {error}"),
            });
        }
        task.end = Some(End { at: now, wall, status: status.replace('\n', " ") });
        // Most ends are noticed at once; now and then the list waits for its next refresh.
        let unnoticed = if noise::mix(u64::from(task.pid), 77).is_multiple_of(5) { 2000 } else { 0 };
        task.settles = now + unnoticed + lag;
        task.turn += 1;
        let (vmid, upid) = (task.vmid, task.upid.clone());
        self.ledger.note(now, Record::TaskEnd { upid, status: status.to_owned() });
        if let Some(vmid) = vmid {
            self.unlock(vmid, id);
            self.ha_task_ended(vmid, id);
        }
    }

    /// Gives up a config file lock; the next waiter goes on.
    pub(super) fn unlock(&mut self, vmid: Vmid, id: TaskId) {
        if let Some(next) = self.locks.release(vmid, id)
            && let Some(task) = self.tasks.get_mut(next)
        {
            task.log.push(" OK".to_owned());
            task.turn += 1;
            let turn = task.turn;
            self.after(0, Event::Step { task: next, turn });
        }
    }
}

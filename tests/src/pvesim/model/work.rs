//! How a worker goes about its work, step by step.
//!
//! Owns the driver: each kind of work is a list of stages, a stage says what comes next. The stages
//! themselves are in `power`, `create`, `download`, `destroy`, `migrate` and `ha`.

use super::lock::PATIENCE_MS;
use super::{CreateRequest, Event, TaskId, Vmid, World};
use crate::pvesim::clock::Ms;
use crate::pvesim::fault::TaskFault;
use crate::pvesim::reply::lock_timeout;

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Starts a container.
    Start {
        /// Log what LXC does, line by line.
        debug: bool,
    },
    /// Kills a container.
    Stop {
        /// Abort running shutdowns first.
        overrule: bool,
    },
    /// Shuts a container down.
    Shutdown {
        /// Seconds it is given.
        timeout: u64,
        /// Kill it afterwards.
        force: bool,
    },
    /// Shuts a container down and starts it again.
    Reboot {
        /// Seconds it is given.
        timeout: u64,
    },
    /// Destroys a container.
    Destroy {
        /// Kill it first if it runs.
        force: bool,
        /// Remove it from jobs and HA too.
        purge: bool,
    },
    /// Creates a container.
    Create(Box<CreateRequest>),
    /// Hands a request to HA.
    HaRequest {
        /// The state wanted.
        state: &'static str,
        /// Seconds a shutdown is given; 0 kills.
        timeout: u64,
    },
    /// Takes a container to another node; one that runs is down meanwhile.
    Migrate {
        /// Index of that node.
        target: usize,
    },
    /// Downloads an OS image, unless it is there.
    Download {
        /// The volume it becomes.
        volid: String,
        /// Bytes.
        size: u64,
        /// Where it comes from.
        from: String,
    },
    /// Says these lines, takes this long and ends well.
    Plain {
        /// Log lines.
        lines: Vec<String>,
        /// Model milliseconds.
        ms: Ms,
    },
}

/// What a stage wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The next stage, after a while.
    After(Ms),
    /// Another stage, after a while.
    Jump(u8, Ms),
    /// The next stage, once the config file lock is held.
    Lock,
    /// Nothing ever: only an abort ends it.
    Never,
    /// The end.
    End(String),
}

impl Next {
    pub(super) fn ok() -> Self {
        Self::End("OK".to_owned())
    }

    pub(super) fn fail(text: impl Into<String>) -> Self {
        Self::End(text.into())
    }
}

impl World {
    pub(super) fn step_if_current(&mut self, id: TaskId, turn: u32) {
        if self.tasks.get(id).is_some_and(|t| !t.ended() && t.turn == turn) {
            self.step(id);
        }
    }

    fn step(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        let (stage, vmid, turn) = (task.stage, task.vmid, task.turn);
        let next = match if stage == 0 { self.inject(id) } else { None } {
            Some(next) => next,
            None => self.stage(id, stage),
        };
        match next {
            Next::After(ms) => self.goto(id, stage + 1, ms, turn),
            Next::Jump(to, ms) => self.goto(id, to, ms, turn),
            Next::Never => {}
            Next::End(status) => self.end_with_warnings(id, &status),
            Next::Lock => {
                let Some(vmid) = vmid else { return self.goto(id, stage + 1, 0, turn) };
                let stuck = self.faults.take_lock_timeout(vmid);
                self.set_stage(id, stage + 1);
                if !stuck && self.locks.acquire(vmid, id) {
                    self.after(0, Event::Step { task: id, turn });
                } else {
                    self.say(id, "trying to acquire lock...");
                    self.after(PATIENCE_MS, Event::LockTimeout { task: id, turn });
                }
            }
        }
    }

    fn stage(&mut self, id: TaskId, stage: u8) -> Next {
        let Some(task) = self.tasks.get(id) else { return Next::ok() };
        let vmid = task.vmid.unwrap_or_default();
        match task.work.clone() {
            Work::Start { debug } => self.start_stage(id, vmid, stage, debug),
            Work::Stop { overrule } => self.stop_stage(id, vmid, stage, overrule),
            Work::Shutdown { timeout, force } => self.shutdown_stage(id, vmid, stage, timeout, force),
            Work::Reboot { timeout } => self.reboot_stage(id, vmid, stage, timeout),
            Work::Destroy { force, purge } => self.destroy_stage(id, vmid, stage, force, purge),
            Work::Create(request) => self.create_stage(id, vmid, stage, &request),
            Work::HaRequest { state, timeout } => self.ha_request_stage(id, vmid, stage, state, timeout),
            Work::Migrate { target } => self.migrate_stage(id, vmid, stage, target),
            Work::Download { volid, size, from } => self.download_stage(id, stage, &volid, size, &from),
            Work::Plain { lines, ms } => match stage {
                0 => Next::After(ms),
                _ => {
                    lines.iter().for_each(|line| self.say(id, line));
                    Next::ok()
                }
            },
        }
    }

    /// A fault that was ordered for this task, before it does anything.
    fn inject(&mut self, id: TaskId) -> Option<Next> {
        let task = self.tasks.get(id)?;
        let fault = self.faults.take_task(&task.kind, &task.id)?;
        match fault {
            TaskFault::Fail(text) => {
                self.undo_create(id);
                Some(Next::fail(text))
            }
            TaskFault::Hang => Some(Next::Never),
            TaskFault::Warn(text) => {
                self.say(id, &format!("WARN: {text}"));
                if let Some(task) = self.tasks.get_mut(id) {
                    task.warnings += 1;
                }
                None
            }
        }
    }

    fn goto(&mut self, id: TaskId, stage: u8, ms: Ms, turn: u32) {
        self.set_stage(id, stage);
        self.after(ms, Event::Step { task: id, turn });
    }

    fn set_stage(&mut self, id: TaskId, stage: u8) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.stage = stage;
        }
    }

    fn end_with_warnings(&mut self, id: TaskId, status: &str) {
        let warnings = self.tasks.get(id).map_or(0, |t| t.warnings);
        match status {
            "OK" if warnings > 0 => self.finish(id, &format!("WARNINGS: {warnings}"), true),
            _ => self.finish(id, status, true),
        }
    }

    /// Is a worker holding the config file lock of this container?
    #[must_use]
    pub fn config_locked(&self, vmid: Vmid) -> bool {
        self.locks.holder(vmid).is_some()
    }

    /// Appends a line to a task's log.
    pub(super) fn say(&mut self, id: TaskId, line: &str) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.log.push(line.to_owned());
        }
    }

    /// Appends a warning to a task's log; it will end with `WARNINGS`.
    pub(super) fn warn(&mut self, id: TaskId, line: &str) {
        self.say(id, &format!("WARN: {line}"));
        if let Some(task) = self.tasks.get_mut(id) {
            task.warnings += 1;
        }
    }

    pub(super) fn lock_timed_out(&mut self, id: TaskId, turn: u32) {
        let waiting = self.tasks.get(id).filter(|t| !t.ended() && t.turn == turn).and_then(|t| t.vmid);
        if let Some(vmid) = waiting {
            self.finish(id, &lock_timeout(vmid), true);
        }
    }

    /// Sends a worker TERM. One that is inside an external command reacts only when it is killed, 5 s later.
    pub fn abort(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id).filter(|t| !t.ended()) else { return };
        let timeout = match (&task.work, task.stage) {
            (Work::Shutdown { timeout, .. }, stage) if stage >= 2 => Some(*timeout),
            _ => None,
        };
        task.turn += 1;
        match (timeout, task.vmid) {
            (Some(timeout), Some(vmid)) if timeout > 0 => {
                task.log.push(format!(
                    "command 'lxc-stop -n {vmid} --nokill --timeout {timeout}' failed: received interrupt"
                ));
                self.after(5000, Event::Kill(id));
            }
            _ => self.finish(id, "received interrupt", true),
        }
    }

    /// Kills a worker (SIGKILL): it says nothing more.
    pub fn kill(&mut self, id: TaskId) {
        self.finish(id, "unexpected status", false);
    }

    /// Wakes workers that wait for a container to go down.
    pub(super) fn went_down(&mut self, vmid: Vmid) {
        let waiting: Vec<TaskId> = self.tasks.running_of(vmid).collect();
        for id in waiting {
            let Some(task) = self.tasks.get_mut(id) else { continue };
            let in_shutdown = match task.work {
                Work::Shutdown { .. } => task.stage >= 2,
                Work::Reboot { .. } => task.stage == 2,
                _ => false,
            };
            if in_shutdown && self.locks.holder(vmid) == Some(id) {
                let Some(task) = self.tasks.get_mut(id) else { continue };
                task.turn += 1;
                task.stage = 2;
                let turn = task.turn;
                self.after(100, Event::Step { task: id, turn });
            }
        }
    }
}

//! A Proxmox of one container, as simple as it can be, with a fate that decides what goes wrong. Owns what
//! calls and tasks do; what is made of it is the engine's.

use std::collections::BTreeMap;

use lxc_core::job::{JobExit, JobReading, JobState};
use lxc_core::op::{Facts, Kind, Reply, Seen};
use lxc_core::ports::{JobError, PveError};
use lxc_core::pve::{Call, Power, Refusal, TaskEntry, TaskExit, Upid};

use super::arbitrary::{OURS, live, upid, upid_of};

/// What goes wrong, one number at a time; when they are used up nothing does any more.
#[derive(Debug)]
pub(crate) struct Fate(pub(crate) std::vec::IntoIter<u8>);

impl Fate {
    /// 0 = all is well.
    pub(crate) fn next(&mut self) -> u8 {
        self.0.next().unwrap_or(0)
    }
}

/// A task, which takes effect when it ends.
#[derive(Debug)]
struct Task {
    upid: Upid,
    does: Does,
    exit: Option<TaskExit>,
}

/// What a task comes to.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// The container is so; None = gone.
    Container(Option<Power>),
    /// The image is there.
    Image,
}

/// The container, its tasks, and what happened.
#[derive(Debug)]
pub(crate) struct World {
    /// None = gone.
    pub(crate) power: Option<Power>,
    /// It is the one that is meant, or that was made.
    pub(crate) ours: bool,
    /// The image it is made from is on its storage.
    pub(crate) image: bool,
    /// Its number; calls go to the one that is tried.
    vmid: u32,
    dead: bool,
    tasks: Vec<Task>,
    /// Calls that arrived and made a task.
    pub(crate) accepted: u32,
    /// Calls whose fate the caller was not told.
    pub(crate) lost: u32,
    jobs: BTreeMap<usize, JobState>,
    /// Tasks and jobs that did not end well.
    pub(crate) failed: u32,
}

impl World {
    pub(crate) fn new(power: Power) -> Self {
        Self {
            power: Some(power),
            ours: true,
            image: true,
            vmid: 104,
            dead: false,
            tasks: Vec::new(),
            accepted: 0,
            lost: 0,
            failed: 0,
            jobs: BTreeMap::new(),
        }
    }

    /// Where one is to be made: nobody has its number, or somebody runs there.
    pub(crate) fn of(kind: &Kind, power: Power) -> Self {
        match kind {
            Kind::Create { .. } => {
                let power = Some(power).filter(|power| *power == Power::Running);
                let image = kind.download().is_none();
                Self { power, image, ours: false, ..Self::new(Power::Stopped) }
            }
            _ => Self::new(power),
        }
    }

    /// The same at another number, which nobody has.
    pub(crate) fn renumbered(&mut self) {
        self.vmid += 1;
        self.power = None;
        self.ours = false;
    }

    /// The node never answers.
    pub(crate) fn dead(self) -> Self {
        Self { dead: true, ..self }
    }

    fn away(&self, fate: &mut Fate) -> Option<PveError> {
        match fate.next() {
            1 => Some(PveError::NotDelivered("no route".into())),
            2 => Some(PveError::Lost("reset".into())),
            3 => Some(PveError::Garbage("<html>".into())),
            _ if self.dead => Some(PveError::NotDelivered("no route".into())),
            _ => None,
        }
    }

    pub(crate) fn look(&self, fate: &mut Fate, facts: &mut Facts) {
        facts.trouble = self.away(fate);
        if facts.trouble.is_none() {
            facts.seen = Some(self.power.map_or(Seen::Absent, |power| Seen::There {
                node: "pve1".into(),
                live: Box::new(live(power)),
                same: Some(self.ours),
                config: None,
            }));
        }
    }

    pub(crate) fn look_for_image(&self, fate: &mut Fate, facts: &mut Facts) {
        facts.trouble = self.away(fate);
        if facts.trouble.is_none() {
            facts.image = Some(self.image);
        }
    }

    /// The call arrives: refused, or a task.
    fn arrive(&mut self, call: &Call) -> Result<Upid, PveError> {
        let refuse = |text: &str| Err(PveError::Refused(Refusal::from_text(text)));
        if let Call::Download { file, .. } = call {
            let upid = upid_of(self.accepted + 1, "download", file, OURS);
            return Ok(self.began(upid, Does::Image));
        }
        let (kind, goal) = match (call, self.power) {
            (Call::Create { .. }, None) if !self.image => return refuse("volume does not exist"),
            (Call::Create { .. }, None) => ("vzcreate", Some(Power::Stopped)),
            (Call::Create { .. }, Some(_)) => return refuse("CT 104 already exists on node 'pve1'"),
            (_, None) => return refuse("Configuration file 'nodes/pve1/lxc/104.conf' does not exist"),
            (Call::Start, Some(Power::Running)) => return refuse("CT 104 already running"),
            (Call::Stop { .. } | Call::Shutdown { .. }, Some(Power::Stopped)) => {
                return refuse("CT 104 not running");
            }
            (Call::Start, _) => ("vzstart", Some(Power::Running)),
            (Call::Stop { .. }, _) => ("vzstop", Some(Power::Stopped)),
            (Call::Shutdown { .. }, _) => ("vzshutdown", Some(Power::Stopped)),
            (Call::Delete { .. } | Call::Download { .. }, _) => ("vzdestroy", None),
        };
        let upid = upid(self.accepted + 1, kind, self.vmid, OURS);
        Ok(self.began(upid, Does::Container(goal)))
    }

    fn began(&mut self, upid: Upid, does: Does) -> Upid {
        self.accepted += 1;
        self.tasks.push(Task { upid: upid.clone(), does, exit: None });
        upid
    }

    /// A task has come to its end.
    fn take_effect(&mut self, at: usize) {
        match self.tasks[at].does {
            Does::Image => self.image = true,
            Does::Container(power) => {
                self.ours |= self.tasks[at].upid.kind == "vzcreate";
                self.power = power;
            }
        }
    }

    /// None = the caller died before it knew.
    pub(crate) fn dispatch(&mut self, call: &Call, fate: &mut Fate) -> Option<Reply> {
        let lost = || Some(Reply::Error(PveError::Lost("reset".into())));
        let busy = "can't lock file '/run/lock/lxc/pve-config-104.lock' - got timeout";
        match fate.next() {
            1 => Some(Reply::Error(PveError::NotDelivered("refused".into()))),
            2 => {
                self.lost += 1;
                lost()
            }
            3 => {
                self.lost += 1;
                let _ = self.arrive(call);
                lost()
            }
            4 => {
                self.lost += 1;
                None
            }
            5 => {
                self.lost += 1;
                let _ = self.arrive(call);
                None
            }
            6 => Some(Reply::Error(PveError::Refused(Refusal::from_text(busy)))),
            _ if self.dead => Some(Reply::Error(PveError::NotDelivered("no route".into()))),
            _ => Some(match self.arrive(call) {
                Ok(upid) => Reply::Accepted(upid),
                Err(error) => Reply::Error(error),
            }),
        }
    }

    pub(crate) fn list(&mut self, fate: &mut Fate, facts: &mut Facts) {
        facts.trouble = self.away(fate);
        if facts.trouble.is_some() {
            return;
        }
        // A list may lag: a task may not be in it yet. Once nothing goes wrong any more it is.
        let shown = if fate.next() == 1 { 0 } else { self.tasks.len() };
        let entry =
            |task: &Task| TaskEntry { upid: task.upid.clone(), exit: task.exit.clone(), end_time: None };
        facts.listed = Some(self.tasks[..shown].iter().map(entry).collect());
        self.pass();
    }

    /// Time passes: what runs comes to its end.
    pub(crate) fn pass(&mut self) {
        for at in 0..self.tasks.len() {
            if self.tasks[at].exit.is_none() {
                self.tasks[at].exit = Some(TaskExit::Ok);
                self.take_effect(at);
            }
        }
    }

    pub(crate) fn follow(&mut self, upid: &Upid, fate: &mut Fate, facts: &mut Facts) {
        facts.trouble = self.away(fate);
        if facts.trouble.is_some() {
            return;
        }
        let at = self.tasks.iter().position(|task| task.upid == *upid).unwrap();
        if self.tasks[at].exit.is_none() {
            let exit = match fate.next() {
                1 => return,
                2 => TaskExit::Error("no space left on device".into()),
                3 => TaskExit::Vanished("unexpected status".into()),
                4 => TaskExit::Error("can't lock file '/x' - got timeout".into()),
                5 => TaskExit::Warnings(1),
                _ => TaskExit::Ok,
            };
            if matches!(exit, TaskExit::Ok | TaskExit::Warnings(_)) {
                self.take_effect(at);
            } else {
                self.failed += 1;
            }
            self.tasks[at].exit = Some(exit);
        }
        facts.ended = self.tasks[at].exit.clone().map(|exit| (exit, Vec::new()));
    }

    /// Starts the job of a step or reads on; once it has ended it stays so.
    pub(crate) fn work(&mut self, step: usize, next: u64, fate: &mut Fate, facts: &mut Facts) {
        if let Some(away) = self.away(fate) {
            facts.unreached = Some(JobError::Refused(away.to_string()));
            return;
        }
        let before = self.jobs.get(&step).cloned().unwrap_or(JobState::Absent);
        let state = match before {
            JobState::Absent | JobState::Running => match fate.next() {
                1 | 2 => JobState::Running,
                3 => JobState::Ended(JobExit::Code(1)),
                4 => JobState::Lost("the node was restarted".into()),
                5 => JobState::Ended(JobExit::TimedOut),
                _ => JobState::Ended(JobExit::Code(0)),
            },
            over => over,
        };
        let well = matches!(state, JobState::Running | JobState::Ended(JobExit::Code(0)));
        self.failed += u32::from(!well);
        self.jobs.insert(step, state.clone());
        let output = if next == 0 { b"a line\n".to_vec() } else { Vec::new() };
        facts.reading = Some(JobReading { skipped: 0, next: next + output.len() as u64, output, state });
    }

    pub(crate) fn stop_work(&mut self, step: usize) {
        self.jobs.insert(step, JobState::Ended(JobExit::Cancelled));
    }

    pub(crate) fn stop_task(&mut self, upid: &Upid) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.upid == *upid && task.exit.is_none()) {
            task.exit = Some(TaskExit::Vanished("received interrupt".into()));
            self.failed += 1;
        }
    }
}

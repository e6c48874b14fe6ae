//! A Proxmox of one container, in memory, whose tasks end at once. For engines without a daemon around them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lxc_core::ids::Vmid;
use lxc_core::ports::{LogPage, PveApi, PveError};
use lxc_core::pve::{
    Call, Config, Live, Placement, Power, Refusal, TaskEntry, TaskExit, TaskStatus, Upid, Usage,
};
use parking_lot::Mutex;

const OURS: &str = "lxcd@pve!cli";

/// What there is, and what was asked of it.
#[derive(Default)]
pub(crate) struct Fake(Mutex<World>);

#[derive(Default)]
struct World {
    away: bool,
    /// Questions that reached nobody.
    unheard: usize,
    looks: usize,
    runs: bool,
    calls: usize,
    tasks: Vec<Upid>,
}

impl Fake {
    /// How many calls arrived, refused ones too.
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().calls
    }

    /// How often its config was read.
    pub(crate) fn looks(&self) -> usize {
        self.0.lock().looks
    }

    /// No question reaches it from now on.
    pub(crate) fn goes_away(&self) {
        self.0.lock().away = true;
    }

    /// How many did not.
    pub(crate) fn unheard(&self) -> usize {
        self.0.lock().unheard
    }

    fn reached(&self) -> Result<(), PveError> {
        let mut world = self.0.lock();
        if !world.away {
            return Ok(());
        }
        world.unheard += 1;
        Err(PveError::NotDelivered("no route to host".to_owned()))
    }

    pub(crate) fn runs(&self) -> bool {
        self.0.lock().runs
    }

    fn list(&self) -> Vec<TaskEntry> {
        let entry = |upid: &Upid| TaskEntry { upid: upid.clone(), exit: Some(TaskExit::Ok), end_time: None };
        self.0.lock().tasks.iter().map(entry).collect()
    }
}

#[async_trait]
impl PveApi for Fake {
    fn identity(&self) -> &str {
        OURS
    }

    async fn current(&self, _: &str, vmid: Vmid) -> Result<Live, PveError> {
        self.reached()?;
        Ok(Live {
            vmid,
            name: None,
            power: if self.runs() { Power::Running } else { Power::Stopped },
            lock: None,
            template: false,
            ha: None,
            tags: Vec::new(),
            usage: Usage::default(),
        })
    }

    async fn config(&self, _: &str, _: Vmid) -> Result<Config, PveError> {
        self.0.lock().looks += 1;
        self.reached()?;
        Ok(Config::default())
    }

    async fn locate(&self, _: Vmid) -> Result<Option<Placement>, PveError> {
        self.reached()?;
        Ok(Some(Placement { node: "pve1".to_owned(), is_vm: false }))
    }

    async fn vmid_free(&self, _: Vmid) -> Result<bool, PveError> {
        self.reached()?;
        Ok(true)
    }

    async fn images(&self, _: &str, _: &str) -> Result<Vec<String>, PveError> {
        self.reached()?;
        Ok(Vec::new())
    }

    async fn tasks_of(&self, _: &str, _: Vmid, _: &Call) -> Result<Vec<TaskEntry>, PveError> {
        self.reached()?;
        Ok(self.list())
    }

    async fn active_tasks(&self, _: &str) -> Result<Vec<TaskEntry>, PveError> {
        self.reached()?;
        Ok(Vec::new())
    }

    async fn task_status(&self, _: &Upid) -> Result<TaskStatus, PveError> {
        self.reached()?;
        Ok(TaskStatus::Ended(TaskExit::Ok))
    }

    async fn task_log(&self, _: &Upid, _: u64) -> Result<LogPage, PveError> {
        self.reached()?;
        Ok(LogPage::default())
    }

    async fn dispatch(&self, node: &str, vmid: Vmid, _: &Call) -> Result<Upid, PveError> {
        let mut world = self.0.lock();
        world.calls += 1;
        if world.runs {
            return Err(PveError::Refused(Refusal::from_text(&format!("CT {vmid} already running"))));
        }
        world.runs = true;
        let start = world.calls;
        let upid: Upid =
            format!("UPID:{node}:0003A1F2:01F0C3B7:{start:08X}:vzstart:{vmid}:{OURS}:").parse().unwrap();
        world.tasks.push(upid.clone());
        Ok(upid)
    }

    async fn stop_task(&self, _: &Upid) -> Result<(), PveError> {
        Ok(())
    }

    async fn interfaces(&self, _: &str, _: Vmid) -> Result<BTreeMap<String, Vec<String>>, PveError> {
        Ok(BTreeMap::new())
    }
}

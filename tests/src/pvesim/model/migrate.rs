//! Taking a container to another node.
//!
//! Owns the stages of the worker. A container cannot be moved while it runs: it is stopped first, and who wants
//! it to run there starts it.

use super::work::Next;
use super::{TaskId, Vmid, World};

impl World {
    pub(super) fn migrate_stage(&mut self, id: TaskId, vmid: Vmid, stage: u8, target: usize) -> Next {
        if stage == 0 {
            return Next::Lock;
        }
        let running = match self.own_container(id, vmid) {
            Ok(ct) => ct.running(),
            Err(next) => return next,
        };
        let to = self.node_name(target).to_owned();
        let upid = self.tasks.get(id).map_or_else(String::new, |t| t.upid.clone());
        let Some(ct) = self.container_mut(vmid) else { return Next::ok() };
        match stage {
            1 => match ct.lock().map(str::to_owned) {
                Some(lock) => Next::fail(format!("CT is locked ({lock})")),
                None => {
                    ct.config.set("lock", "migrate");
                    if running {
                        self.say(id, &format!("shutdown CT {vmid}"));
                    }
                    Next::After(if running { self.lasting(id, 950, 1150) } else { 0 })
                }
            },
            2 => {
                self.say(id, &format!("starting migration of CT {vmid} to node '{to}'"));
                self.power(vmid, false, &upid);
                Next::After(self.lasting(id, 1000, 2000))
            }
            _ => {
                ct.config.remove("lock");
                if self.nodes.get(target).is_none_or(|node| !node.online) {
                    return Next::fail("migration aborted");
                }
                self.relocate(vmid, target, &upid);
                Next::ok()
            }
        }
    }
}

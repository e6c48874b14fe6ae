//! Destroying a container.
//!
//! Owns the stages of the worker; a lost race ends with the text of a missing configuration file.

use super::work::Next;
use super::{TaskId, Vmid, World};

impl World {
    pub(super) fn destroy_stage(
        &mut self,
        id: TaskId,
        vmid: Vmid,
        stage: u8,
        force: bool,
        purge: bool,
    ) -> Next {
        if stage == 0 {
            return Next::Lock;
        }
        let ct = match self.own_container(id, vmid) {
            Ok(ct) => ct,
            Err(next) => return next,
        };
        match stage {
            1 if ct.config.flag("protection") => {
                Next::fail(format!("can't remove CT {vmid} - protection mode enabled"))
            }
            1 => match ct.lock().map(str::to_owned) {
                Some(lock) => Next::fail(format!("CT is locked ({lock})")),
                None if ct.running() && !force => {
                    Next::fail(format!("unable to destroy CT {vmid} - container is running"))
                }
                None if ct.running() => {
                    self.say(id, &format!("forced to stop CT {vmid} before destroying!"));
                    Next::After(700)
                }
                None => Next::After(0),
            },
            2 => {
                let upid = self.tasks.get(id).map_or_else(String::new, |t| t.upid.clone());
                self.power(vmid, false, &upid);
                if purge {
                    self.say(id, &format!("purging CT {vmid} from related configurations.."));
                }
                Next::After(self.lasting(id, 300, 700))
            }
            _ => {
                let upid = self.tasks.get(id).map_or_else(String::new, |t| t.upid.clone());
                self.remove(vmid);
                // A number that is used again starts without rights, and outside any pool.
                self.access.forget_path(&format!("/vms/{vmid}"));
                self.access.pool_of.remove(&vmid);
                self.effect(vmid, "destroyed", &upid);
                Next::ok()
            }
        }
    }
}

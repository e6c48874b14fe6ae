//! Starting, stopping, shutting down and rebooting a container.
//!
//! Owns the stages and durations of these workers, as measured on a genuine installation. Checks here are
//! those Proxmox makes inside the worker; the ones before it are in `api`.

use super::work::Next;
use super::{Container, TaskId, Vmid, Work, World};
use crate::pvesim::noise;

impl World {
    pub(super) fn no_config(&self, id: TaskId, vmid: Vmid) -> String {
        let node = self.tasks.get(id).map_or("", |t| self.node_name(t.node));
        format!("Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist")
    }

    /// The container on the task's node, or the text of its absence.
    pub(super) fn own_container(&self, id: TaskId, vmid: Vmid) -> Result<&Container, Next> {
        let node = self.tasks.get(id).map_or(usize::MAX, |t| t.node);
        self.container_on(node, vmid).ok_or_else(|| Next::fail(self.no_config(id, vmid)))
    }

    /// A duration that is always the same for the same task.
    pub(super) fn lasting(&self, id: TaskId, low: u64, high: u64) -> u64 {
        noise::between(noise::mix(self.seed, id as u64), low, high)
    }

    fn upid(&self, id: TaskId) -> String {
        self.tasks.get(id).map_or_else(String::new, |t| t.upid.clone())
    }

    fn missing_bridge(&self, ct: &Container) -> Option<String> {
        let node = self.nodes.get(ct.node)?;
        let bridges = ct.config.networks().filter_map(|net| ct.config.property(net, "bridge"));
        let missing = bridges.into_iter().find(|b| !node.bridges.iter().any(|known| known == b));
        missing.map(|b| format!("bridge '{b}' does not exist"))
    }

    fn start_ms(&self, id: TaskId, ct: &Container) -> u64 {
        // Measured: 1.1 s for a busybox, 1.9 to 2.2 s for a Debian with systemd (docs/proxmox.md).
        let slim = matches!(ct.config.get("ostype"), Some("alpine" | "unmanaged"));
        let (low, high) = if slim { (1050, 1150) } else { (1900, 2200) };
        ct.behaviour.start_ms.unwrap_or_else(|| self.lasting(id, low, high))
    }

    fn startup_failed(&mut self, id: TaskId, vmid: Vmid, exit: u8) -> Next {
        self.say(id, &format!("run_buffer: 571 Script exited with status {exit}"));
        self.say(id, &format!("lxc_init: 845 Failed to run lxc.hook.pre-start for container \"{vmid}\""));
        self.say(id, &format!("__lxc_start: 2039 Failed to initialize container \"{vmid}\""));
        Next::fail(format!("startup for container '{vmid}' failed"))
    }

    pub(super) fn start_stage(&mut self, id: TaskId, vmid: Vmid, stage: u8, debug: bool) -> Next {
        if stage == 0 {
            return Next::Lock;
        }
        let ct = match self.own_container(id, vmid) {
            Ok(ct) => ct,
            Err(next) => return next,
        };
        let whole = self.start_ms(id, ct);
        match stage {
            1 if ct.is_template() => Next::fail("you can't start a CT if it's a template"),
            1 => match ct.lock().filter(|l| *l != "mounted") {
                Some(lock) => Next::fail(format!("CT is locked ({lock})")),
                // A second start waits for a monitor that never reports, holding the lock all the while.
                None if ct.running() => Next::Jump(5, 9500),
                None => Next::After(whole / 5),
            },
            2 => match self.missing_bridge(ct) {
                Some(text) => Next::fail(text),
                None if ct.behaviour.fails_start => self.startup_failed(id, vmid, 2),
                None => Next::After(whole * 2 / 5),
            },
            3 => {
                let warns = ct.behaviour.warns;
                let upid = self.upid(id);
                self.power(vmid, true, &upid);
                if debug {
                    self.say_debug(id, vmid);
                }
                if warns {
                    self.warn(id, "Systemd 252 detected. You may need to enable nesting.");
                }
                Next::After(whole * 2 / 5)
            }
            5 => {
                self.say(id, "problem with monitor socket, but continuing anyway: got timeout");
                self.say(id, "");
                Next::ok()
            }
            _ => Next::ok(),
        }
    }

    /// LXC's own log: more lines than a page of the task log holds.
    fn say_debug(&mut self, id: TaskId, vmid: Vmid) {
        for line in 0..129 {
            let text = format!(
                "DEBUG    start - ../src/lxc/start.c:lxc_spawn:{} - Container \"{vmid}\" step {line}",
                1600 + line
            );
            self.say(id, &text);
        }
    }

    pub(super) fn stop_stage(&mut self, id: TaskId, vmid: Vmid, stage: u8, overrule: bool) -> Next {
        match stage {
            0 => {
                if overrule {
                    self.overrule(id, vmid);
                }
                Next::Jump(1, 0)
            }
            1 => Next::Lock,
            2 => match self.own_container(id, vmid) {
                Err(next) => next,
                Ok(ct) => match ct.lock().filter(|l| *l != "mounted") {
                    Some(lock) => Next::fail(format!("CT is locked ({lock})")),
                    None => Next::After(self.lasting(id, 750, 1050)),
                },
            },
            _ => {
                let upid = self.upid(id);
                self.power(vmid, false, &upid);
                Next::ok()
            }
        }
    }

    fn overrule(&mut self, id: TaskId, vmid: Vmid) {
        let shutdowns: Vec<TaskId> = self.tasks.running_of(vmid).collect();
        let own = |t: &super::Task| matches!(t.work, Work::Shutdown { .. });
        let aborted: Vec<TaskId> =
            shutdowns.into_iter().filter(|s| self.tasks.get(*s).is_some_and(own)).collect();
        let names: Vec<String> = aborted.iter().map(|s| self.upid(*s)).collect();
        aborted.into_iter().for_each(|s| self.abort(s));
        if !names.is_empty() {
            self.say(id, &format!("overruled vzshutdown tasks: {}", names.join(", ")));
        }
    }

    pub(super) fn shutdown_stage(
        &mut self,
        id: TaskId,
        vmid: Vmid,
        stage: u8,
        timeout: u64,
        force: bool,
    ) -> Next {
        match stage {
            0 => Next::Lock,
            1 => match self.own_container(id, vmid) {
                Err(next) => next,
                Ok(ct) => match ct.lock() {
                    Some(lock) => Next::fail(format!("CT is locked ({lock})")),
                    None if !ct.running() => Next::ok(),
                    None if !ct.behaviour.stubborn => Next::After(self.lasting(id, 950, 1150)),
                    // Without a timeout the guest is waited for as long as it takes.
                    None if timeout == 0 => {
                        if let Some(task) = self.tasks.get_mut(id) {
                            task.stage = 2;
                        }
                        Next::Never
                    }
                    None if force => Next::Jump(2, timeout * 1000 + 800),
                    None => Next::Jump(3, (2 * timeout + 5) * 1000),
                },
            },
            2 => {
                let upid = self.upid(id);
                self.power(vmid, false, &upid);
                Next::ok()
            }
            _ => {
                self.say(
                    id,
                    &format!("command 'lxc-stop -n {vmid} --nokill --timeout {timeout}' failed: exit code 1"),
                );
                Next::fail("container did not stop")
            }
        }
    }

    pub(super) fn reboot_stage(&mut self, id: TaskId, vmid: Vmid, stage: u8, timeout: u64) -> Next {
        match stage {
            0 => Next::Lock,
            1 => match self.own_container(id, vmid) {
                Err(next) => next,
                Ok(ct) if !ct.running() => Next::ok(),
                Ok(ct) if !ct.behaviour.stubborn => Next::After(self.lasting(id, 950, 1150)),
                Ok(_) => Next::Jump(2, timeout * 1000 + 700),
            },
            2 => {
                let upid = self.upid(id);
                self.power(vmid, false, &upid);
                match self.own_container(id, vmid) {
                    Err(next) => next,
                    Ok(ct) => Next::After(self.start_ms(id, ct) * 3 / 5),
                }
            }
            3 => match self.own_container(id, vmid) {
                Err(next) => next,
                // The lock is seen by the hook only, after the container is down already.
                Ok(ct) if ct.lock().is_some() => self.startup_failed(id, vmid, 255),
                Ok(ct) if ct.behaviour.fails_start => self.startup_failed(id, vmid, 2),
                Ok(ct) => match self.missing_bridge(ct) {
                    Some(text) => Next::fail(text),
                    None => {
                        let rest = self.start_ms(id, ct) * 2 / 5;
                        let upid = self.upid(id);
                        self.power(vmid, true, &upid);
                        Next::After(rest)
                    }
                },
            },
            _ => Next::ok(),
        }
    }

    /// The container goes down by itself, without any task.
    pub fn power_off_inside(&mut self, vmid: Vmid) {
        self.power(vmid, false, "inside");
        self.went_down(vmid);
    }

    /// The container comes up by itself (at boot, or by hand on the node).
    pub fn power_on_inside(&mut self, vmid: Vmid) {
        self.power(vmid, true, "inside");
    }
}

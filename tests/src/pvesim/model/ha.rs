//! The high-availability manager, as far as a client of containers meets it.
//!
//! Owns the life of a service: a request is queued by a task that is OK at once, the manager acts seconds
//! later with a task of its own, and a shutdown that misses its timeout puts the service into `error`, which
//! ignores everything until it is disabled.

use super::work::Next;
use super::{Event, TaskId, Vmid, Work, World};
use crate::pvesim::auth::Identity;
use crate::pvesim::noise;

impl World {
    pub(super) fn ha_request_stage(
        &mut self,
        id: TaskId,
        vmid: Vmid,
        stage: u8,
        state: &'static str,
        timeout: u64,
    ) -> Next {
        match stage {
            0 => {
                let what = if state == "started" { "start" } else { "stop" };
                self.say(id, &format!("Requesting HA {what} for CT {vmid}"));
                Next::After(300)
            }
            _ => {
                self.ha_request(vmid, state, timeout);
                Next::ok()
            }
        }
    }

    /// Asks for a state. A service in `error` only listens to `disabled`.
    pub fn ha_request(&mut self, vmid: Vmid, state: &str, timeout: u64) {
        let delay = noise::between(noise::mix(self.seed, self.now()), 2000, 6000);
        let Some(ct) = self.container_mut(vmid) else { return };
        let running = ct.running();
        let Some(ha) = ct.ha.as_mut() else { return };
        if ha.state == "error" && state != "disabled" {
            return;
        }
        ha.requested = state.to_owned();
        ha.timeout = timeout;
        ha.turn += 1;
        ha.state = match (state, running) {
            ("started", false) => "request_start".to_owned(),
            ("started", true) => "started".to_owned(),
            (_, true) => "request_stop".to_owned(),
            (_, false) => "stopped".to_owned(),
        };
        let turn = ha.turn;
        self.after(delay, Event::HaAct { vmid, turn });
    }

    pub(super) fn ha_act(&mut self, vmid: Vmid, turn: u64) {
        let Some(ct) = self.container(vmid) else { return };
        let (node, running) = (ct.node, ct.running());
        let Some(ha) = ct.ha.as_ref().filter(|ha| ha.turn == turn) else { return };
        let timeout = ha.timeout;
        let (kind, work) = match (ha.requested.as_str(), running) {
            ("started", false) => ("vzstart", Work::Start { debug: false }),
            ("started", true) | (_, false) => return,
            (_, true) if timeout == 0 => ("vzstop", Work::Stop { overrule: false }),
            (_, true) => ("vzshutdown", Work::Shutdown { timeout, force: false }),
        };
        self.spawn(node, kind, &vmid.to_string(), &Identity::root(), work);
    }

    /// Settles the service's state once the manager's own task is through.
    pub(super) fn ha_task_ended(&mut self, vmid: Vmid, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        let ours = task.who.is_root() && matches!(task.kind.as_str(), "vzstart" | "vzstop" | "vzshutdown");
        let (failed, upid) =
            (task.status().is_none_or(|s| s != "OK" && !s.starts_with("WARN")), task.upid.clone());
        let Some(ct) = self.container_mut(vmid) else { return };
        let running = ct.running();
        let Some(ha) = ct.ha.as_mut().filter(|_| ours) else { return };
        if failed {
            ha.state = "error".to_owned();
            self.effect(vmid, "ha-error", &upid);
        } else {
            ha.state = if running { "started" } else { "stopped" }.to_owned();
        }
    }
}

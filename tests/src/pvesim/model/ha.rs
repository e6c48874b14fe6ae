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
        let (what, command) = match state {
            "started" => ("start", format!("set ct:{vmid} --state started")),
            _ => ("stop", format!("crm-command stop ct:{vmid} {timeout}")),
        };
        match stage {
            0 => {
                self.say(id, &format!("Requesting HA {what} for CT {vmid}"));
                Next::After(300)
            }
            _ if self.ha_failed(vmid) => {
                self.say(id, &in_error(vmid));
                Next::fail(format!("command 'ha-manager {command}' failed: exit code 255"))
            }
            _ => {
                self.ha_request(vmid, state, timeout);
                Next::ok()
            }
        }
    }

    /// Is the service in `error`?
    #[must_use]
    pub fn ha_failed(&self, vmid: Vmid) -> bool {
        self.container(vmid).and_then(|ct| ct.ha.as_ref()).is_some_and(|ha| ha.state == "error")
    }

    /// Asks for a state. A service in `error` only listens to `disabled`.
    pub fn ha_request(&mut self, vmid: Vmid, state: &str, timeout: u64) {
        let Some(ct) = self.container_mut(vmid) else { return };
        let running = ct.running();
        let Some(ha) = ct.ha.as_mut() else { return };
        if ha.state == "error" && state != "disabled" {
            return;
        }
        ha.requested = state.to_owned();
        ha.timeout = timeout;
        ha.motion = None;
        ha.state = match (state, running) {
            // It goes on where it arrives.
            _ if ha.moving() || ha.state == "fence" => ha.state.clone(),
            ("started", false) => "request_start".to_owned(),
            ("started", true) => "started".to_owned(),
            (_, true) => "request_stop".to_owned(),
            (_, false) => "stopped".to_owned(),
        };
        self.ha_again(vmid);
    }

    /// Asks for another node: `migrate` or `relocate`, which are one thing for a container.
    pub fn ha_move(&mut self, vmid: Vmid, how: &'static str, target: usize) {
        let ha = self.container_mut(vmid).and_then(|ct| ct.ha.as_mut());
        if let Some(ha) = ha.filter(|ha| ha.state != "error") {
            ha.motion = Some((how, target));
            self.ha_again(vmid);
        }
    }

    /// Lets the manager look at a service, some seconds from now; what was to happen before does not.
    pub(super) fn ha_again(&mut self, vmid: Vmid) {
        let delay = noise::between(noise::mix(self.seed, self.now()), 2000, 6000);
        if let Some(ha) = self.container_mut(vmid).and_then(|ct| ct.ha.as_mut()) {
            ha.turn += 1;
            let turn = ha.turn;
            self.after(delay, Event::HaAct { vmid, turn });
        }
    }

    pub(super) fn ha_act(&mut self, vmid: Vmid, turn: u64) {
        let Some(ct) = self.container_mut(vmid) else { return };
        let (node, running) = (ct.node, ct.running());
        let Some(ha) = ct.ha.as_mut().filter(|ha| ha.turn == turn && ha.state != "fence") else { return };
        if ha.moving() {
            return self.after(1000, Event::HaAct { vmid, turn });
        }
        let timeout = ha.timeout;
        let (kind, work) = match (ha.motion.take(), ha.requested.as_str(), running) {
            (Some((_, target)), ..) if target == node => return,
            (Some((how, target)), ..) => {
                ha.state = how.to_owned();
                ("vzmigrate", Work::Migrate { target })
            }
            (None, "started", false) => ("vzstart", Work::Start { debug: false }),
            (None, "started", true) | (None, _, false) => return,
            (None, _, true) if timeout == 0 => ("vzstop", Work::Stop { overrule: false }),
            (None, _, true) => ("vzshutdown", Work::Shutdown { timeout, force: false }),
        };
        // One that is lost does nothing; its services are looked at when it is back, or recovered.
        if self.nodes.get(node).is_some_and(|node| node.online) {
            self.spawn(node, kind, &vmid.to_string(), &Identity::root(), work);
        }
    }

    /// Settles the service's state once the manager's own task is through.
    pub(super) fn ha_task_ended(&mut self, vmid: Vmid, id: TaskId) {
        let Some(task) = self.tasks.get(id).filter(|task| task.who.is_root()) else { return };
        let moves = task.kind == "vzmigrate";
        let ours = moves || matches!(task.kind.as_str(), "vzstart" | "vzstop" | "vzshutdown");
        let status = task.status().unwrap_or_default();
        let killed = status == "unexpected status";
        let failed = !killed && status != "OK" && !status.starts_with("WARN");
        let upid = task.upid.clone();
        let Some(ct) = self.container_mut(vmid) else { return };
        let running = ct.running();
        let Some(ha) = ct.ha.as_mut().filter(|_| ours) else { return };
        let again = killed || (moves && ha.requested == "started" && !running);
        if failed && !moves {
            ha.state = "error".to_owned();
            self.effect(vmid, "ha-error", &upid);
        } else if moves || !killed {
            let up = running || (moves && ha.requested == "started");
            ha.state = if up { "started" } else { "stopped" }.to_owned();
        }
        if again {
            self.ha_again(vmid);
        }
    }

    pub(super) fn ha_state(&mut self, vmid: Vmid, state: &str) {
        if let Some(ha) = self.container_mut(vmid).and_then(|ct| ct.ha.as_mut()) {
            ha.state = state.to_owned();
            ha.motion = None;
        }
    }

    /// It is on another node, and down.
    pub(super) fn ha_recovered(&mut self, vmid: Vmid) {
        let wanted = self.container(vmid).and_then(|ct| ct.ha.as_ref()).map(|ha| ha.requested == "started");
        self.ha_state(vmid, if wanted == Some(true) { "started" } else { "stopped" });
        self.ha_again(vmid);
    }
}

/// What every command but one is answered in that state.
#[must_use]
pub fn in_error(vmid: Vmid) -> String {
    format!("service 'ct:{vmid}' in error state, must be disabled and fixed first")
}

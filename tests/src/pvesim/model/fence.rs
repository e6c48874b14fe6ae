//! Nodes that come and go, and what HA makes of it.
//!
//! Owns their loss and return, and the fencing of a lost one: half way through the wait its own watchdog resets
//! it, then the manager takes its services elsewhere, if it has quorum for that. The manager's other deeds are in
//! `ha`.

use super::{Event, Vmid, World};
use crate::pvesim::clock::Ms;

impl World {
    /// A node dies or is cut off the power: its workers vanish, its containers stop.
    pub fn node_down(&mut self, node: usize, back_after_ms: Option<u64>) {
        self.crash(node, "node down");
        self.set_online(node, false);
        if let Some(ms) = back_after_ms {
            self.after(ms, Event::NodeUp(node));
        }
    }

    /// A node becomes reachable or unreachable; its containers do not notice, until HA does.
    pub fn set_online(&mut self, node: usize, online: bool) {
        let now = self.now();
        let Some(changed) = self.nodes.get_mut(node).filter(|node| node.online != online) else { return };
        changed.online = online;
        changed.since = now;
        if online {
            self.services_of(node).into_iter().for_each(|vmid| self.ha_again(vmid));
        } else {
            self.after(self.fence_ms / 2, Event::Fence { node, since: now });
        }
    }

    pub(super) fn node_up(&mut self, node: usize) {
        self.set_online(node, true);
        let now = self.now();
        if let Some(node) = self.nodes.get_mut(node) {
            node.booted = now;
        }
        let starts = |ct: &&super::Container| ct.config.flag("onboot") && !ct.ha_managed();
        let onboot: Vec<Vmid> = self.containers_of(node).filter(starts).map(|ct| ct.vmid).collect();
        onboot.into_iter().for_each(|vmid| self.power(vmid, true, "onboot"));
    }

    fn crash(&mut self, node: usize, by: &str) {
        for id in self.tasks.running_on(node) {
            self.finish(id, "unexpected status", false);
        }
        let stopped: Vec<Vmid> =
            self.containers_of(node).filter(|ct| ct.running()).map(|ct| ct.vmid).collect();
        stopped.into_iter().for_each(|vmid| self.power(vmid, false, by));
    }

    /// The services HA keeps alive on a node.
    fn services_of(&self, node: usize) -> Vec<Vmid> {
        let alive = |ct: &&super::Container| ct.ha_managed() && ct.ha.as_ref().is_some_and(super::Ha::alive);
        self.containers_of(node).filter(alive).map(|ct| ct.vmid).collect()
    }

    fn quorate(&self) -> bool {
        let online = self.nodes.iter().filter(|node| node.online).count();
        self.cluster.is_some() && online * 2 > self.nodes.len()
    }

    /// A node without services has no armed watchdog, and is left alone.
    pub(super) fn fence(&mut self, node: usize, since: Ms) {
        let lost = self.nodes.get(node).is_some_and(|node| !node.online && node.since == since);
        let services = self.services_of(node);
        if !lost || !self.quorate() || services.is_empty() {
            return;
        }
        self.crash(node, "fenced");
        for vmid in services {
            self.ha_state(vmid, "fence");
        }
        self.after(self.fence_ms - self.fence_ms / 2, Event::Recover(node));
    }

    /// Each goes to the node that has the fewest containers.
    pub(super) fn recover(&mut self, node: usize) {
        for vmid in self.services_of(node) {
            let fenced = |ct: &super::Container| ct.ha.as_ref().is_some_and(|ha| ha.state == "fence");
            let others = (0..self.nodes.len()).filter(|other| *other != node && self.nodes[*other].online);
            let target = others.min_by_key(|other| self.containers_of(*other).count());
            let target = target.filter(|_| self.quorate());
            match target {
                _ if !self.container(vmid).is_some_and(fenced) => {}
                Some(target) => {
                    self.relocate(vmid, target, "ha");
                    self.ha_recovered(vmid);
                }
                // It tries for as long as it takes.
                None => return self.after(10_000, Event::Recover(node)),
            }
        }
    }
}

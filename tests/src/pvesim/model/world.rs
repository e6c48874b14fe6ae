//! The world: everything that is, and its advance through time.
//!
//! Owns the state and the event loop; the rules are in the sibling modules. Callers hand in the time, call
//! `advance`, then ask or act.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Queue;
use super::lock::Locks;
use super::node::TemplateFile;
use super::task::Tasks;
use super::{Container, Event, Ledger, Node, Record, Storage, Vmid};
use crate::pvesim::auth::Access;
use crate::pvesim::clock::{Ms, Wall};
use crate::pvesim::fault::Faults;

/// What a world is made from.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// Node names.
    pub nodes: Vec<String>,
    /// Cluster name; `None` is a standalone node.
    pub cluster: Option<String>,
    /// Seed of all noise.
    pub seed: u64,
    /// Times faster than real time.
    pub speed: f64,
    /// Unix milliseconds at model time zero.
    pub epoch_ms: i64,
    /// Storages.
    pub storages: Vec<Storage>,
    /// Template files.
    pub templates: Vec<TemplateFile>,
}

/// Everything that is.
#[derive(Debug)]
pub struct World {
    /// The nodes' clocks.
    pub wall: Wall,
    /// Cluster name.
    pub cluster: Option<String>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Storages, the same on every node.
    pub storages: Vec<Storage>,
    /// Template files.
    pub templates: Vec<TemplateFile>,
    /// Users, tokens, privileges.
    pub access: Access,
    /// What happened.
    pub ledger: Ledger,
    /// Faults on demand.
    pub faults: Faults,
    /// Tasks.
    pub tasks: Tasks,
    /// Numbers of virtual machines on the first node. They are listed, no more: what lxcd must not touch.
    pub vms: BTreeSet<Vmid>,
    /// How long after its loss HA has taken a node's services elsewhere.
    pub fence_ms: Ms,
    pub(super) seed: u64,
    pub(super) locks: Locks,
    containers: BTreeMap<Vmid, Container>,
    by_node: Vec<BTreeSet<(u32, Vmid)>>,
    queue: Queue,
    now: Ms,
    incarnations: u64,
}

impl World {
    /// A world without containers.
    #[must_use]
    pub fn new(config: &WorldConfig, access: Access) -> Self {
        let nodes = config.nodes.iter().enumerate().map(|(i, n)| Node::new(n, i, config.seed)).collect();
        Self {
            wall: Wall::new(config.epoch_ms, config.speed),
            cluster: config.cluster.clone(),
            nodes,
            storages: config.storages.clone(),
            templates: config.templates.clone(),
            access,
            ledger: Ledger::default(),
            faults: Faults::default(),
            tasks: Tasks::new(config.nodes.len()),
            vms: BTreeSet::new(),
            fence_ms: 120_000,
            seed: config.seed,
            locks: Locks::default(),
            containers: BTreeMap::new(),
            by_node: vec![BTreeSet::new(); config.nodes.len()],
            queue: Queue::default(),
            now: 0,
            incarnations: 0,
        }
    }

    /// Lets everything happen that is due by `t`.
    pub fn advance(&mut self, t: Ms) {
        while let Some((at, event)) = self.queue.pop_due(t) {
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(t);
        self.tasks.settle(self.now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step { task, turn } => self.step_if_current(task, turn),
            Event::LockTimeout { task, turn } => self.lock_timed_out(task, turn),
            Event::Kill(task) => self.finish(task, "unexpected status", false),
            Event::HaAct { vmid, turn } => self.ha_act(vmid, turn),
            Event::Fence { node, since } => self.fence(node, since),
            Event::Recover(node) => self.recover(node),
            Event::NodeUp(node) => self.node_up(node),
        }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.now
    }

    pub(super) fn after(&mut self, delay: Ms, event: Event) {
        self.queue.push(self.now + delay, event);
    }

    /// The node of that name; `localhost` is the one that was asked.
    #[must_use]
    pub fn node_named(&self, name: &str, asked: usize) -> Option<usize> {
        if name == "localhost" {
            return Some(asked);
        }
        self.nodes.iter().position(|n| n.name == name)
    }

    /// The name of a node.
    #[must_use]
    pub fn node_name(&self, node: usize) -> &str {
        self.nodes.get(node).map_or("", |n| n.name.as_str())
    }

    /// A container, wherever it is.
    #[must_use]
    pub fn container(&self, vmid: Vmid) -> Option<&Container> {
        self.containers.get(&vmid)
    }

    /// A container, wherever it is, to be changed.
    pub fn container_mut(&mut self, vmid: Vmid) -> Option<&mut Container> {
        self.containers.get_mut(&vmid)
    }

    /// A container on this very node.
    #[must_use]
    pub fn container_on(&self, node: usize, vmid: Vmid) -> Option<&Container> {
        self.containers.get(&vmid).filter(|ct| ct.node == node)
    }

    /// All containers by number.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.values()
    }

    /// The containers of a node, in an order that means nothing.
    pub fn containers_of(&self, node: usize) -> impl Iterator<Item = &Container> {
        let vmids = self.by_node.get(node).into_iter().flatten();
        vmids.filter_map(|(_, vmid)| self.containers.get(vmid))
    }

    /// Adds a container, replacing one of the same number.
    pub fn insert(&mut self, mut ct: Container) {
        self.incarnations += 1;
        ct.incarnation = self.incarnations;
        self.remove(ct.vmid);
        if let Some(node) = self.by_node.get_mut(ct.node) {
            node.insert((scatter(ct.vmid), ct.vmid));
        }
        self.containers.insert(ct.vmid, ct);
    }

    /// Removes a container and nothing else.
    pub fn remove(&mut self, vmid: Vmid) -> Option<Container> {
        let ct = self.containers.remove(&vmid)?;
        if let Some(node) = self.by_node.get_mut(ct.node) {
            node.remove(&(scatter(vmid), vmid));
        }
        Some(ct)
    }

    /// Puts a container on another node.
    pub fn relocate(&mut self, vmid: Vmid, node: usize, by: &str) -> bool {
        if node >= self.nodes.len() {
            return false;
        }
        let Some(mut ct) = self.remove(vmid) else { return false };
        ct.node = node;
        if let Some(list) = self.by_node.get_mut(node) {
            list.insert((scatter(vmid), vmid));
        }
        self.containers.insert(vmid, ct);
        self.effect(vmid, "moved", by);
        true
    }

    /// The lowest free number.
    #[must_use]
    pub fn next_vmid(&self) -> Vmid {
        (100..).find(|vmid| !self.containers.contains_key(vmid)).unwrap_or(100)
    }

    /// Notes that a container changed.
    pub fn effect(&mut self, vmid: Vmid, what: &str, by: &str) {
        let record = Record::Effect { vmid, what: what.to_owned(), by: by.to_owned() };
        self.ledger.note(self.now, record);
    }

    /// Turns a container on or off, with all that follows from it.
    pub(super) fn power(&mut self, vmid: Vmid, on: bool, by: &str) {
        let now = self.now;
        let Some(ct) = self.containers.get_mut(&vmid).filter(|ct| ct.running() != on) else { return };
        ct.set_power(on, now);
        let node = ct.node;
        if !on {
            // Pending changes take effect once the container is down.
            for (key, value) in std::mem::take(&mut ct.pending).iter() {
                ct.config.set(key, value);
            }
        }
        if on {
            let pid = self.nodes.get_mut(node).map_or(1, Node::fork);
            if let Some(ct) = self.containers.get_mut(&vmid) {
                ct.pid = pid;
            }
        }
        self.effect(vmid, if on { "started" } else { "stopped" }, by);
    }

    /// Rotates the task logs: finished tasks are forgotten.
    pub fn rotate_logs(&mut self) {
        self.tasks.rotate();
    }

    /// Stops or starts a node's pvedaemon; pveproxy goes on.
    pub fn set_daemon(&mut self, node: usize, up: bool) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.daemon = up;
        }
    }

    /// Milliseconds a node has been up.
    #[must_use]
    pub fn uptime_ms(&self, node: usize) -> i64 {
        self.nodes.get(node).map_or(0, |n| {
            let since_boot = self.wall.elapsed_ms(self.now) - self.wall.elapsed_ms(n.booted);
            since_boot + if n.booted == 0 { n.head_start_s * 1000 } else { 0 }
        })
    }

    /// Seconds a container has been running; 0 when it is not.
    #[must_use]
    pub fn uptime_s(&self, ct: &Container, at: Ms) -> i64 {
        if ct.running_at(at) != Some(true) {
            return 0;
        }
        (self.wall.elapsed_ms(at) - self.wall.elapsed_ms(ct.started)).max(0) / 1000 + ct.head_start_s
    }
}

/// Scatters numbers, so that lists come in no useful order.
fn scatter(vmid: Vmid) -> u32 {
    vmid.wrapping_mul(2_654_435_761)
}

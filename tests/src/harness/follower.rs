//! Keeps a stand-in node in step with the simulated Proxmox: what runs there runs here. Owns only that; must not know
//! what is done inside.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::World;
use super::node::{Network, Node, ROOTS, Tree};

/// How often both are compared.
const TICK: Duration = Duration::from_millis(10);

/// A node whose containers start and stop with Proxmox's. Dropped, it lets them be.
pub(super) struct Follower {
    node: Arc<Mutex<Node>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Follows the containers on the node of that name, or all.
    pub(super) fn begin(world: &World, name: Option<&str>, node: Node, tree: Tree, network: Network) -> Self {
        let (node, stop) = (Arc::new(Mutex::new(node)), Arc::new(AtomicBool::new(false)));
        let (containers, name) = (world.sim.watcher(), name.map(str::to_owned));
        let (ours, until) = (node.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut running = HashSet::new();
            while !until.load(Ordering::Acquire) {
                let here =
                    containers().into_iter().filter(|one| name.as_ref().is_none_or(|n| one.node == *n));
                let now: HashSet<u32> = here.filter(|one| one.running).map(|one| one.vmid).collect();
                for vmid in now.difference(&running) {
                    locked(&ours).start(*vmid, tree, network);
                }
                for vmid in running.difference(&now) {
                    locked(&ours).stop(*vmid);
                }
                running = now;
                std::thread::sleep(TICK);
            }
        });
        Self { node, stop, thread: Some(thread) }
    }

    /// The node.
    pub(super) fn node(&self) -> MutexGuard<'_, Node> {
        locked(&self.node)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A node without containers where there can be such a tree, and a directory with its `lxc-attach`, which knows where
/// the containers lie; None, said loudly, where that cannot be.
pub(super) fn node(tree: Tree) -> Option<(Node, tempfile::TempDir)> {
    let mut node = Node::new()?;
    // Made now, for a create does not wait for it.
    if !node.start(1, tree, Network::Shared) {
        return None;
    }
    node.stop(1);
    let programs = tempfile::tempdir().expect("made");
    let attach = programs.path().join("lxc-attach");
    let real = node.programs().join("lxc-attach");
    let text = format!("#!/bin/sh\n{ROOTS}={} exec {} \"$@\"\n", node.roots().display(), real.display());
    std::fs::write(&attach, text).expect("written");
    std::fs::set_permissions(&attach, std::fs::Permissions::from_mode(0o755)).expect("ours");
    Some((node, programs))
}

fn locked(node: &Mutex<Node>) -> MutexGuard<'_, Node> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

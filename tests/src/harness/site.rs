//! A simulated Proxmox whose containers run for real: what it starts is a stand-in container on a stand-in node, which
//! lxcd reaches by SSH. Owns that both agree on what runs; must not know what is done inside.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::node::{Network, Node, ROOTS, Tree};
use super::{Setup, SshServer, World};

const CONF: &str = "TEMPLATE_OS=debian\nTEMPLATE_VERSION=12\nTEMPLATE_RAM=512\nTEMPLATE_DISK=4\n";
/// How often both are compared.
const TICK: Duration = Duration::from_millis(10);

/// A world with a node one can work on.
pub struct Site {
    /// Proxmox, lxcd and lxcctl.
    pub world: World,
    /// The node's SSH server.
    pub server: SshServer,
    node: Arc<Mutex<Node>>,
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
    programs: tempfile::TempDir,
}

impl Site {
    /// Starts everything, and gives lxcd the way to the node; None, said loudly, where that cannot be had.
    ///
    /// # Panics
    /// When it could be had and does not start.
    #[must_use]
    pub fn start(setup: Setup, tree: Tree) -> Option<Self> {
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
        let server = SshServer::with_programs(Some(programs.path()))?;
        let world = setup.start();
        let (node, stop) = (Arc::new(Mutex::new(node)), Arc::new(AtomicBool::new(false)));
        let follower = follow(&world, node.clone(), stop.clone(), tree);
        let site = Self { world, server, node, stop, follower: Some(follower), programs };
        site.set_ssh();
        Some(site)
    }

    /// Gives lxcd the way to the node, with the host key that it has now.
    ///
    /// # Panics
    /// When lxcd does not take it.
    pub fn set_ssh(&self) {
        let server = &self.server;
        let line = format!(
            "remote set homelab --ssh {}@:{} --ssh-dir {} --ssh-key {} --ssh-fingerprint {}",
            server.user(),
            server.address().port(),
            server.directory().join("jobs").display(),
            server.key().display(),
            server.fingerprint()
        );
        self.world.ctl(&line).exits(0);
    }

    /// The node.
    pub fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file of a container that runs, as the container sees it.
    #[must_use]
    pub fn file(&self, vmid: u32, path: &str) -> PathBuf {
        self.node().files(vmid).join(path.trim_start_matches('/'))
    }

    /// What a file of a container says; None when it is not there.
    #[must_use]
    pub fn read(&self, vmid: u32, path: &str) -> Option<String> {
        std::fs::read_to_string(self.file(vmid, path)).ok()
    }

    /// Where what the node finds in front of its own programs lies.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.programs.path().to_owned()
    }
}

/// Imports a template of these files.
///
/// # Panics
/// When it is refused.
pub fn template(world: &World, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = world.path().join(name);
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(&root.join("template.conf"), CONF);
    for (path, text) in files {
        write(&root.join("container-configs").join(path), text);
    }
    world.ctl(&format!("template import {}", root.display())).exits(0);
    root
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}

/// Starts and stops stand-in containers as Proxmox starts and stops its own.
fn follow(world: &World, node: Arc<Mutex<Node>>, stop: Arc<AtomicBool>, tree: Tree) -> JoinHandle<()> {
    let containers = world.sim.watcher();
    std::thread::spawn(move || {
        let mut running = HashSet::new();
        while !stop.load(Ordering::Acquire) {
            let now: HashSet<u32> =
                containers().iter().filter(|one| one.running).map(|one| one.vmid).collect();
            for vmid in now.difference(&running) {
                node.lock().unwrap_or_else(PoisonError::into_inner).start(*vmid, tree, Network::Shared);
            }
            for vmid in running.difference(&now) {
                node.lock().unwrap_or_else(PoisonError::into_inner).stop(*vmid);
            }
            running = now;
            std::thread::sleep(TICK);
        }
    })
}

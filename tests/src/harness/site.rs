//! A simulated Proxmox whose containers run for real: what it starts is a stand-in container on a stand-in node, which
//! lxcd reaches by SSH. Owns that both agree on what runs; must not know what is done inside.

use std::path::{Path, PathBuf};
use std::sync::MutexGuard;

use super::cluster::PROGRAMS;
use super::follower::{self, Follower};
use super::node::{Network, Node, Tree};
use super::{Setup, SshServer, SshSetup, World};

const CONF: &str = "TEMPLATE_OS=debian\nTEMPLATE_VERSION=12\nTEMPLATE_RAM=512\nTEMPLATE_DISK=4\n";

/// A world with a node one can work on.
pub struct Site {
    /// Ends before what it looks at.
    follower: Follower,
    /// Proxmox, lxcd and lxcctl.
    pub world: World,
    /// The node's SSH server.
    pub server: SshServer,
    programs: tempfile::TempDir,
}

impl Site {
    /// Starts everything, and gives lxcd the way to the node; None, said loudly, where that cannot be had.
    ///
    /// # Panics
    /// When it could be had and does not start.
    #[must_use]
    pub fn start(setup: Setup, tree: Tree) -> Option<Self> {
        Self::made_of(setup, tree, Network::Shared, SshSetup::default())
    }

    /// The same, with containers in such a network and a server like that.
    ///
    /// # Panics
    /// When it could be had and does not start.
    #[must_use]
    pub fn made_of(setup: Setup, tree: Tree, network: Network, ssh: SshSetup) -> Option<Self> {
        let (node, programs) = follower::node(tree)?;
        let server = ssh.mount(programs.path(), Path::new(PROGRAMS)).start()?;
        let world = setup.start();
        let follower = Follower::begin(&world, None, node, tree, network);
        let site = Self { follower, world, server, programs };
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
        self.follower.node()
    }

    /// A file of a container that runs, as the container sees it.
    #[must_use]
    pub fn file(&self, vmid: u32, path: &str) -> PathBuf {
        self.node().files(vmid).join(path.trim_start_matches('/'))
    }

    /// What a file of a container says; None when it is not there, or the container does not run.
    #[must_use]
    pub fn read(&self, vmid: u32, path: &str) -> Option<String> {
        self.node().read(vmid, path)
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

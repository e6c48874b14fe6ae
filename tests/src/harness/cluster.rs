//! A simulated cluster whose nodes are apart: each has an address, an SSH server, a host key, containers and jobs of its
//! own. Owns that they agree with Proxmox; must not know what is done on them.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;

use super::follower::{self, Follower};
use super::node::{Network, Node, Tree};
use super::wait::until;
use super::{Setup, SshServer, SshSetup, World};
use crate::pvesim::SimConfig;

/// Where programs of a test stand before all others.
pub(super) const PROGRAMS: &str = "/usr/local/sbin";

/// A world with nodes one can work on.
pub struct Cluster {
    /// The nodes, in Proxmox's order.
    pub places: Vec<Place>,
    /// Proxmox, lxcd and lxcctl.
    pub world: World,
    jobs: PathBuf,
}

/// One of its nodes.
pub struct Place {
    /// What Proxmox calls it.
    pub name: String,
    /// Its SSH server.
    pub server: SshServer,
    follower: Follower,
    jobs: tempfile::TempDir,
    _programs: tempfile::TempDir,
}

impl Place {
    /// Its containers.
    pub fn node(&self) -> MutexGuard<'_, Node> {
        self.follower.node()
    }

    /// What a file of a container here says; None when there is no such container or file.
    #[must_use]
    pub fn read(&self, vmid: u32, path: &str) -> Option<String> {
        self.node().read(vmid, path)
    }

    /// Where the jobs of this node lie.
    #[must_use]
    pub fn jobs(&self) -> &Path {
        self.jobs.path()
    }
}

impl Cluster {
    /// Starts everything, and gives lxcd the way to each node; None, said loudly, where that cannot be had.
    ///
    /// # Panics
    /// When it could be had and does not start.
    #[must_use]
    pub fn start(setup: Setup, names: &[&str], tree: Tree) -> Option<Self> {
        let mut prepared = Vec::new();
        for _ in names {
            prepared.push(follower::node(tree)?);
        }
        let world = setup.nodes(names).sim(|sim| SimConfig { own_addresses: true, ..sim }).start();
        let addresses: Vec<IpAddr> = world
            .sim
            .world(|sim| sim.nodes.iter().map(|node| node.ip.parse().expect("an address")).collect());
        let port = free_port(&addresses);
        // Each node's own is mounted there, as /var/lib/lxcd/jobs is another directory on each host.
        let jobs = world.path().join("jobs");
        std::fs::create_dir(&jobs).expect("made");
        let mut places = Vec::new();
        for ((name, (node, programs)), address) in names.iter().zip(prepared).zip(addresses) {
            let own = tempfile::tempdir().expect("made");
            let server = SshSetup::default()
                .at(SocketAddr::new(address, port))
                .mount(programs.path(), Path::new(PROGRAMS))
                .mount(own.path(), &jobs)
                .start()?;
            let follower = Follower::begin(&world, Some(name), node, tree, Network::Shared);
            let name = (*name).to_owned();
            places.push(Place { name, server, follower, jobs: own, _programs: programs });
        }
        let first = places[0].server.key().with_extension("pub");
        for place in &places {
            place.server.authorize(&first);
        }
        let cluster = Self { places, world, jobs };
        cluster.set_ssh();
        Some(cluster)
    }

    /// Gives lxcd the way to every node, with the host keys that they have now.
    ///
    /// # Panics
    /// When lxcd does not take it.
    pub fn set_ssh(&self) {
        let server = &self.places[0].server;
        let pins: Vec<String> = self.places.iter().map(|place| place.server.fingerprint()).collect();
        let line = format!(
            "remote set homelab --ssh {}@:{} --ssh-dir {} --ssh-key {} --ssh-fingerprint {}",
            server.user(),
            server.address().port(),
            self.jobs.display(),
            server.key().display(),
            pins.join(",")
        );
        self.world.ctl(&line).exits(0);
    }

    /// The node of that name.
    ///
    /// # Panics
    /// When there is none.
    pub fn place(&mut self, name: &str) -> &mut Place {
        self.places.iter_mut().find(|place| place.name == name).expect("a node of that name")
    }
}

/// A port that is free at all of them: lxcd has one for the nodes of a remote.
fn free_port(addresses: &[IpAddr]) -> u16 {
    until("a port that is free on all nodes", || {
        let first = TcpListener::bind((addresses[0], 0)).map_err(|error| error.to_string())?;
        let port = first.local_addr().map_err(|error| error.to_string())?.port();
        let others = addresses[1..].iter().map(|address| TcpListener::bind((*address, port)));
        others.collect::<Result<Vec<_>, _>>().map(|_| port).map_err(|error| error.to_string())
    })
}

//! A Proxmox, an lxcd and an lxcctl that belong together.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::daemon::{Daemon, SCALE};
use super::run::{Cli, Run, Running};
use super::terminal::Terminal;
use super::wait::until;
use crate::pvesim::model::Record;
use crate::pvesim::{CtSpec, Sim, SimConfig};

/// The token the remote `homelab` is added with.
pub const TOKEN: &str = "lxcd@pve!cli";
/// Its secret: nothing but the encrypted database may know it.
pub const SECRET: &str = "5ec4e7aa-0b1e-4c0d-9e7a-70c3f00dcafe";

/// A stopped container of 512 MiB on the first node.
#[must_use]
pub fn ct(vmid: u32, name: &str) -> CtSpec {
    CtSpec {
        vmid,
        name: Some(name.to_owned()),
        ip: Some(format!("10.66.0.{}/16", vmid % 250)),
        ..CtSpec::default()
    }
}

/// The same, running.
#[must_use]
pub fn running(vmid: u32, name: &str) -> CtSpec {
    CtSpec { running: true, ..ct(vmid, name) }
}

/// What a world is made from.
#[derive(Debug)]
pub struct Setup {
    sim: SimConfig,
    config: String,
    registered: bool,
    scale: u32,
}

impl Default for Setup {
    fn default() -> Self {
        let sim =
            SimConfig { speed: f64::from(SCALE), nodes: vec!["pve1".to_owned()], ..SimConfig::default() };
        Self {
            sim: sim.token(&format!("{TOKEN}={SECRET}")),
            config: String::new(),
            registered: true,
            scale: SCALE,
        }
    }
}

impl Setup {
    /// A cluster of these nodes, or one that stands alone.
    #[must_use]
    pub fn nodes(mut self, names: &[&str]) -> Self {
        self.sim.nodes = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Exactly these containers.
    #[must_use]
    pub fn containers(mut self, all: impl IntoIterator<Item = CtSpec>) -> Self {
        self.sim.population = Some(all.into_iter().collect());
        self
    }

    /// Anything else of the simulator.
    #[must_use]
    pub fn sim(mut self, change: impl FnOnce(SimConfig) -> SimConfig) -> Self {
        self.sim = change(self.sim);
        self
    }

    /// More lines for lxcd's configuration.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        text.clone_into(&mut self.config);
        self
    }

    /// So many times faster than real, Proxmox and lxcd alike.
    #[must_use]
    pub fn scale(mut self, scale: u32) -> Self {
        self.sim.speed = f64::from(scale);
        self.scale = scale;
        self
    }

    /// The remote is not added.
    #[must_use]
    pub fn unregistered(mut self) -> Self {
        self.registered = false;
        self
    }

    /// Starts everything.
    #[must_use]
    pub fn start(self) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let sim = runtime.block_on(Sim::start(self.sim)).expect("a simulator");
        let directory = tempfile::tempdir().expect("a directory");
        let mut daemon = Daemon::new(directory.path(), &self.config);
        daemon.scale(self.scale);
        daemon.start();
        let cli = Cli::new(&daemon.socket());
        let world = World { daemon, cli, sim, runtime: Some(runtime), directory };
        if self.registered {
            world.add("homelab", &world.sim).exits(0);
        }
        world
    }
}

/// A simulated Proxmox, an lxcd that knows it as `homelab`, and an lxcctl.
#[derive(Debug)]
pub struct World {
    /// lxcd.
    pub daemon: Daemon,
    /// lxcctl.
    pub cli: Cli,
    /// Proxmox.
    pub sim: Sim,
    runtime: Option<Runtime>,
    directory: TempDir,
}

impl World {
    /// With these containers on one node.
    #[must_use]
    pub fn with(containers: impl IntoIterator<Item = CtSpec>) -> Self {
        Setup::default().containers(containers).start()
    }

    /// Runs a line to its end.
    pub fn ctl(&self, line: &str) -> Run {
        self.cli.run(line)
    }

    /// Begins a line and leaves it running.
    pub fn begin(&self, line: &str) -> Running {
        self.cli.spawn(line)
    }

    /// Runs a line on a terminal.
    #[must_use]
    pub fn terminal(&self, line: &str) -> Terminal {
        Terminal::open(&self.cli, line)
    }

    /// A directory that goes with the world.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Registers a simulator under a name, with its fingerprint.
    pub fn add(&self, name: &str, sim: &Sim) -> Run {
        let line = format!(
            "remote add {name} {} --token-id {TOKEN} --token-secret-stdin --fingerprint {}",
            sim.url(),
            sim.fingerprint()
        );
        self.cli.run_with(&line, SECRET)
    }

    /// Another simulator, with the same token.
    #[must_use]
    pub fn another_sim(&self, change: impl FnOnce(SimConfig) -> SimConfig) -> Sim {
        let config = SimConfig { speed: f64::from(SCALE), seed: 2, ..SimConfig::default() };
        let config = change(config).token(&format!("{TOKEN}={SECRET}"));
        self.block_on(Sim::start(config)).expect("a simulator")
    }

    /// Runs something on the world's runtime.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("until dropped").block_on(future)
    }

    /// Another lxcd with the same keys, in a directory of its own, and the lxcctl that asks it. Both share a
    /// database when `config` says so.
    ///
    /// # Panics
    /// When the keys cannot be copied.
    #[must_use]
    pub fn another_daemon(&self, name: &str, config: &str) -> (Daemon, Cli) {
        let directory = self.path().join(name);
        let mut daemon = Daemon::new(&directory, config);
        std::fs::create_dir_all(daemon.state()).expect("made");
        std::fs::copy(self.daemon.state().join("keyring"), daemon.state().join("keyring")).expect("copied");
        daemon.start();
        let cli = Cli::new(&daemon.socket());
        (daemon, cli)
    }

    /// One container as `ls -o json` tells it; None when it is not listed.
    #[must_use]
    pub fn listed(&self, target: &str) -> Option<Value> {
        let answer = self.ctl("ls -o json");
        let items = answer.exits(0).json();
        items["items"].as_array()?.iter().find(|item| item["target"] == target).cloned()
    }

    /// Waits until a listed container is as wanted.
    pub fn wait_listed(&self, target: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&format!("{target} to be {what}"), || {
            let item = self.listed(target).unwrap_or_default();
            if wanted(&item) { Ok(item) } else { Err(item.to_string()) }
        })
    }

    /// Mutating requests that Proxmox got, as `POST /nodes/…`.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let requests = self.sim.ledger().into_iter().filter_map(|entry| match entry.record {
            Record::Request { method, path, .. } => Some(format!("{method} {path}")),
            _ => None,
        });
        requests.collect()
    }

    /// How often Proxmox was asked anything, in all.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.sim.counters().total
    }
}

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "what helps to see why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.daemon.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- lxcd's log, its end\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
            let ledger = self.sim.ledger();
            let last = ledger.len().saturating_sub(12);
            eprintln!("--- Proxmox, at last");
            for entry in &ledger[last..] {
                eprintln!("{:>9} ms  {:?}", entry.at_ms, entry.record);
            }
        }
        self.sim.stop();
        // Connections of lxcd may still be open; nobody waits for them.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_millis(100));
        }
    }
}

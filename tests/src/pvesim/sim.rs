//! A running simulator in this process.
//!
//! Owns start and end: world, certificates, one listener per node, the control port. What a test does to it
//! goes through `control()`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::api::App;
use super::auth::{Access, TokenSpec};
use super::clock::{Clock, unix_ms};
use super::control::CtView;
use super::control::{self, Control, ControlError};
use super::model::node::TemplateFile;
use super::model::population::{CtSpec, generate};
use super::model::{Counters, Entry, Storage, World, WorldConfig};
use super::noise;
use super::wire::{serve, tls};

/// What a simulator is made from.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where the first node listens; with a port the others follow on the next ones.
    pub listen: SocketAddr,
    /// Node names.
    pub nodes: Vec<String>,
    /// Each node listens at an address of its own and tells that one: 127.0.1.1, 127.0.1.2, …
    pub own_addresses: bool,
    /// Cluster name; without one a single node stands alone and several form `simlab`.
    pub cluster: Option<String>,
    /// Size of the generated population.
    pub containers: usize,
    /// Seed of everything that looks random.
    pub seed: u64,
    /// Times faster than real durations.
    pub speed: f64,
    /// Seconds after the loss of a node in which HA takes its services elsewhere.
    pub fence_seconds: f64,
    /// First number of the generated population.
    pub first_vmid: u32,
    /// API tokens.
    pub tokens: Vec<TokenSpec>,
    /// Users with a password.
    pub users: Vec<TokenSpec>,
    /// Faults from the start.
    pub faults: Vec<String>,
    /// Exactly these containers instead of a generated population.
    pub population: Option<Vec<CtSpec>>,
    /// Where keys are kept, so that a restarted simulator is the same installation.
    pub state_dir: Option<PathBuf>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            nodes: vec!["pve".to_owned()],
            own_addresses: false,
            cluster: None,
            containers: 0,
            seed: 1,
            speed: 1.0,
            fence_seconds: 120.0,
            first_vmid: 100,
            tokens: Vec::new(),
            users: Vec::new(),
            faults: Vec::new(),
            population: None,
            state_dir: None,
        }
    }
}

impl SimConfig {
    /// Adds a token given as `user@realm!id=secret[:GRANT,…]`.
    ///
    /// # Panics
    /// If it cannot be read; this is for tests, which write it themselves.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test's own literal")]
    pub fn token(mut self, spec: &str) -> Self {
        self.tokens.push(TokenSpec::token(spec).expect("token specification"));
        self
    }

    /// The cluster's name, if it is one.
    #[must_use]
    pub fn cluster_name(&self) -> Option<String> {
        self.cluster.clone().or_else(|| (self.nodes.len() > 1).then(|| "simlab".to_owned()))
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A port or a file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A fault that cannot be read.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A container of the population that cannot be.
    #[error("population: {0}")]
    Population(String),
    /// No node.
    #[error("at least one node is needed")]
    NoNodes,
}

/// A node as a client reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its name.
    pub name: String,
    /// `https://127.0.0.1:PORT`, or another address where the nodes have their own.
    pub url: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
}

/// The content of the ready file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The first node's URL.
    pub url: String,
    /// The first node's fingerprint.
    pub fingerprint: String,
    /// Cluster name.
    pub cluster: Option<String>,
    /// All nodes.
    pub nodes: Vec<NodeInfo>,
    /// URL of the control API.
    pub control: String,
    /// SHA-256 of the installation's CA.
    pub ca_fingerprint: String,
    /// The CA.
    pub ca_pem: String,
}

/// A running simulator; dropping it ends it.
#[derive(Debug)]
pub struct Sim {
    app: Arc<App>,
    ready: Ready,
    stop: CancellationToken,
}

impl Sim {
    /// Starts a simulator on the current runtime.
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        if config.nodes.is_empty() {
            return Err(SimError::NoNodes);
        }
        let world = build_world(&config)?;
        let named = world.nodes.iter().map(|n| (n.name.clone(), n.ip.clone())).collect::<Vec<_>>();
        let installation = tls::installation(&named, &noise::uuid(config.seed), config.state_dir.as_deref())?;
        let certificates =
            installation.nodes.iter().map(|n| vec![installation.ca.clone(), n.leaf.clone()]).collect();
        let app = Arc::new(App::new(world, Clock::real(config.speed), certificates));
        let stop = CancellationToken::new();
        let mut nodes = Vec::new();
        for (i, (name, node)) in config.nodes.iter().zip(&installation.nodes).enumerate() {
            let listener = TcpListener::bind(address(&config, i)).await?;
            let url = format!("https://{}", listener.local_addr()?);
            nodes.push(NodeInfo { name: name.clone(), url, fingerprint: node.leaf.fingerprint.clone() });
            let acceptor = TlsAcceptor::from(node.config.clone());
            tokio::spawn(serve::serve(app.clone(), i, listener, acceptor, stop.clone()));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let control = format!("http://{}", listener.local_addr()?);
        tokio::spawn(control::http::serve(app.clone(), listener, stop.clone()));
        let (url, fingerprint) = (nodes[0].url.clone(), nodes[0].fingerprint.clone());
        let (cluster, ca) = (config.cluster_name(), installation.ca);
        let (ca_fingerprint, ca_pem) = (ca.fingerprint, ca.pem);
        let ready = Ready { url, fingerprint, cluster, nodes, control, ca_fingerprint, ca_pem };
        let sim = Self { app, ready, stop };
        config.faults.iter().try_for_each(|spec| sim.control().add_fault(spec))?;
        Ok(sim)
    }

    /// How to reach it.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The first node's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The first node's fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.ready.fingerprint
    }

    /// Looks at the containers as they are, from wherever.
    pub fn watcher(&self) -> impl Fn() -> Vec<CtView> + Send + 'static {
        let app = self.app.clone();
        move || Control::new(&app).containers()
    }

    /// What a test may do to it.
    #[must_use]
    pub fn control(&self) -> Control<'_> {
        Control::new(&self.app)
    }

    /// Everything that happened so far.
    #[must_use]
    pub fn ledger(&self) -> Vec<Entry> {
        self.control().ledger(0)
    }

    /// How often what was asked.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.control().counters()
    }

    /// Looks into the model, or changes it.
    pub fn world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        self.app.world(f)
    }

    /// Ends it: listeners close, connections drop.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where a node listens. What has an address of its own needs no port of its own.
fn address(config: &SimConfig, index: usize) -> SocketAddr {
    let first = config.listen;
    if config.own_addresses {
        return SocketAddr::new(IpAddr::V4(own_address(index)), first.port());
    }
    let port = if first.port() == 0 { 0 } else { first.port() + index as u16 };
    SocketAddr::new(first.ip(), port)
}

/// All of 127.0.0.0/8 is this machine.
fn own_address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1 + (index / 254) as u8, (index % 254 + 1) as u8)
}

fn build_world(config: &SimConfig) -> Result<World, SimError> {
    let key = noise::uuid(noise::mix(config.seed, 0x71C7));
    let access = Access::new(&key, &config.tokens, &config.users);
    let template = |file: &str, size| TemplateFile {
        volid: format!("local:vztmpl/{file}"),
        size,
        ctime: unix_ms() / 1000 - 86_400,
    };
    let cluster = config.cluster_name();
    let world_config = WorldConfig {
        nodes: config.nodes.clone(),
        cluster: cluster.clone(),
        seed: config.seed,
        speed: config.speed,
        epoch_ms: unix_ms(),
        storages: vec![Storage::local(), Storage::local_lvm()],
        templates: vec![
            template("debian-12-standard_12.11-1_amd64.tar.zst", 55_496_732),
            template("alpine-3.22-default_20250617_amd64.tar.zst", 3_296_732),
            template("busybox-quick-1.37_amd64.tar.gz", 1_067_679),
            template("busybox-stubborn-1.37_amd64.tar.gz", 1_067_645),
        ],
    };
    let mut world = World::new(&world_config, access);
    if config.own_addresses {
        for (index, node) in world.nodes.iter_mut().enumerate() {
            node.ip = own_address(index).to_string();
        }
    }
    world.fence_ms = (config.fence_seconds.max(0.0) * 1000.0) as u64;
    let population = config.population.clone().unwrap_or_else(|| {
        generate(config.seed, config.containers, &config.nodes, config.first_vmid, cluster.is_some())
    });
    population.iter().try_for_each(|spec| world.populate(spec)).map_err(SimError::Population)?;
    Ok(world)
}

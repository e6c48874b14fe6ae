//! A simulated Proxmox and the lxcd that manages it, both in this process and both fifty times as fast as
//! life. Owns start, crash and start again; must not know what is tested.

use std::path::PathBuf;
use std::time::Duration;

use lxc_core::timing::Timing;
use lxc_proto::v1 as pb;
use lxc_tests::harness::Postgres;
use lxc_tests::pvesim::control::CtView;
use lxc_tests::pvesim::model::Record;
use lxc_tests::pvesim::{CtSpec, Sim, SimConfig};
use lxcd::config::{Config, Environment};
use lxcd::failpoint::Scope;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Row;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::client::{Client, PATIENCE};

/// How much faster than life everything is.
pub(crate) const SPEED: u32 = 50;
/// The token lxcd has in the simulation.
const TOKEN: (&str, &str) = ("root@pam!lxcd", "secret");

/// Where lxcd keeps what it knows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Base {
    Sqlite,
    Postgres,
}

/// One installation and one state directory.
pub(crate) struct Lab {
    pub(crate) sim: Sim,
    pub(crate) config: Config,
    pub(crate) dir: tempfile::TempDir,
}

/// A running lxcd, on a runtime of its own.
pub(crate) struct Daemon {
    pub(crate) client: Client,
    /// Its failpoints.
    pub(crate) scope: Scope,
    runtime: Option<Runtime>,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<lxc_core::error::Result<()>>,
}

/// A container that stands still, with a fast and predictable start.
pub(crate) fn stopped(vmid: u32) -> CtSpec {
    CtSpec { vmid, ip: Some("dhcp".to_owned()), start_seconds: Some(3.0), ..CtSpec::default() }
}

/// One that runs.
pub(crate) fn running(vmid: u32) -> CtSpec {
    CtSpec { running: true, ..stopped(vmid) }
}

impl Lab {
    /// A simulation of two nodes with these containers, all on the first unless they say otherwise.
    pub(crate) async fn new(population: Vec<CtSpec>) -> Self {
        Self::on(Base::Sqlite, population).await.expect("always there")
    }

    /// A cluster that has quorum when one of its three nodes is lost; lxcd knows the URLs of all.
    pub(crate) async fn cluster(population: Vec<CtSpec>) -> Self {
        Self::of(&["pve1", "pve2", "pve3"], Base::Sqlite, population).await.expect("always there")
    }

    /// The same on either database; None where there is no Postgres, which has been said.
    pub(crate) async fn on(base: Base, population: Vec<CtSpec>) -> Option<Self> {
        Self::of(&["pve1", "pve2"], base, population).await
    }

    async fn of(nodes: &[&str], base: Base, population: Vec<CtSpec>) -> Option<Self> {
        let database = match base {
            Base::Sqlite => None,
            Base::Postgres => Some(tokio::task::spawn_blocking(a_database).await.unwrap()?),
        };
        let config = SimConfig {
            nodes: nodes.iter().map(|name| (*name).to_owned()).collect(),
            speed: f64::from(SPEED),
            population: Some(population),
            ..SimConfig::default()
        };
        let sim = Sim::start(config.token(&format!("{}={}", TOKEN.0, TOKEN.1))).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let environment = Environment {
            state_dir: Some(dir.path().join("state")),
            socket: Some(dir.path().join("lxcd.sock")),
            system: PathBuf::from("/nonexistent"),
            ..Environment::default()
        };
        let config = Config { database, ..Config::defaults(&environment) };
        Some(Self { sim, config, dir })
    }

    /// Starts lxcd on the state directory, and registers the simulation with it the first time.
    pub(crate) async fn daemon(&self) -> Daemon {
        self.daemon_with(Timing::scaled(SPEED)).await
    }

    /// The same in a time of its own.
    pub(crate) async fn daemon_with(&self, timing: Timing) -> Daemon {
        let scope = Scope::default();
        let entered = scope.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(move || entered.enter())
            .build()
            .unwrap();
        let stop = CancellationToken::new();
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let run = lxcd::app::run(self.config.clone(), timing, stop.clone(), Some(ready));
        let mut ended = runtime.spawn(run);
        tokio::select! {
            ready = tokio::time::timeout(PATIENCE, is_ready) => ready.unwrap().unwrap(),
            ended = &mut ended => panic!("lxcd does not start: {:?}", ended),
        }
        let client = Client::new(&self.config.socket);
        self.register(&client).await;
        Daemon { client, scope, runtime: Some(runtime), stop, ended }
    }

    /// Where lxcd keeps what it knows.
    pub(crate) fn database(&self) -> PathBuf {
        self.config.state_dir.join("lxcd.db")
    }

    /// Registers the simulation unless the state directory knows it from before.
    pub(crate) async fn register(&self, client: &Client) {
        let known = self.dir.path().join("registered");
        let nodes: Vec<String> = self.sim.ready().nodes.iter().map(|node| node.url.clone()).collect();
        if known.exists() {
            return;
        }
        client
            .add_remote(pb::AddRemoteRequest {
                name: "lab".to_owned(),
                urls: nodes[..if nodes.len() > 2 { nodes.len() } else { 1 }].to_vec(),
                token_id: TOKEN.0.to_owned(),
                token_secret: TOKEN.1.to_owned(),
                fingerprints: vec![self.sim.fingerprint().to_owned()],
                make_default: true,
                ..Default::default()
            })
            .await;
        std::fs::write(known, "").unwrap();
    }

    /// The types of the tasks that were started on a container by lxcd's token, in order.
    pub(crate) fn tasks(&self, vmid: u32) -> Vec<String> {
        let started = |entry: lxc_tests::pvesim::model::Entry| match entry.record {
            Record::TaskStart { upid } => Some(upid),
            _ => None,
        };
        self.sim
            .ledger()
            .into_iter()
            .filter_map(started)
            .map(|upid| upid.split(':').map(str::to_owned).collect::<Vec<_>>())
            .filter(|fields| fields[6] == vmid.to_string() && fields[7] == TOKEN.0)
            .map(|fields| fields[5].clone())
            .collect()
    }

    /// Waits until every task that was begun on a container has ended.
    pub(crate) async fn ended(&self, vmid: u32) {
        let id = format!(":{vmid}:");
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let ledger = self.sim.ledger();
            let count = |began: bool| {
                let one = |entry: &&lxc_tests::pvesim::model::Entry| match &entry.record {
                    Record::TaskStart { upid } => began && upid.contains(&id),
                    Record::TaskEnd { upid, .. } => !began && upid.contains(&id),
                    _ => false,
                };
                ledger.iter().filter(one).count()
            };
            if count(true) > 0 && count(true) == count(false) {
                return;
            }
            assert!(tokio::time::Instant::now() < end, "{vmid} is never done: {ledger:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the container is as wanted.
    pub(crate) async fn until(&self, vmid: u32, wanted: impl Fn(&CtView) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = self.sim.control().containers();
            if all.iter().any(|ct| ct.vmid == vmid && wanted(ct)) {
                return;
            }
            assert!(tokio::time::Instant::now() < end, "never as wanted: {all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The node it is on.
    pub(crate) fn node(&self, vmid: u32) -> Option<String> {
        self.sim.control().containers().iter().find(|ct| ct.vmid == vmid).map(|ct| ct.node.clone())
    }

    /// Whether the container runs; None = there is none.
    pub(crate) fn power(&self, vmid: u32) -> Option<bool> {
        self.sim.control().containers().iter().find(|ct| ct.vmid == vmid).map(|ct| ct.running)
    }

    /// One number from lxcd's database, read beside it.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::any::install_default_drivers();
        let url = match &self.config.database {
            Some(url) => url.expose_secret().to_owned(),
            None => format!("sqlite://{}?mode=ro", self.database().display()),
        };
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        let count = sqlx::query(sql).fetch_one(&pool).await.unwrap().get(0);
        pool.close().await;
        count
    }
}

fn a_database() -> Option<SecretString> {
    let postgres = Postgres::shared()?;
    Some(postgres.url(&postgres.create(None)).into())
}

impl Daemon {
    /// Ends it as a crash does: nothing runs on, nothing is tidied up.
    pub(crate) async fn crash(mut self) {
        let runtime = self.runtime.take().unwrap();
        // Outside of async code, where a runtime may be waited for: the state directory's lock must be free.
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(20))).await.unwrap();
    }

    /// Ends it in good order.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, &mut self.ended).await.unwrap().unwrap().unwrap();
        self.crash().await;
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // A runtime may not be waited for here; a failing test only has to let go of it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

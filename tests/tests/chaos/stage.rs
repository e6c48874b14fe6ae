//! What the play is played on: Proxmox, Postgres, Redis and three daemons. Owns their start and their state at
//! the end; must not break anything by itself.

use std::path::PathBuf;
use std::time::Duration;

use lxc_proto::v1 as pb;
use lxc_tests::harness::{Daemon, Postgres, Proxy, RedisServer};
use lxc_tests::pvesim::{CtSpec, Sim, SimConfig};
use parking_lot::Mutex;
use sqlx::{AnyPool, AssertSqlSafe, Row};

#[path = "../engine/client.rs"]
#[expect(dead_code, reason = "the crash tests use the rest of it")]
pub(crate) mod client;

use client::Client;

/// How much faster than life. Less than elsewhere: three daemons share two processors, and a lease must be long
/// beside what a process may have to wait for one.
pub(crate) const SCALE: u32 = 10;
/// As many containers, from this number on.
pub(crate) const CONTAINERS: u32 = 200;
pub(crate) const FIRST: u32 = 100;
/// The token lxcd has there.
pub(crate) const TOKEN: (&str, &str) = ("root@pam!lxcd", "secret");
/// Longer than anything takes to settle.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Wires {
    pub(crate) postgres: Proxy,
    pub(crate) redis: Proxy,
}

pub(crate) struct Stage {
    pub(crate) sim: Sim,
    pub(crate) postgres: Mutex<Postgres>,
    pub(crate) redis: Mutex<RedisServer>,
    pub(crate) daemons: Vec<Mutex<Daemon>>,
    pub(crate) sockets: Vec<PathBuf>,
    /// What can be cut: each daemon's wires to Postgres and to Redis, and the one to Proxmox.
    pub(crate) wires: Vec<Wires>,
    pub(crate) to_proxmox: Proxy,
    url: String,
    directory: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Stage {
    /// None, said loudly, where Postgres or Redis is not installed.
    pub(crate) fn set() -> Option<Self> {
        // Its own, for it is stopped and started.
        let postgres = Postgres::own()?;
        let redis = RedisServer::start(&[])?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let nodes: Vec<String> = (1..=4).map(|n| format!("pve{n}")).collect();
        let population = (FIRST..FIRST + CONTAINERS).map(|vmid| CtSpec {
            vmid,
            name: Some(format!("ct-{vmid}")),
            node: Some(nodes[vmid as usize % nodes.len()].clone()),
            running: vmid % 2 == 0,
            ..CtSpec::default()
        });
        let config = SimConfig {
            population: Some(population.collect()),
            nodes: nodes.clone(),
            speed: f64::from(SCALE),
            ..SimConfig::default()
        };
        let sim = runtime.block_on(Sim::start(config.token(&format!("{}={}", TOKEN.0, TOKEN.1)))).unwrap();
        let to_proxmox = Proxy::tcp(sim.url().trim_start_matches("https://").parse().unwrap());
        let database = postgres.create(None);
        let url = postgres.url(&database);
        let directory = tempfile::tempdir().unwrap();
        let wires: Vec<Wires> = (1..=3)
            .map(|_| Wires { postgres: Proxy::unix(&postgres.socket()), redis: Proxy::unix(&redis.socket()) })
            .collect();
        let mut daemons: Vec<Daemon> = (1..)
            .zip(&wires)
            .map(|(n, wires)| {
                let config = format!(
                    "database = \"{}\"\nredis = \"redis+unix://{}/redis.sock\"",
                    postgres.url_over(&wires.postgres, &database),
                    wires.redis.place()
                );
                let mut daemon = Daemon::new(&directory.path().join(n.to_string()), &config);
                daemon.scale(SCALE);
                daemon
            })
            .collect();
        daemons[0].start();
        let keys = daemons[0].state().join("keyring");
        for daemon in &mut daemons[1..] {
            std::fs::create_dir_all(daemon.state()).unwrap();
            std::fs::copy(&keys, daemon.state().join("keyring")).unwrap();
            daemon.start();
        }
        Some(Self {
            sim,
            postgres: Mutex::new(postgres),
            redis: Mutex::new(redis),
            sockets: daemons.iter().map(Daemon::socket).collect(),
            daemons: daemons.into_iter().map(Mutex::new).collect(),
            wires,
            to_proxmox,
            url,
            directory,
            _runtime: runtime,
        })
    }

    pub(crate) async fn register(&self) {
        let client = Client::new(&self.sockets[0]);
        client
            .add_remote(pb::AddRemoteRequest {
                name: "lab".to_owned(),
                urls: vec![format!("https://{}", self.to_proxmox.place())],
                token_id: TOKEN.0.to_owned(),
                token_secret: TOKEN.1.to_owned(),
                fingerprints: vec![self.sim.fingerprint().to_owned()],
                make_default: true,
                ..Default::default()
            })
            .await;
    }

    /// One connection to the database, past lxcd.
    pub(crate) async fn database(&self) -> AnyPool {
        sqlx::any::install_default_drivers();
        AnyPool::connect(&self.url).await.unwrap()
    }

    /// Waits until no operation is open any more.
    ///
    /// # Panics
    /// When some never end.
    pub(crate) async fn settled(&self) {
        let pool = self.database().await;
        let open = "SELECT state || ' ' || verb || ' ' || vmid || ' ' || id AS it FROM operation \
                    WHERE finished_us IS NULL ORDER BY id";
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let left = sqlx::query(AssertSqlSafe(open)).fetch_all(&pool).await.unwrap();
            if left.is_empty() {
                break;
            }
            if tokio::time::Instant::now() > end {
                let left: Vec<String> = left.iter().map(|row| row.get("it")).collect();
                panic!("these never end:\n{}\n{}", left.join("\n"), self.logs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        pool.close().await;
    }

    /// The ends of the daemons' logs.
    pub(crate) fn logs(&self) -> String {
        let log = |n: usize| {
            let text = std::fs::read_to_string(self.directory.path().join(n.to_string()).join("lxcd.log"));
            let text = text.unwrap_or_default();
            let tail: Vec<&str> = text.lines().rev().take(40).collect();
            format!("--- lxcd {n}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        (1..=3).map(log).collect::<Vec<_>>().join("\n")
    }
}

//! One lxcd polls a remote, the others on the same Postgres show what it sees. Real processes.

use lxc_tests::harness::{Cli, Postgres, RedisServer, Setup, World, running, until};
use lxcd::store::Store;
use serde_json::Value;

/// The configuration of lxcd on a new database of its own; None without Postgres.
fn database() -> Option<String> {
    let postgres = Postgres::shared()?;
    let template = postgres.template(|url| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { Store::open_postgres(url).await.expect("a schema").close().await });
    });
    Some(format!("database = \"{}\"", postgres.url(&postgres.create(Some(template)))))
}

fn item(ctl: &Cli, line: &str, target: &str) -> Value {
    let answer = ctl.run(line).json();
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|item| item["target"] == target).unwrap_or_default()
}

/// Requests that this daemon has sent to Proxmox.
fn requests(ctl: &Cli) -> u64 {
    let status = ctl.run("daemon status -o json").json();
    status["polls"][0]["requests"].as_u64().expect("a number")
}

fn world(config: &str) -> World {
    let containers = [running(104, "web-1"), running(105, "web-2")];
    Setup::default().nodes(&["pve1", "pve2"]).containers(containers).config(config).start()
}

#[test]
fn one_polls_and_all_know() {
    let Some(config) = database() else { return };
    let world = world(&config);
    let (_second, ctl) = world.another_daemon("second", &config);
    // Figures, nodes and all, without a single question of its own.
    let known = item(&ctl, "ls -o json", "homelab/104");
    assert_eq!((&known["status"], &known["freshness"]), (&"running".into(), &"live".into()), "{known}");
    assert!(known["uptime_seconds"].is_u64() && known["memory_bytes"].is_u64(), "{known}");
    ctl.run("node ls").exits(0).prints("pve2");
    assert_eq!(requests(&ctl), 2, "the versions of the two nodes, and no polls");

    // A change made elsewhere is there as soon as it is asked for.
    world.sim.control().add_container(&running(106, "web-3")).expect("added");
    ctl.run("ls --fresh -o name").exits(0).prints("homelab/106");
    world.sim.control().remove_container(106).expect("removed");
    assert_eq!(item(&ctl, "ls --fresh -o json", "homelab/106")["status"], "unknown");

    // A node that is down is down everywhere, with its reason.
    world.sim.control().node("pve2", "offline").expect("offline");
    ctl.run("ls --strict").exits(9).says("homelab/pve2");
    ctl.run("ls --strict").says("the node is offline");
    world.sim.control().node("pve2", "online").expect("online");
    ctl.run("ls --strict").exits(0);
    assert_eq!(requests(&ctl), 2, "the other was asked to poll");
}

#[test]
fn another_takes_over_the_polling() {
    let Some(config) = database() else { return };
    let mut world = world(&config);
    let (mut second, ctl) = world.another_daemon("second", &config);
    ctl.run("ls -o name").exits(0).prints("homelab/104");
    assert_eq!(requests(&ctl), 0);
    // Killed: within a lease. Whoever asks does not wait for less.
    world.daemon.kill();
    world.sim.control().add_container(&running(106, "web-3")).expect("added");
    ctl.run("ls --fresh -o name").exits(0).prints("homelab/106");
    assert!(requests(&ctl) > 0);
    // Stopped in order: at once.
    world.daemon.start();
    world.ctl("ls -o name").exits(0).prints("homelab/106");
    assert_eq!(requests(&world.cli), 0);
    second.stop();
    until("the first to poll again", || match requests(&world.cli) {
        0 => Err("no requests".to_owned()),
        some => Ok(some),
    });
}

#[test]
fn a_listing_is_exact_without_wake_ups() {
    let (Some(config), Some(mut redis)) = (database(), RedisServer::start(&[])) else { return };
    let config = format!("{config}\nredis = \"{}\"", redis.url());
    let world = world(&config);
    let (_second, ctl) = world.another_daemon("second", &config);
    ctl.run("ls -o name").exits(0);
    redis.kill();
    for (verb, status) in [("stop", "stopped"), ("start", "running")] {
        world.ctl(&format!("{verb} 104")).exits(0);
        assert_eq!(item(&ctl, "ls -o json", "homelab/104")["status"], status);
    }
    world.sim.control().add_container(&running(106, "web-3")).expect("added");
    ctl.run("ls --fresh -o name").exits(0).prints("homelab/106");
    assert_eq!(requests(&ctl), 0, "asked for through the database");
}

//! Several lxcd on one Postgres: what one does, the others see; what one drops, another finishes. Real
//! processes, with and without Redis.

use lxc_tests::harness::{Daemon, Postgres, RedisServer, Setup, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;

/// The configuration of lxcd on a new database of its own; None without Postgres.
fn database() -> Option<String> {
    let postgres = Postgres::shared()?;
    Some(format!("database = \"{}\"", postgres.url(&postgres.create(None))))
}

fn world(containers: impl IntoIterator<Item = CtSpec>, config: &str) -> World {
    Setup::default().containers(containers).config(config).start()
}

/// A container whose start takes a while.
fn slow(vmid: u32, name: &str) -> CtSpec {
    CtSpec { start_seconds: Some(60.0), ..ct(vmid, name) }
}

#[test]
fn one_sees_what_another_does() {
    let Some(database) = database() else { return };
    let redis = RedisServer::start(&[]);
    let with_redis = redis.as_ref().map(|redis| format!("{database}\nredis = \"{}\"", redis.url()));
    // The way over Postgres itself, and over Redis where there is one.
    for config in [Some(database), with_redis].into_iter().flatten() {
        let config = if config.contains("redis") { config } else { self::database().expect("as before") };
        let world = world([running(104, "web-1"), slow(105, "web-2")], &config);
        let (_second, ctl) = world.another_daemon("second", &config);
        ctl.run("ls -o name").exits(0).prints("homelab/104");

        // An operation of one is watched on the other, to its end, and shows in its list at once.
        let started = world.ctl("start 105 --detach");
        let op = started.operation();
        ctl.run(&format!("op watch {op}")).exits(0).prints("started");
        ctl.run("ls -l name=web-2 -o json").exits(0).prints("\"status\": \"running\"");

        // A wish that is told to the one reaches the driver in the other.
        world.ctl("stop 105").exits(0);
        let started = world.ctl("start 105 --detach");
        let op = started.operation();
        ctl.run(&format!("op cancel {op}")).exits(0);
        world.ctl(&format!("op wait {op}")).exits(1);

        // A remote that one adds is known to the other.
        let edge = world.another_sim(|mut config| {
            config.population = Some(vec![running(201, "edge-1")]);
            config
        });
        world.add("edge", &edge).exits(0);
        until("the other to know it", || {
            let run = ctl.run("ls -o name");
            if run.out.contains("edge/201") { Ok(()) } else { Err(run.to_string()) }
        });
        world.ctl("remote remove edge --yes").exits(0);
        until("the other to forget it", || {
            let run = ctl.run("remote ls -o name");
            if run.out.contains("edge") { Err(run.to_string()) } else { Ok(()) }
        });
        edge.stop();
    }
}

#[test]
fn one_finishes_what_another_dropped() {
    let Some(database) = database() else { return };
    let mut world = world([slow(105, "web-2")], &database);
    let (_second, ctl) = world.another_daemon("second", &database);
    let op = world.ctl("start 105 --detach").operation();
    until("the task to be known", || {
        let run = ctl.run(&format!("op show {op}"));
        if run.out.contains("UPID") { Ok(()) } else { Err(run.to_string()) }
    });
    world.daemon.kill();
    ctl.run(&format!("op wait {op}")).exits(0).prints("started");
    let starts = world.calls().iter().filter(|call| call.contains("status/start")).count();
    assert_eq!(starts, 1, "{:?}", world.calls());
}

#[test]
fn a_host_without_the_key_is_told_where_it_is() {
    let Some(database) = database() else { return };
    let world = world([running(104, "web-1")], &database);
    let stranger = Daemon::new(&world.path().join("stranger"), &database);
    let refused = stranger.output(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.contains("error[LXC0511]") && said.contains("scp -p "), "{said}");
    let keyring = stranger.state().join("keyring");
    assert!(said.contains(&keyring.display().to_string()), "{said}");
    assert!(!keyring.exists(), "no new key for secrets it cannot open");
    // With another key than the database's, too.
    let other = Setup::default().containers([]).unregistered().start();
    std::fs::copy(other.daemon.state().join("keyring"), &keyring).expect("copied");
    let said = String::from_utf8_lossy(&stranger.output(&[]).stderr).into_owned();
    assert!(said.contains("error[LXC0511]") && said.contains("scp -p "), "{said}");
}

#[test]
fn a_key_that_is_changed_elsewhere_is_noticed() {
    let Some(database) = database() else { return };
    let mut world = world([running(104, "web-1")], &database);
    let (mut second, ctl) = world.another_daemon("second", &database);
    world.daemon.stop();
    let rotated = world.daemon.output(&["rotate-key"]);
    let said = String::from_utf8_lossy(&rotated.stdout).into_owned();
    assert!(rotated.status.success() && said.contains("lacks the new key"), "{rotated:?}");
    until("the other to say so", || {
        let run = ctl.run("daemon status");
        if run.err.contains("LXC0511") { Ok(()) } else { Err(run.to_string()) }
    });
    // What it has read goes on; what it would seal, nobody else could open.
    ctl.run("stop 104").exits(0);
    ctl.run("remote set homelab --name lab").fails("LXC0511").says("lxcctl explain LXC0511");
    second.stop();
    let said = String::from_utf8_lossy(&second.output(&[]).stderr).into_owned();
    assert!(said.contains("error[LXC0511]"), "{said}");
    std::fs::copy(world.daemon.state().join("keyring"), second.state().join("keyring")).expect("copied");
    second.start();
    ctl.run("remote set homelab --name lab").exits(0);
    world.daemon.start();
    world.ctl("start lab/104").exits(0);
}

//! The lock other people's scripts see and hold, from the command line: a real Redis beside a real lxcd, which
//! goes on whatever happens to it.

use lxc_tests::harness::{Ca, RedisServer, Setup, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;

fn world(server: &RedisServer, containers: impl IntoIterator<Item = CtSpec>) -> World {
    Setup::default().containers(containers).config(&format!("redis = \"{}\"", server.url())).start()
}

/// The key of a container.
fn key(world: &World, target: &str) -> String {
    let item = world.listed(target).expect("listed");
    let installation = item["installation"].as_str().expect("an installation");
    format!("lxc:lock:{installation}:{}", item["vmid"])
}

/// A container whose start takes a while.
fn slow(vmid: u32, name: &str) -> CtSpec {
    CtSpec { start_seconds: Some(60.0), ..ct(vmid, name) }
}

#[test]
fn a_running_operation_holds_the_key_and_gives_it_back() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let world = world(&server, [slow(104, "web-1")]);
    let key = key(&world, "homelab/104");
    let started = world.ctl("start 104 --detach");
    let op = started.operation();
    until("the key to be held", || {
        let value = server.command(&["GET", &key]);
        if value.ends_with(&op) { Ok(()) } else { Err(value) }
    });
    world.ctl(&format!("op wait {op}")).exits(0);
    until("the key to be given back", || {
        let value = server.command(&["GET", &key]);
        if value.is_empty() { Ok(()) } else { Err(value) }
    });
    // A refusal gives it back too.
    world.ctl("start 104").fails("LXC0501");
    assert_eq!(server.command(&["EXISTS", &key]), "0");
}

#[test]
fn a_foreign_key_is_waited_for_refused_and_removed() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let world = world(&server, [ct(104, "web-1"), ct(105, "web-2")]);
    let key = key(&world, "homelab/104");
    world.ctl("unlock 104").fails("LXC0515").says("nobody holds its key");

    server.command(&["SET", &key, "backup.sh on nas", "EX", "60"]);
    let run = world.ctl("start 104");
    run.fails("LXC0405").says("backup.sh on nas holds it for another").says("--wait-lock 10m");
    assert!(!run.err.contains("lxcctl unlock"), "{run}");
    world.ctl("unlock 104").fails("LXC0515").says("ends by itself");
    assert_eq!(world.calls(), Vec::<String>::new());
    // Other containers are nobody's business.
    world.ctl("start 105").exits(0);

    server.command(&["PERSIST", &key]);
    world.ctl("start 104").fails("LXC0405").says("holds it, for ever").says("lxcctl unlock 104");
    let waiting = world.begin("start 104 --wait-lock 10m");
    world.ctl("unlock 104").exits(0).prints("unlocked  backup.sh on nas held it");
    waiting.end().exits(0);
    let audit = world.ctl("audit ls --verb unlock -o json");
    assert_eq!(audit.json()["items"][0]["detail"], "backup.sh on nas");
}

#[test]
fn what_another_lxcd_left_behind_is_taken_over() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let mut world = world(&server, [ct(104, "web-1")]);
    let key = key(&world, "homelab/104");
    world.ctl("start 104").exits(0);
    let id = world.ctl("op ls -o json").json()["items"][0]["id"].as_str().expect("an id").to_owned();
    // As if it had been killed between its last commit and giving the key back.
    server.command(&["SET", &key, &id, "EX", "300"]);
    world.daemon.kill();
    world.daemon.start();
    world.ctl("stop 104").exits(0);
    assert_eq!(server.command(&["EXISTS", &key]), "0");
}

#[test]
fn without_redis_everything_goes_on_and_says_so() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let mut world = world(&server, [running(104, "web-1")]);
    server.kill();
    world.ctl("stop 104").exits(0);
    world.ctl("daemon status").exits(0).prints("degraded").says("Redis cannot be used");
    world.ctl("unlock 104").fails("LXC0112");
    server.resume();
    until("it to be used again", || {
        world.ctl("restart 104").exits(0);
        let run = world.ctl("daemon status");
        if run.out.contains("degraded") { Err(run.to_string()) } else { Ok(()) }
    });

    // lxcd starts without it, too; and a password that is wrong is told without being repeated.
    world.daemon.stop();
    let url = server.url();
    world.daemon.configure(&format!("redis = \"{url}?user=lxcd&pass=wr0ng\""));
    world.daemon.start();
    world.ctl("stop 104").exits(0);
    let status = world.ctl("daemon status");
    status.exits(0).prints("degraded");
    assert!(!status.out.contains("wr0ng") && !world.daemon.log().contains("wr0ng"), "{status}");
}

#[test]
fn over_tls_the_server_has_to_be_the_one_its_ca_vouches_for() {
    let (ours, other) = (Ca::new(), Ca::new());
    let (certificate, private) = ours.certificate("127.0.0.1");
    let Some((server, port)) = RedisServer::with_tls(&certificate, &private) else { return };
    let mut world = Setup::default().containers([slow(104, "web-1")]).start();
    let key = key(&world, "homelab/104");
    let restart = |world: &mut World, ca: &str| {
        world.daemon.stop();
        world.daemon.configure(&format!("redis = \"rediss://127.0.0.1:{port}{ca}\""));
        world.daemon.start();
    };
    let write = |name: &str, pem: &str| {
        let path = server.directory().join(name);
        std::fs::write(&path, pem).expect("written");
        format!("?sslrootcert={}", path.display())
    };
    restart(&mut world, &write("ours.pem", &ours.pem));
    let op = world.ctl("start 104 --detach").operation();
    until("the key to be held", || {
        let value = server.command(&["GET", &key]);
        if value.ends_with(&op) { Ok(()) } else { Err(value) }
    });
    world.ctl(&format!("op wait {op}")).exits(0);
    let status = world.ctl("daemon status");
    assert!(!status.exits(0).out.contains("degraded"), "{status}");

    // Another CA, or none but the system's: nothing is said to that server, and everything goes on without it.
    for ca in [write("other.pem", &other.pem), String::new()] {
        restart(&mut world, &ca);
        world.ctl("restart 104").exits(0);
        world.ctl("daemon status").exits(0).says("Redis cannot be used").says("certificate");
    }

    // A CA that cannot be read is a mistake of the configuration, said at the start.
    world.daemon.stop();
    world.daemon.configure("redis = \"rediss://127.0.0.1:1?sslrootcert=/nowhere/ca.pem\"");
    let output = world.daemon.output(&[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("LXC0212") && said.contains("/nowhere/ca.pem"), "{said}");
}

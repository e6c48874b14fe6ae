//! Certificates that change, secrets and keys.

use std::net::SocketAddr;
use std::path::Path;

use lxc_tests::harness::{SCALE, SECRET, Setup, TOKEN, World, ct, running, until};
use lxc_tests::pvesim::{Sim, SimConfig};
use serde_json::{Value, json};

/// A simulator that can be restarted at the same address, with the same CA or another one.
fn sim_at(world: &World, port: u16, state: Option<&Path>) -> Sim {
    let token = format!("{TOKEN}={SECRET}");
    let config = SimConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        speed: f64::from(SCALE),
        population: Some(vec![running(201, "edge-1")]),
        state_dir: state.map(Path::to_owned),
        ..SimConfig::default()
    };
    until("the port to be free", || {
        world.block_on(Sim::start(config.clone().token(&token))).map_err(|error| error.to_string())
    })
}

fn port(sim: &Sim) -> u16 {
    sim.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

#[test]
fn another_certificate_is_never_taken_for_the_old_one() {
    let world = World::with([ct(104, "web-1")]);
    let edge = sim_at(&world, 0, None);
    let port = port(&edge);
    world.add("edge", &edge).exits(0);
    edge.stop();
    let other = sim_at(&world, port, None);
    let item = world.wait_listed("edge/201", "unknown", |item| item["status"] == "unknown");
    assert_eq!(item["power"], Value::Null);
    let listing = until("the reason", || {
        let listing = world.ctl("ls -o json").exits(0).json();
        if listing["warnings"][0]["code"] == "LXC0703" { Ok(listing) } else { Err(listing.to_string()) }
    });
    assert_eq!(listing["warnings"][0]["target"], "edge");
    world.ctl("start edge/201").fails("LXC0703").says("lxcctl remote trust edge --rotate");
    world.ctl("remote test edge").exits(7);
    world.ctl("remote trust edge").fails("LXC0703");
    assert_eq!(other.counters().total, 0, "the token was not sent to it");
    assert_eq!(world.listed("homelab/104").expect("listed")["freshness"], "live");
    // It is another installation: its certificate may be accepted, its containers are not ours.
    world.ctl("remote trust edge --rotate").fails("LXC0215");
    world.ctl("remote trust edge --rotate --yes").fails("LXC0506").says("another Proxmox");
}

#[test]
fn a_renewed_certificate_is_accepted_after_a_look() {
    let world = World::with([ct(104, "web-1")]);
    let state = world.path().join("edge");
    let edge = sim_at(&world, 0, Some(&state));
    let (port, old) = (port(&edge), edge.fingerprint().to_owned());
    world.add("edge", &edge).exits(0);
    edge.stop();
    // The CA stays, the node gets a new certificate.
    for entry in std::fs::read_dir(&state).expect("a directory").flatten() {
        if !entry.file_name().to_string_lossy().contains("ca") {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    let renewed = sim_at(&world, port, Some(&state));
    assert_ne!(old, renewed.fingerprint());
    world.wait_listed("edge/201", "unknown", |item| item["status"] == "unknown");
    let mut terminal = world.terminal("remote trust edge --rotate");
    terminal.wait_for(&format!("was {old}")).wait_for(&format!("now {}", renewed.fingerprint())).answer("y");
    terminal.end().exits(0);
    world.wait_listed("edge/201", "back", |item| item["status"] == "running" && item["freshness"] == "live");
    world.ctl("stop edge/201").exits(0);
    world.ctl("remote trust edge").exits(0).prints("pinned");
    world.ctl("audit ls --verb 'remote trust'").exits(0).prints("edge");
}

/// Files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn the_secret_is_nowhere_to_be_read() {
    let mut world =
        Setup::default().containers([running(104, "web-1")]).config("[log]\nlevel = \"trace\"").start();
    world.ctl("restart 104").exits(0);
    let mut said = String::new();
    for line in [
        "remote show homelab -o json",
        "remote ls -o yaml",
        "audit ls -o json",
        "events -o json",
        "remote test homelab -o json",
        "op ls -o json",
    ] {
        said += &world.ctl(line).exits(0).out;
    }
    assert!(!said.contains(SECRET));
    world.daemon.stop();
    assert_eq!(holding(world.path(), SECRET), [""; 0], "in the state, the configuration or the log");
    assert!(world.daemon.log().contains("DEBUG"), "the log was to say everything");
    // The search finds what is there.
    assert!(!holding(&world.daemon.state(), "homelab").is_empty());
}

#[test]
fn the_key_is_changed() {
    let mut world = World::with([running(104, "web-1")]);
    let key = world.daemon.state().join("keyring");
    let before = std::fs::read(&key).ok();
    let busy = world.daemon.output(&["rotate-key"]);
    assert_eq!(busy.status.code(), Some(4), "{busy:?}");
    assert!(String::from_utf8_lossy(&busy.stderr).contains("error[LXC0404]"), "{busy:?}");
    world.daemon.stop();
    let rotated = world.daemon.output(&["rotate-key"]);
    assert!(rotated.status.success(), "{rotated:?}");
    assert!(
        String::from_utf8_lossy(&rotated.stdout).contains("1 secrets are sealed with the new key"),
        "{rotated:?}"
    );
    assert_ne!(before, std::fs::read(&key).ok());
    world.daemon.start();
    world.ctl("stop 104").exits(0);
}

#[test]
fn the_wrong_key_is_refused() {
    let mut world = World::with([running(104, "web-1")]);
    world.daemon.stop();
    let keys: Vec<_> = std::fs::read_dir(world.daemon.state())
        .expect("a directory")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("key"))
        .collect();
    let [key] = &keys[..] else { panic!("one key file: {keys:?}") };
    let right = std::fs::read(key.path()).expect("read");
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.metadata().expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_file(key.path()).expect("removed");
    let refused = world.daemon.output(&[]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error[LXC0511]"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(5));
    assert!(!key.path().exists(), "no new key for secrets it cannot open");
    let other = Setup::default().containers([]).unregistered().start();
    std::fs::copy(other.daemon.state().join(key.file_name()), key.path()).expect("copied");
    let refused = world.daemon.output(&[]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error[LXC0511]"), "{refused:?}");
    std::fs::write(key.path(), right).expect("written");
    world.daemon.start();
    world.wait_listed("homelab/104", "live", |item| item["freshness"] == json!("live"));
}

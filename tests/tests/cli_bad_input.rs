//! Bad input, named: each with its code, and nothing lost. Configuration, database, disk, Proxmox's answers,
//! clocks.

use std::io::Write;
use std::process::Output;

use lxc_tests::harness::{Setup, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;
use serde_json::json;
use sqlx::Connection;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bad_configuration_is_named_by_line_and_key() {
    let mut world = Setup::default().containers([]).unregistered().start();
    let fine = world.daemon.output(&["check-config"]);
    assert!(fine.status.success() && String::from_utf8_lossy(&fine.stdout).contains("is fine"), "{fine:?}");
    world.daemon.stop();
    for (text, words) in [
        ("sockt_group = \"x\"", "socket_group"),
        ("[log]\nlevel = \"loud\"", "debug"),
        ("[poll]\nactive_seconds = 0", "active_seconds"),
        ("database = \"mysql://x\"", "postgres://"),
        ("[roles]\nadmin = [\"a b\"]", "@wheel"),
        ("state_dir = \"twice\"", "duplicate key"),
        ("this is no toml", "config.toml:3"),
    ] {
        world.daemon.configure(text);
        for arguments in [&["check-config"][..], &[]] {
            let output = world.daemon.output(arguments);
            let error = said(&output);
            assert_eq!(output.status.code(), Some(2), "{text}: {error}");
            assert!(error.contains("error[LXC0212]") && error.contains(words), "{text}: {error}");
            let lines = ["config.toml:3:", "config.toml:4:"];
            assert!(lines.iter().any(|line| error.contains(line)), "where: {error}");
        }
    }
    let missing = std::process::Command::new(lxc_tests::harness::binary::program("lxcd"))
        .args(["--config", "/nonexistent/lxcd.toml", "check-config"])
        .output()
        .expect("started");
    assert!(said(&missing).contains("error[LXC0212]: /nonexistent/lxcd.toml cannot be read"), "{missing:?}");
}

#[test]
fn a_newer_database_is_left_alone() {
    let mut world = World::with([ct(104, "web-1")]);
    world.daemon.stop();
    let database = world.daemon.state().join("lxcd.db");
    world.block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", database.display())).await?;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'from the future', 1, x'00', 0)";
        sqlx::query(newer).execute(&mut connection).await?;
        connection.close().await
    })
    .expect("changed");
    let before = std::fs::read(&database).expect("read");
    for arguments in [&[][..], &["db", "upgrade"], &["rotate-key"]] {
        let output = world.daemon.output(arguments);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        assert!(said(&output).contains("error[LXC0509]"), "{output:?}");
    }
    assert_eq!(before, std::fs::read(&database).expect("read"), "not a byte of it is changed");
}

#[test]
fn a_damaged_database_is_named_and_kept() {
    let mut world = World::with([ct(104, "web-1")]);
    world.daemon.stop();
    let database = world.daemon.state().join("lxcd.db");
    let whole = std::fs::read(&database).expect("read");
    let mut torn = whole.clone();
    torn[4096..8192].fill(0x5a);
    let middle = torn.len() / 2;
    torn[middle..].fill(0xa5);
    for damaged in [torn, b"this is not a database at all, but long enough to look at it twice ".repeat(200)]
    {
        std::fs::write(&database, &damaged).expect("written");
        let output = world.daemon.output(&[]);
        assert!(said(&output).contains("error[LXC0510]"), "{output:?}");
        assert_eq!(output.status.code(), Some(5));
        assert!(std::fs::read(&database).expect("read").len() >= damaged.len(), "nothing is thrown away");
    }
    std::fs::write(&database, whole).expect("written");
    for leftover in ["lxcd.db-wal", "lxcd.db-shm"] {
        let _ = std::fs::remove_file(world.daemon.state().join(leftover));
    }
    world.daemon.start();
    world.ctl("start 104").exits(0);
}

/// The disk of this lxcd is a small one of its own; only root can give it one.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen in its output")]
fn on_a_small_disk() -> Option<World> {
    let allowed = std::process::Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        eprintln!("SKIPPED: no disk of its own can be mounted here");
        return None;
    }
    let mut world = Setup::default().containers([]).unregistered().start();
    world.daemon.stop();
    let mount =
        format!("mount -t tmpfs -o size=6m,mode=700 tmpfs {} && exec \"$@\"", world.daemon.state().display());
    world.daemon.under(&["unshare", "-m", "sh", "-c", &mount, "sh"]);
    world.daemon.start();
    let slow = CtSpec { start_seconds: Some(600.0), ..ct(104, "slow") };
    for spec in [slow, ct(105, "web-1"), running(106, "web-2")] {
        world.sim.control().add_container(&spec).expect("added");
    }
    world.add("homelab", &world.sim).exits(0);
    Some(world)
}

#[test]
fn a_full_disk_stops_what_would_not_be_recorded() {
    let Some(world) = on_a_small_disk() else { return };
    let id = world.ctl("start 104 --detach").exits(0).operation();
    until("the task", || if world.calls().is_empty() { Err("none".to_owned()) } else { Ok(()) });
    // Another mount namespace: its files are reached through the process.
    let filler = format!("/proc/{}/root{}/filler", world.daemon.pid(), world.daemon.state().display());
    let mut file = std::fs::File::create(&filler).expect("made");
    while file.write_all(&[0; 4096]).is_ok() {}
    until("no room", || {
        let run = world.ctl("start 105");
        if run.err.contains("error[LXC0109]") { Ok(()) } else { Err(run.to_string()) }
    });
    world.ctl("stop 106").fails("LXC0109").says("no room");
    assert_eq!(world.calls().len(), 1, "what cannot be recorded is not done: {:?}", world.calls());
    world.ctl("ls").exits(0).prints("homelab/106");
    world.ctl(&format!("op show {id}")).exits(0).prints("running");
    drop(file);
    std::fs::remove_file(&filler).expect("removed");
    world.ctl("start 105").exits(0);
    world.ctl(&format!("op cancel {id}")).exits(0);
    world.ctl(&format!("op wait {id}")).exits(1);
}

#[test]
fn garbage_in_a_list_loses_nothing() {
    let world = World::with([running(104, "web-1"), ct(105, "web-2")]);
    let id = world.listed("homelab/104").expect("listed")["id"].clone();
    for kind in ["html", "truncated", "huge", "non-ascii", "wrong-types"] {
        for path in ["/nodes", "/nodes/*/lxc", "/cluster/resources"] {
            world.sim.control().add_fault(&format!("{kind}#*:GET:{path}")).expect("fault");
            let listing = until(&format!("a warning about {kind} at {path}"), || {
                let listing = world.ctl("ls --fresh -o json").exits(0).json();
                if listing["warnings"] == json!([]) { Err(listing.to_string()) } else { Ok(listing) }
            });
            assert_eq!(listing["items"].as_array().map(Vec::len), Some(2), "{kind} {path}: {listing}");
            world.sim.control().clear_faults();
        }
    }
    let item = world.wait_listed("homelab/104", "live again", |item| item["freshness"] == "live");
    assert_eq!(item["id"], id);
    let events = world.ctl("events -o json").exits(0).json();
    assert_eq!(events["items"], json!([]), "nothing happened to any container");
}

#[test]
fn garbage_in_the_answer_to_a_call_is_a_lost_answer() {
    for kind in ["html", "truncated", "huge", "reset-body"] {
        let world = World::with([ct(104, "web-1")]);
        world.sim.control().add_fault(&format!("{kind}:POST:*/status/start")).expect("fault");
        world.ctl("start 104").exits(0).prints("started");
        assert_eq!(
            world.calls().len(),
            1,
            "{kind}: its task is found, not started again: {:?}",
            world.calls()
        );
    }
    let world = World::with([ct(104, "web-1")]);
    world.sim.control().add_fault("non-ascii:POST:*/status/start").expect("fault");
    let run = world.ctl("start 104");
    assert!(run.code == 0 || run.err.contains("error[LXC"), "{run}");
}

#[test]
fn garbage_while_a_task_is_watched() {
    for kind in ["html", "truncated", "huge", "wrong-types", "596", "595"] {
        let world = World::with([CtSpec { start_seconds: Some(20.0), ..ct(104, "web-1") }]);
        for path in ["/nodes/*/tasks/*/status", "/nodes/*/tasks/*/log", "/nodes/*/lxc/*/status/current"] {
            world.sim.control().add_fault(&format!("{kind}:GET:{path}")).expect("fault");
        }
        let run = world.ctl("start 104 --timeout 0");
        if kind == "595" || kind == "596" || run.code == 0 {
            assert_eq!(world.calls().len(), usize::from(run.code == 0), "{kind}: {run}");
        }
        assert!(matches!(run.code, 0 | 7), "{kind}: {run}");
    }
}

#[test]
fn clocks_that_differ_and_jump() {
    for skew in [-7200, 7200] {
        let world = World::with([ct(104, "web-1")]);
        world.sim.control().set_skew(skew);
        world.ctl("start 104").exits(0);
        // A lost answer is looked for by the node's own clock.
        world.sim.control().add_fault("lost-after:POST:*/status/stop").expect("fault");
        world.ctl("stop 104").exits(0);
        world.sim.control().set_skew(-skew);
        world.sim.control().add_fault("lost-after:POST:*/status/start").expect("fault");
        world.ctl("start 104").exits(0);
        assert_eq!(world.calls().len(), 3, "{:?}", world.calls());
        let item = world.listed("homelab/104").expect("listed");
        assert_eq!(item["freshness"], "live");
    }
}

#[test]
fn a_virtual_machine_is_called_one() {
    let world = World::with([ct(104, "web-1")]);
    world.sim.world(|w| w.vms.insert(300));
    world.ctl("ls --fresh").exits(0);
    for line in ["start 300", "show homelab/300", "delete 300 --yes", "stop 104 300"] {
        world.ctl(line).fails("LXC0208").says("homelab/300 is a virtual machine");
    }
    assert_eq!(world.ctl("ls -o name").out, "homelab/104\n");
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn hostile_names_stay_text() {
    let world = World::with([ct(104, "web-1")]);
    for line in [
        "start 99999999999999999999",
        "start -1",
        "start 'a/b/c'",
        "show ''",
        "start '104;reboot'",
        "ls -l 'name=[a-'",
        "ls -l 'vmid=x'",
        "ls --columns nonsense",
        "ls --sort nonsense",
        "ls -o xml",
        "start 104 --timeout forever",
        "explain LXC9999",
    ] {
        let run = world.ctl(line);
        assert!(matches!(run.code, 2 | 3), "{run}");
        assert!(run.err.starts_with("error[LXC0"), "{run}");
    }
    assert_eq!(world.calls(), [""; 0]);
}

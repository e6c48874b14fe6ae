//! Several lxcd side by side: one is drained, one is too old for the database, one has made what the other does not
//! know. Real processes.

use lxc_tests::harness::{Cli, Postgres, Setup, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;
use lxcd::store::Store;
use serde_json::Value;

/// A new database and the configuration of lxcd on it; None without Postgres.
fn database() -> Option<(&'static Postgres, String, String)> {
    let postgres = Postgres::shared()?;
    let template = postgres.template(|url| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { Store::open_postgres(url).await.expect("a schema").close().await });
    });
    let name = postgres.create(Some(template));
    let config = format!("database = \"{}\"", postgres.url(&name));
    Some((postgres, name, config))
}

fn world(config: &str) -> World {
    let slow = CtSpec { start_seconds: Some(60.0), ..ct(105, "web-2") };
    Setup::default().containers([running(104, "web-1"), slow]).config(config).start()
}

fn daemons(ctl: &Cli) -> Vec<Value> {
    ctl.run("daemon ls -o json").exits(0).json()["items"].as_array().expect("a list").clone()
}

/// The one that `ctl` asks.
fn own(ctl: &Cli) -> Value {
    daemons(ctl).into_iter().find(|daemon| daemon["self"] == true).expect("it knows itself")
}

fn wait_status(ctl: &Cli, status: &str) {
    until(&format!("it to be {status}"), || {
        let run = ctl.run("daemon status");
        if run.out.contains(status) { Ok(()) } else { Err(run.to_string()) }
    });
}

#[test]
fn a_drained_one_leaves_its_work_to_the_others() {
    let Some((_, _, config)) = database() else { return };
    let mut world = world(&config);
    let (_second, ctl) = world.another_daemon("second", &config);
    let first = own(&world.cli);
    assert_eq!((&first["status"], &first["polls"]), (&"ok".into(), &serde_json::json!(["homelab"])));
    let op = world.ctl("start 105 --detach").operation();
    until("the task to be known", || {
        let run = ctl.run(&format!("op show {op}"));
        if run.out.contains("UPID") { Ok(()) } else { Err(run.to_string()) }
    });
    // Told by the other, by the id it is listed with.
    let id = first["id"].as_str().expect("an id");
    ctl.run(&format!("daemon drain {}", &id[id.len() - 8..])).exits(0).prints("draining");
    wait_status(&world.cli, "draining");
    until("the other to have taken over", || {
        let all = daemons(&ctl);
        let other = all.iter().find(|daemon| daemon["self"] == true).expect("listed");
        let taken = other["operations"] == 1 && other["polls"] == serde_json::json!(["homelab"]);
        if taken { Ok(()) } else { Err(format!("{all:?}")) }
    });
    // It lives on, answers and streams, but begins nothing.
    assert_eq!(own(&world.cli)["status"], "draining");
    world.ctl("ls -o name").exits(0).prints("homelab/104");
    world.ctl("stop 104").exits(8).fails("LXC0805");
    world.ctl(&format!("op watch {op}")).exits(0).prints("started");
    let starts = world.calls().iter().filter(|call| call.contains("status/start")).count();
    assert_eq!(starts, 1, "{:?}", world.calls());
    ctl.run("audit ls --verb 'daemon drain'").exits(0).prints("daemon");
    ctl.run("daemon drain 00000000").exits(3).fails("LXC0307");

    // The next run takes part again; the one before is of no interest any more.
    world.daemon.stop();
    assert!(daemons(&ctl).iter().any(|daemon| daemon["status"] == "gone"));
    world.daemon.start();
    assert_eq!(daemons(&ctl).len(), 2);
    world.ctl("stop 104").exits(0);
}

#[test]
fn one_that_is_too_old_for_the_database_drains() {
    let Some((postgres, name, config)) = database() else { return };
    let world = world(&config);
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (99, 'contract', true, '', 0)";
    postgres.sql(&name, newer);
    wait_status(&world.cli, "draining");
    world.ctl("daemon status").says("schema 99");
    world.ctl("ls -o name").exits(0).prints("homelab/104");
    world.ctl("stop 104").exits(8).fails("LXC0805");
    let output = world.daemon.output(&["db", "upgrade"]);
    assert!(!output.status.success());
}

#[test]
fn what_a_newer_one_makes_is_shown_and_left_alone() {
    let Some((postgres, name, config)) = database() else { return };
    let mut world = world(&config);
    let op = world.ctl("start 105 --detach").operation();
    until("the task to be known", || {
        let run = world.ctl(&format!("op show {op}"));
        if run.out.contains("UPID") { Ok(()) } else { Err(run.to_string()) }
    });
    world.daemon.kill();
    // A newer lxcd drives it now, and has steps of its own.
    postgres.sql(
        &name,
        "UPDATE operation SET kind_version = 99, verb = 'snapshot', kind = '{\"verb\":\"snapshot\"}'; \
         UPDATE step SET kind = 'snapshot'",
    );
    world.daemon.start();
    world.ctl("op ls").exits(0).prints("snapshot");
    world.ctl(&format!("op show {op}")).exits(0).prints("snapshot");
    world.ctl("stop 105").exits(4).fails("LXC0401").says("works on it");
    world.ctl("stop 104").exits(0);
    // Long past every lease, it is still the other's.
    let owner = "SELECT COUNT(*) FROM operation o JOIN daemon d ON d.id = o.owner \
                 WHERE o.kind_version = 99 AND o.finished_us IS NULL AND d.lease_us = 0";
    assert_eq!(postgres.sql(&name, owner), "1");
}

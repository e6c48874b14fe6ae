//! Postgres does not go away, it only does not answer: late, or not at all. Whoever asks hears of it in time, and a
//! daemon that was cut off does nothing once its lease has ended. Real processes.

use std::time::{Duration, Instant};

use lxc_tests::harness::{Postgres, Proxy, Setup, Wire, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;

/// A wire to a new database, lxcd's configuration over it, and the one past it; None without Postgres.
fn database() -> Option<(Proxy, String, String)> {
    let postgres = Postgres::shared()?;
    let name = postgres.create(None);
    let wire = Proxy::unix(&postgres.socket());
    let over = format!("database = \"{}\"", postgres.url_over(&wire, &name));
    let past = format!("database = \"{}\"", postgres.url(&name));
    Some((wire, over, past))
}

fn posts(world: &World, vmid: u32) -> usize {
    world.calls().iter().filter(|call| call.contains(&format!("/{vmid}/status/"))).count()
}

#[test]
fn one_that_is_slow_slows_down_and_nothing_else() {
    let Some((wire, config, _)) = database() else { return };
    // A heartbeat takes a good part of what a lease lasts.
    let world = Setup::default().scale(10).containers([running(104, "web-1")]).config(&config).start();
    wire.set(Wire::Slow(Duration::from_millis(40)));
    world.ctl("ls -o name").exits(0).prints("homelab/104");
    world.ctl("stop 104").exits(0);
    world.ctl("ls -o name -l status=stopped").exits(0).prints("homelab/104");
    assert_eq!(posts(&world, 104), 1, "{:?}", world.calls());
}

#[test]
fn one_that_hangs_is_an_error_in_time_and_goes_on_by_itself() {
    let Some((wire, config, _)) = database() else { return };
    let slow = CtSpec { start_seconds: Some(120.0), ..ct(105, "web-2") };
    let world = Setup::default().containers([running(104, "web-1"), slow]).config(&config).start();
    let mut watching = world.begin("start 105");
    watching.wait_for("task on pve1");
    wire.set(Wire::Held);
    wire.wait_held(1);
    let promptly = |line: &str| {
        let begun = Instant::now();
        let run = world.ctl(line);
        assert!(begun.elapsed() < Duration::from_secs(8), "{line} took {:?}", begun.elapsed());
        run
    };
    promptly("start 104").exits(1).fails("LXC0108");
    // What lxcd has in memory needs no database, and is said to be no more than that.
    promptly("ls").exits(0).prints("web-1").says("does not answer");
    promptly("ls -o json").exits(0).prints("\"stale\"").prints("LXC0108");
    promptly("node ls").exits(0).prints("pve1").says("does not answer");
    promptly("whoami").exits(0);
    wire.set(Wire::Open);
    watching.end().exits(0).prints("started");
    assert_eq!(posts(&world, 105), 1, "{:?}", world.calls());
    until("it to work again", || {
        let run = world.ctl("stop 104 --if-needed");
        if run.code == 0 { Ok(()) } else { Err(run.to_string()) }
    });
}

#[test]
fn who_was_cut_off_sends_nothing_after_its_lease() {
    let Some((wire, config, past)) = database() else { return };
    let all = 200..230;
    let containers: Vec<CtSpec> = all.clone().map(|vmid| ct(vmid, &format!("web-{vmid}"))).collect();
    let world = Setup::default().scale(10).containers(containers).config(&config).start();
    let (_second, ctl) = world.another_daemon("second", &past);
    world.ctl("start --all --detach").exits(0);
    until("some to be sent", || {
        let sent = world.calls().iter().filter(|call| call.contains("/status/start")).count();
        if sent >= 3 { Ok(()) } else { Err(sent.to_string()) }
    });
    // Some have committed that they are about to send, and do not hear that they have; some hold rows of Postgres
    // until it ends their transactions.
    wire.set(Wire::Held);
    until("the other to have finished them", || {
        let run = ctl.run("op ls --state running");
        if run.code == 0 && run.out.trim().is_empty() { Ok(()) } else { Err(run.to_string()) }
    });
    wire.set(Wire::Open);
    until("the first to be back", || {
        let run = world.ctl("ls -o name -l status=running");
        if run.code == 0 && run.out.lines().count() == all.len() { Ok(()) } else { Err(run.to_string()) }
    });
    for vmid in all {
        assert_eq!(posts(&world, vmid), 1, "{vmid}: {:?}", world.calls());
    }
}

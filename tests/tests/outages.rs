//! Postgres goes away underneath a running lxcd: whoever asks is told, whoever watches goes on watching, nothing is
//! done twice or lost, and nobody has to restart lxcd. Real processes, with a server of each test's own.

use lxc_tests::harness::{Postgres, Setup, World, ct, running, until};
use lxc_tests::pvesim::CtSpec;

/// A server of its own, its database, and a world on it; None without Postgres.
fn world() -> Option<(Postgres, String, World)> {
    let postgres = Postgres::own()?;
    let name = postgres.create(None);
    // Not as the superuser, for whom there is always room.
    postgres.sql("postgres", &format!("CREATE ROLE lxcd LOGIN; ALTER DATABASE {name} OWNER TO lxcd"));
    let url = postgres.url(&name).replace("postgres://postgres@", "postgres://lxcd@");
    let config = format!("database = \"{url}\"");
    let slow = CtSpec { start_seconds: Some(120.0), ..ct(105, "web-2") };
    let world = Setup::default().containers([running(104, "web-1"), slow]).config(&config).start();
    Some((postgres, name, world))
}

/// Cuts every connection that lxcd has, as a fail-over does.
fn cut(postgres: &Postgres, name: &str) {
    let sql = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND datname = ";
    postgres.sql("postgres", &format!("{sql}'{name}'"));
}

/// Waits until a line does what it should again.
fn wait_for(world: &World, line: &str, words: &str) {
    until(&format!("{line} to work"), || {
        let run = world.ctl(line);
        if run.code == 0 && run.out.contains(words) { Ok(()) } else { Err(run.to_string()) }
    });
}

fn starts(world: &World) -> usize {
    world.calls().iter().filter(|call| call.contains("status/start")).count()
}

#[test]
fn a_server_that_is_away_for_a_while() {
    let Some((mut postgres, _, world)) = world() else { return };
    let mut watching = world.begin("start 105");
    watching.wait_for("task on pve1");
    let mut following = world.begin("events --follow -o jsonl");
    world.ctl("stop 104").exits(0);
    following.wait_for("\"stopped\"");
    postgres.stop();
    // Told at once, with a code, and lxcd is there all the same.
    world.ctl("op ls").exits(1).fails("LXC0108");
    world.ctl("ls").exits(0).prints("web-1").says("does not answer");
    world.ctl("start 104").exits(1).fails("LXC0108");
    world.ctl("whoami").exits(0);
    postgres.start();
    let run = watching.end();
    run.exits(0).prints("started");
    following.wait_for("\"started\"");
    wait_for(&world, "ls -o name", "homelab/104");
    assert_eq!(starts(&world), 1, "{:?}", world.calls());
    let outside = world.ctl("events -n 0 --since 1h").out.contains("outside lxcd");
    assert!(!outside, "what lxcd did itself is nobody else's");
    world.ctl("start 104").exits(0);
}

#[test]
fn connections_that_break_again_and_again() {
    let Some((postgres, name, world)) = world() else { return };
    let mut watching = world.begin("start 105");
    watching.wait_for("task on pve1");
    for _ in 0..20 {
        cut(&postgres, &name);
    }
    watching.end().exits(0).prints("started");
    assert_eq!(starts(&world), 1, "{:?}", world.calls());
    wait_for(&world, "ls -o name -l status=running", "homelab/105");
}

#[test]
fn a_server_that_only_reads() {
    let Some((postgres, name, world)) = world() else { return };
    postgres.sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    cut(&postgres, &name);
    wait_for(&world, "ls -o name", "homelab/104");
    world.ctl("stop 104").exits(1).fails("LXC0108").says("read-only");
    postgres.sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = off"));
    cut(&postgres, &name);
    // Its lease may have ended meanwhile; it has one again.
    wait_for(&world, "stop 104 --if-needed", "");
    wait_for(&world, "ls -o name -l status=stopped", "homelab/104");
}

#[test]
fn a_server_without_room_for_more_connections() {
    let Some((postgres, name, world)) = world() else { return };
    let limit = |many: i32| {
        postgres.sql("postgres", &format!("ALTER ROLE lxcd CONNECTION LIMIT {many}"));
        cut(&postgres, &name);
    };
    limit(0);
    until("nothing to work", || {
        let run = world.ctl("op ls");
        if run.code == 1 { Ok(()) } else { Err(run.to_string()) }
    });
    world.ctl("op ls").fails("LXC0108").says("too many");
    limit(-1);
    wait_for(&world, "ls -o name", "homelab/104");
    wait_for(&world, "stop 104 --if-needed", "");
}

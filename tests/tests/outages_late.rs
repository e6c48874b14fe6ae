//! A transaction that began early and commits late: whoever follows events on another daemon is told its events too,
//! in their place, each once. Real processes, and a connection to Postgres that stands for a slow daemon.

use lxc_tests::harness::{Postgres, Setup, ct, running, until};
use sqlx::AnyPool;

/// What a slow daemon writes: as the last event of the inventory, of a container with another name.
const LATE: &str = "INSERT INTO event (time_us, type, detail, installation, vmid, container_id, target, name, actor, data) \
     SELECT time_us, type, detail, installation, vmid, container_id, target, 'late-one', actor, data \
     FROM event WHERE operation_id IS NULL ORDER BY cursor DESC LIMIT 1";

#[test]
fn who_follows_is_told_what_was_committed_late() {
    let Some(postgres) = Postgres::shared() else { return };
    let url = postgres.url(&postgres.create(None));
    let config = format!("database = \"{url}\"");
    let world =
        Setup::default().containers([running(104, "web-1"), ct(105, "web-2")]).config(&config).start();
    let (_second, ctl) = world.another_daemon("second", &config);
    world.sim.control().foreign("start", 105, "root@pam").expect("started by somebody else");
    until("that to be seen", || {
        let run = world.ctl("events --since 1h");
        if run.out.contains("outside lxcd") { Ok(()) } else { Err(run.to_string()) }
    });
    let mut following = world.begin("events --follow -o jsonl");
    ctl.run("stop 104").exits(0);
    following.wait_for("\"stopped\"");

    sqlx::any::install_default_drivers();
    let pool = world.block_on(AnyPool::connect(&url)).expect("connected");
    let mut late = world.block_on(pool.begin()).expect("begun");
    let number = sqlx::query("SELECT CAST(pg_current_xact_id() AS TEXT)");
    world.block_on(number.execute(&mut *late)).expect("it has a number");
    // Written by the other later, and there earlier.
    let op = ctl.run("start 104 --detach").exits(0).operation();
    ctl.run(&format!("op wait {op}")).exits(0);
    assert!(!following.out().contains(&op), "told before what comes before it is known");
    world.block_on(sqlx::query(LATE).execute(&mut *late)).expect("written");
    // Nobody is woken by this.
    world.block_on(late.commit()).expect("committed");
    following.wait_for("late-one").wait_for(&op);
    let told = following.out();
    assert_eq!(told.matches("late-one").count(), 1, "{told}");
    assert!(told.find("late-one") < told.find(&op), "{told}");
    world.block_on(pool.close());
}

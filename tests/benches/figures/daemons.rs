//! What one, three and five daemons on one Postgres claim and finish in a second, of tasks that take next to no
//! time.

use std::time::Instant;

use lxc_tests::harness::{Daemon, Postgres, SCALE, Setup};

use crate::fleet::{START, names, population};
use crate::settle::settle;
use crate::table::{Aim, single};

const OPERATIONS: u32 = 1_000;

/// The figures.
pub(crate) fn run() {
    let Some(postgres) = Postgres::durable() else { return };
    let mut alone = None;
    for count in [1, 3, 5] {
        let rate = rate(&postgres, count);
        let by = rate / *alone.get_or_insert(rate);
        let what = format!("operations finished by {count} daemons");
        single(&what, rate, "/s", Aim::None, &format!("{by:.2} times one daemon's"));
    }
}

fn rate(postgres: &Postgres, count: usize) -> f64 {
    let config = format!("database = \"{}\"\n", postgres.url(&postgres.create(None)));
    let nodes = names(20);
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let setup = Setup::default().nodes(&nodes).containers(population(20, OPERATIONS, 0));
    let world = setup.config(&config).scale(SCALE).start();
    let others: Vec<Daemon> =
        (1..count).map(|n| world.another_daemon(&format!("lxcd-{n}"), &config).0).collect();
    settle(&world);
    let began = Instant::now();
    world.ctl(START).exits(0);
    let took = began.elapsed().as_secs_f64();
    drop(others);
    f64::from(OPERATIONS) / took
}

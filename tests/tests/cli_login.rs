//! Tokens, users and passwords of one's own on a shared remote.

use lxc_tests::harness::{Setup, World, ct, running};
use lxc_tests::pvesim::auth::TokenSpec;
use lxc_tests::pvesim::model::Record;

fn world() -> World {
    Setup::default()
        .containers([running(104, "web-1"), ct(105, "web-2")])
        .sim(|mut config| {
            config.users.push(TokenSpec::user("ann@pve=a password, with more").expect("a user"));
            config.token("ann@pve!own=anns-own-secret")
        })
        .start()
}

#[test]
fn a_user_with_a_password_gets_a_ticket() {
    let mut world = world();
    let line = "remote login homelab --user ann@pve --token-secret-stdin";
    world.cli.run_with(line, "wrong").fails("LXC0603").says("does not accept the password of ann@pve");
    world.cli.run_with(line, "").fails("LXC0214");
    world.ctl("remote login homelab --user ann@pve").fails("LXC0206").says("the password of ann@pve");
    world.ctl("remote login homelab").exits(2);
    let mut terminal = world.terminal("remote login homelab --user ann@pve");
    terminal.wait_for("Password of ann@pve: ").answer("a password, with more");
    let run = terminal.end();
    run.exits(0).prints("done with ann@pve");
    assert!(!run.out.contains("with more"), "echoed: {run}");
    // Writes carry the proof that Proxmox wants beside a ticket.
    let id = world.ctl("start 105 --detach").exits(0).operation();
    world.ctl(&format!("op wait {id}")).exits(0);
    world.ctl(&format!("op show {id}")).exits(0).prints(":ann@pve:");
    world.ctl("stop 105").exits(0);
    let logins = |world: &World| {
        let all = world.sim.ledger();
        let log_in = |entry: &&lxc_tests::pvesim::model::Entry| matches!(&entry.record, Record::Request { path, .. } if path.ends_with("/access/ticket"));
        all.iter().filter(log_in).count()
    };
    let before = logins(&world);
    world.ctl("start 105").exits(0);
    assert_eq!(logins(&world), before, "one ticket serves many requests");
    // Kept sealed, and good after a restart.
    world.daemon.stop();
    let stored = std::fs::read(world.daemon.state().join("lxcd.db")).expect("a database");
    assert!(!stored.windows(9).any(|window| window == b"with more"));
    world.daemon.start();
    world.ctl("stop 105").exits(0);
    world.ctl("remote logout homelab").exits(0).prints("done with lxcd@pve!cli");
}

#[test]
fn a_ticket_that_has_ended_is_had_anew_and_no_change_goes_out_twice() {
    let world = world();
    let line = "remote login homelab --user ann@pve --token-secret-stdin";
    world.cli.run_with(line, "a password, with more").exits(0);
    world.ctl("start 105").exits(0);
    // Proxmox is three hours on, and lxcd believes that its ticket is a moment old.
    world.sim.control().set_skew(3 * 3600);
    world.ctl("stop 105").exits(0);
    world.ctl("start 105").exits(0);
    let power = |verb: &str| {
        let path = format!("/105/status/{verb}");
        world.calls().iter().filter(|call| call.starts_with("POST") && call.ends_with(&path)).count()
    };
    assert_eq!((power("start"), power("stop")), (2, 1), "{:?}", world.calls());
    // The log-in that tried the password, the one of the first start, and the one of the stop.
    let log_ins = world.calls().iter().filter(|call| call.ends_with("/access/ticket")).count();
    assert!((2..=3).contains(&log_ins), "{:?}", world.calls());
    // A password that was changed meanwhile is told, and nothing is sent.
    world.sim.control().access("another password", |access| {
        access.users.get_mut("ann@pve").expect("known").password = Some("another".to_owned());
    });
    world.sim.control().set_skew(6 * 3600);
    world.ctl("stop 105").fails("LXC0603");
    assert_eq!(power("stop"), 1, "{:?}", world.calls());
}

#[test]
fn a_second_factor_is_refused_with_the_way_out() {
    let world = world();
    world.sim.control().access("a second factor", |access| {
        access.users.get_mut("ann@pve").expect("known").second_factor = true;
    });
    let line = "remote login homelab --user ann@pve --token-secret-stdin";
    let run = world.cli.run_with(line, "a password, with more");
    run.fails("LXC0603").says("second factor").says("pveum user token add ann@pve lxcctl --privsep 0");
    world
        .cli
        .run_with("remote login homelab --token-id ann@pve!own --token-secret-stdin", "anns-own-secret")
        .exits(0);
}

#[test]
fn a_create_is_checked_with_the_token_that_will_make_it() {
    let world = Setup::default()
        .containers([ct(104, "web-1")])
        .sim(|config| {
            let grants = "VM.Audit+Sys.Audit+Datastore.Audit@/";
            config.token(&format!("ann@pve!own=anns-own-secret:{grants}"))
        })
        .start();
    let line = "create web-7 --image debian-12 --stop-after create";
    world.ctl(&format!("{line} --dry-run")).exits(0);
    let login = "remote login homelab --token-id ann@pve!own --token-secret-stdin";
    world.cli.run_with(login, "anns-own-secret").exits(0);
    for line in [format!("{line} --dry-run"), line.to_owned()] {
        world.ctl(&line).fails("LXC0504").says("VM.Allocate");
    }
    assert!(world.calls().iter().all(|call| !call.ends_with("/lxc")), "{:?}", world.calls());
    world.ctl("remote logout homelab").exits(0);
    world.ctl(line).exits(0).prints("homelab/100");
}

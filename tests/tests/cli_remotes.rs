//! Remotes from the command line: trust first, then the secret, then the remote (CLI.md, First contact).

use lxc_tests::harness::{SECRET, Setup, TOKEN, Terminal, World, ct, running};

fn bare() -> World {
    Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([running(104, "web-1"), ct(105, "web-2")])
        .unregistered()
        .start()
}

fn add_line(world: &World) -> String {
    format!("remote add homelab {} --token-id {TOKEN}", world.sim.url())
}

#[test]
fn the_first_contact() {
    let world = bare();
    world.ctl("ls").exits(0).says("No Proxmox is known here yet").says("lxcctl remote add");

    let mut terminal = Terminal::open(&world.cli, &add_line(&world));
    terminal.wait_for("shows a certificate nobody vouches for (CN pve1").wait_for(world.sim.fingerprint());
    assert!(!terminal.shown().contains("Secret of"), "the secret comes after the certificate");
    terminal.wait_for("Does pvenode cert info say the same on the node? [y/N]").answer("y");
    terminal.wait_for(&format!("Secret of {TOKEN}:")).answer(SECRET);
    let run = terminal.end();
    run.exits(0)
        .prints("homelab  added")
        .prints("2 nodes, 2 containers")
        .prints("pve2 is pinned too, on pve1's word");
    assert!(!run.out.contains(SECRET), "echoed: {run}");

    world.ctl("ls").exits(0).prints("homelab/104").prints("homelab/105");
    let run = world.ctl("events -o json");
    assert_eq!(
        run.exits(0).json()["items"].as_array().map(Vec::len),
        Some(0),
        "a first import is no news: {run}"
    );
    let shown = world.ctl("remote show homelab -o json").exits(0).json();
    assert_eq!(shown["pins"].as_array().map(Vec::len), Some(2), "{shown}");
}

#[test]
fn nothing_is_sent_without_a_yes() {
    let world = bare();
    let mut terminal = Terminal::open(&world.cli, &add_line(&world));
    terminal.wait_for("[y/N]").answer("n");
    terminal.end().prints("error[LXC0209]").exits(2);

    let run = world.ctl(&add_line(&world));
    run.fails("LXC0215").says(world.sim.fingerprint()).says("--fingerprint");
    assert_eq!(world.asked(), 0, "no request before the certificate is accepted");
    assert_eq!(world.ctl("remote ls -o json").exits(0).json()["items"].as_array().map(Vec::len), Some(0));
}

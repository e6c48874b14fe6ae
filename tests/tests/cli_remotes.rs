//! Remotes from the command line: trust first, then the secret, then the remote.

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
    let pins = shown["pins"].as_array().expect("pins");
    assert_eq!(pins.len(), 2, "{shown}");
    assert!(pins.iter().all(|pin| pin["not_after"].is_string()), "until when each is good: {shown}");
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

#[test]
fn the_secret_comes_from_stdin_or_a_file_and_never_from_the_command_line() {
    let world = bare();
    let line = format!("{} --fingerprint {}", add_line(&world), world.sim.fingerprint());
    world.ctl(&line).fails("LXC0206").says("--token-secret-file");
    world.ctl(&format!("{line} --token-secret {SECRET}")).fails("LXC0201");

    let file = world.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).expect("written");
    world.ctl(&format!("{line} --token-secret-file {}", file.display())).exits(0).prints("added");
    world.ctl("remote remove homelab --yes").exits(0);
    world.cli.run_with(&format!("{line} --token-secret-stdin"), SECRET).exits(0).prints("added");
    world.ctl(&format!("{line} --token-secret-file /nonexistent")).fails("LXC0214").says("/nonexistent");
}

#[test]
fn a_ca_that_vouches_needs_no_pin() {
    let world = bare();
    let ca = world.path().join("ca.pem");
    std::fs::write(&ca, &world.sim.ready().ca_pem).expect("written");
    let line = format!("{} --ca {} --token-secret-stdin", add_line(&world), ca.display());
    let run = world.cli.run_with(&line, SECRET);
    run.exits(0).prints("added");
    world.ctl("ls").exits(0).prints("homelab/104");
    // Another installation's CA vouches for nothing here.
    let other = world.another_sim(|config| config);
    std::fs::write(&ca, &other.ready().ca_pem).expect("written");
    world.cli.run_with(&line.replace("homelab", "other"), SECRET).fails("LXC0215");
}

#[test]
fn a_wrong_address_says_what_is_wrong_with_it() {
    let world = bare();
    let add = |url: &str| {
        world.cli.run_with(&format!("remote add x {url} --token-id {TOKEN} --token-secret-stdin"), SECRET)
    };
    let plain = world.sim.url().replace("https", "http");
    let better = format!("lxcctl remote add x {} --token-id {TOKEN} --token-secret-stdin", world.sim.url());
    add(&plain).fails("LXC0213").says(&better.replace(TOKEN, &format!("'{TOKEN}'")));
    add("pve.lan:port").fails("LXC0213");
    add("https://127.0.0.1:1").fails("LXC0701").says("127.0.0.1:1");
    // Something that speaks no TLS at all: the simulator's own control port.
    let control = world.sim.ready().control.replace("http://", "https://");
    let run = add(&control);
    assert!(run.code == 7, "{run}");
    // TLS, but another certificate than the given one.
    let wrong = world.sim.fingerprint().replace(|c: char| c.is_ascii_digit(), "0");
    let line = format!("{} --token-secret-stdin --fingerprint {wrong}", add_line(&world));
    world.cli.run_with(&line, SECRET).fails("LXC0703");
    let line = format!("{} --token-secret-stdin --fingerprint zz", add_line(&world));
    world.cli.run_with(&line, SECRET).fails("LXC0214").says("pvenode cert info");
    assert_eq!(world.asked(), 0, "nothing is sent to what is not trusted");
    world.ctl("remote add '1 x' https://pve:8006 --token-id a@pve!b --fingerprint zz").exits(2);
}

#[test]
fn a_wrong_token_is_named_and_not_tried_again_and_again() {
    let world = bare();
    let line = format!("{} --fingerprint {} --token-secret-stdin", add_line(&world), world.sim.fingerprint());
    world.cli.run_with(&line, "not-the-secret").fails("LXC0603").says("does not accept the token");
    assert_eq!(world.asked(), 1, "a 401 is delayed on purpose: one question is enough");
    world.cli.run_with(&line.replace("lxcd@pve!cli", "garbage"), SECRET).exits(2);
}

#[test]
fn a_token_without_rights_gets_an_empty_list_and_a_warning() {
    let world = Setup::default()
        .containers([running(104, "web-1")])
        .sim(|config| config.token(&format!("poor@pve!t={SECRET}:Sys.Audit")))
        .unregistered()
        .start();
    let line = format!(
        "remote add homelab {} --token-id poor@pve!t --token-secret-stdin --fingerprint {}",
        world.sim.url(),
        world.sim.fingerprint()
    );
    let run = world.cli.run_with(&line, SECRET);
    run.exits(0).prints("0 containers").says("VM.Audit");
    world.ctl("ls").exits(0).says("VM.Audit");
}

#[test]
fn one_installation_has_one_name() {
    let world = World::with([running(104, "web-1")]);
    let second = world.add("again", &world.sim);
    second.fails("LXC0506").says("known as homelab");
    world.add("homelab", &world.sim).fails("LXC0514");
    let other = world.another_sim(|config| config);
    world.add("edge", &other).exits(0);
    world.ctl("remote ls -o name").exits(0).prints("edge\nhomelab\n");
}

#[test]
fn a_remote_is_changed_and_removed() {
    let world = Setup::default()
        .containers([running(104, "web-1")])
        .sim(|config| config.token("second@pve!t=another-secret"))
        .start();
    world.ctl("remote set homelab").fails("LXC0201");
    world.ctl("remote set homelab --name lab --default").exits(0).prints("lab  changed");
    world.ctl("ls").exits(0).prints("lab/104");
    world.ctl("show lab/104").exits(0);
    world.ctl("show homelab/104").exits(3);
    world
        .cli
        .run_with("remote set lab --token-id second@pve!t --token-secret-stdin", "wrong")
        .fails("LXC0603");
    world
        .cli
        .run_with("remote set lab --token-id second@pve!t --token-secret-stdin", "another-secret")
        .exits(0);
    world.ctl("stop 104").exits(0);
    assert!(
        world.sim.ledger().iter().any(|entry| format!("{entry:?}").contains("second@pve!t")),
        "the new token is used"
    );

    world.ctl("remote remove lab").fails("LXC0206").says("the records of 1 container");
    world.ctl("remote remove lab --dry-run").exits(0).prints("would remove");
    let mut terminal = world.terminal("remote remove lab");
    terminal.wait_for("[y/N]").answer("n");
    terminal.end().exits(2);
    let mut terminal = world.terminal("remote remove lab");
    terminal.wait_for("Proxmox is not touched").answer("y");
    terminal.end().exits(0);
    world.ctl("remote show lab").fails("LXC0302");
    world.ctl("ls").exits(0).says("No Proxmox is known here yet");
    // Who did it stays known.
    world.ctl("audit ls --verb 'remote remove'").exits(0).prints("lab");
}

#[test]
fn a_remote_with_running_operations_stays() {
    let slow = lxc_tests::pvesim::CtSpec { start_seconds: Some(600.0), ..ct(104, "web-1") };
    let world = World::with([slow]);
    let id = world.ctl("start 104 --detach").exits(0).operation();
    world.ctl("remote remove homelab --yes").fails("LXC0507").says("lxcctl op ls");
    world.ctl(&format!("op cancel {id}")).exits(0);
    world.ctl(&format!("op wait {id}")).exits(1);
    world.ctl("remote remove homelab --yes").exits(0);
}

#[test]
fn the_doctor_finds_nothing_on_a_good_remote() {
    let world = Setup::default().nodes(&["pve1", "pve2"]).containers([running(104, "web-1")]).start();
    world.ctl("stop 104").exits(0);
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("pve2 ").prints("2 pins, the first expires").prints("never expires");
    run.prints("list, power, delete, create, download  ok");
    assert!(!run.out.contains("warning") && !run.err.contains("error"), "{run}");
    run.says("pve2 too, or one dead node takes the cluster out of reach");
    assert!(
        world.calls().iter().all(|call| call.contains("/104/")),
        "it changes nothing: {:?}",
        world.calls()
    );
    world.ctl("remote doctor nosuch").fails("LXC0302");
}

/// A world whose token has these grants; its user may everything.
fn granted(grants: &str) -> World {
    let token = format!("{TOKEN}={SECRET}:{grants}");
    Setup::default()
        .containers([running(104, "web-1")])
        .sim(|mut config| {
            config.tokens.clear();
            config.token(&token)
        })
        .start()
}

#[test]
fn the_doctor_names_what_is_missing_and_a_line_that_gives_it() {
    let world = granted("PVEVMUser,PVEAuditor");
    let run = world.ctl("remote doctor homelab");
    run.fails("LXC0504").prints("list, power  ok").prints("delete       missing  VM.Allocate on /vms");
    run.says("homelab lacks 1 privilege; create and delete will be refused");
    run.says("lxcd@pve!cli has PVEAuditor and PVEVMUser on /, and with privilege separation it needs both");
    let line = "pveum acl modify /vms --users lxcd@pve --tokens 'lxcd@pve!cli' --roles PVEVMAdmin";
    run.says(line);
    world.ctl("delete 104 --yes").exits(6);
    // What the line does, done: nothing is missing, and nothing that was there is lost.
    world.sim.control().access(line, |access| {
        access.grant("/vms", "user", "lxcd@pve", "PVEVMAdmin", true);
        access.grant("/vms", "token", TOKEN, "PVEVMAdmin", true);
    });
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("list, power, delete  ok").prints("create               warning");
    run.says("hint: pveum acl modify /sdn/zones").says("PVESDNUser");
    world.ctl("delete 104 --yes").exits(0);
}

#[test]
fn the_doctor_says_what_it_may_not_see() {
    let world = granted("VM.Audit+VM.PowerMgmt+VM.Allocate");
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("it may not read more about itself").prints("lacks Sys.Audit on /nodes");
    run.says("--roles PVEAuditor");
    let world = granted("Sys.Audit@/nodes");
    let run = world.ctl("remote doctor homelab");
    run.fails("LXC0504").says("create, delete, list and power will be refused");
}

#[test]
fn the_doctor_sees_clocks_and_strangers_with_our_token() {
    let world =
        Setup::default().nodes(&["pve1", "pve2"]).containers([ct(104, "web-1"), ct(105, "web-2")]).start();
    world.ctl("start 104").exits(0);
    world.sim.control().foreign("start", 105, TOKEN).expect("begun");
    world.sim.control().access("the token ends", |access| {
        let token = access.tokens.get_mut(TOKEN).expect("known");
        token.expire = 4_102_444_800;
    });
    let run = world.ctl("remote doctor homelab");
    run.exits(0)
        .prints("tasks")
        .prints("1 task of lxcd@pve!cli that nobody began here")
        .prints("vzstart 105 on pve1");
    run.prints("expires 2100-01-01");
    world.sim.control().set_skew(-90);
    world.sim.control().node("pve2", "offline").expect("a node");
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("clock").prints("pve1 is 1m 30s behind").prints("pve2 offline");
}

#[test]
fn the_doctor_without_an_answer() {
    let world = Setup::default().containers([ct(104, "web-1")]).start();
    world.sim.stop();
    let run = world.ctl("remote doctor homelab");
    run.fails("LXC0701").prints("api").prints("failed").prints("127.0.0.1");
}

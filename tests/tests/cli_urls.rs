//! Several URLs of one remote, from the command line: the same installation behind all, and work that goes on
//! when one of them is away.

use lxc_tests::harness::{SECRET, Setup, TOKEN, World, ct, running, until};

fn cluster() -> World {
    let second = lxc_tests::pvesim::CtSpec { node: Some("pve2".to_owned()), ..ct(105, "web-2") };
    Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([running(104, "web-1"), second])
        .unregistered()
        .start()
}

fn urls(world: &World) -> Vec<String> {
    world.sim.ready().nodes.iter().map(|node| node.url.clone()).collect()
}

fn add(world: &World, urls: &[String]) -> lxc_tests::harness::Run {
    let line = format!(
        "remote add homelab {} --token-id {TOKEN} --token-secret-stdin --fingerprint {}",
        urls.join(" "),
        world.sim.fingerprint()
    );
    world.cli.run_with(&line, SECRET)
}

#[test]
fn a_second_url_is_believed_on_the_first_ones_word() {
    let world = cluster();
    add(&world, &urls(&world)).exits(0).prints("2 nodes");
    let shown = world.ctl("remote show homelab -o json").exits(0).json();
    assert_eq!(shown["urls"].as_array().map(Vec::len), Some(2), "{shown}");
    let pins = shown["pins"].as_array().expect("pins");
    assert_eq!(pins.len(), 2, "one for each URL: {shown}");
    assert_eq!(shown["url_states"][1]["node"], "pve2", "{shown}");
    world.ctl("remote doctor homelab").exits(0).prints("2 pins");
    world.ctl("remote trust homelab").exits(0);
}

#[test]
fn one_url_of_a_cluster_is_worth_a_hint() {
    let world = cluster();
    add(&world, &urls(&world)[..1]).exits(0);
    let run = world.ctl("remote doctor homelab");
    run.exits(0).says("lxcctl remote set homelab --url https://").says("pve2 too, or one dead node");
}

#[test]
fn work_goes_on_when_the_first_url_is_away() {
    let world = cluster();
    let urls = urls(&world);
    add(&world, &urls).exits(0);
    world.sim.control().node("pve1", "offline").expect("a node");
    world.ctl("start 105").exits(0);
    world.ctl("stop 105").exits(0);
    until("the list to tell", || {
        let run = world.ctl("ls --fresh -o json");
        let items = run.exits(0).json()["items"].clone();
        let status = |name: &str| {
            let found = items.as_array()?.iter().find(|item| item["name"] == name)?;
            Some(found["status"].as_str()?.to_owned())
        };
        let now = (status("web-1"), status("web-2"));
        if now == (Some("unknown".to_owned()), Some("stopped".to_owned())) {
            Ok(())
        } else {
            Err(items.to_string())
        }
    });
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("api").prints("warning").prints(" since ");
    world.ctl("remote show homelab").exits(0).prints("unreachable since");
    world.sim.control().node("pve1", "online").expect("a node");
    world.wait_listed("homelab/104", "back", |item| {
        item["status"] == "running" || item["status"] == "stopped"
    });
    until("the first URL to be taken up again", || {
        let run = world.ctl("remote doctor homelab");
        let shown = world.ctl("remote show homelab");
        if shown.out.contains("unreachable") { Err(format!("{run}{shown}")) } else { Ok(()) }
    });
}

#[test]
fn a_url_that_leads_elsewhere_is_refused() {
    let world = cluster();
    let other = world.another_sim(|config| config);
    let both = [urls(&world)[0].clone(), other.url().to_owned()];
    // Nobody speaks for its certificate …
    add(&world, &both).fails("LXC0703");
    // … and when somebody does, it is still another Proxmox.
    let line = format!(
        "remote add homelab {} --token-id {TOKEN} --token-secret-stdin --fingerprint {} --fingerprint {}",
        both.join(" "),
        world.sim.fingerprint(),
        other.fingerprint()
    );
    world.cli.run_with(&line, SECRET).fails("LXC0506").says("leads to another Proxmox");
    world.ctl("remote ls -o json").exits(0).prints("\"items\": []");
    // The same of a remote that is there.
    add(&world, &urls(&world)).exits(0);
    let line = format!(
        "remote set homelab --url {} --url {} --fingerprint {} --fingerprint {}",
        both[0],
        both[1],
        world.sim.fingerprint(),
        other.fingerprint()
    );
    world.ctl(&line).fails("LXC0506");
    // Their own two are known by their pins: nothing is asked.
    let urls = urls(&world);
    world.ctl(&format!("remote set homelab --url {} --url {}", urls[1], urls[0])).exits(0);
    let shown = world.ctl("remote show homelab -o json").exits(0).json();
    assert_eq!(shown["urls"][0], urls[1], "{shown}");
    assert_eq!(shown["pins"].as_array().map(Vec::len), Some(2), "{shown}");
    world.ctl("stop 104").exits(0);
}

#[test]
fn a_lost_reply_is_not_asked_for_elsewhere() {
    let world = cluster();
    add(&world, &urls(&world)).exits(0);
    world.sim.control().add_fault("lost-after:POST:*/status/stop").expect("a fault");
    world.ctl("stop 104").exits(0);
    let stops = world.calls().iter().filter(|call| call.contains("/104/status/stop")).count();
    assert_eq!(stops, 1, "{:?}", world.calls());
}

//! `lxcctl create` up to the start of the container: what is decided, what is checked, and that a number is never
//! given out twice. What happens inside it is in `cli_provision`.

use std::collections::BTreeSet;

use lxc_tests::harness::{SECRET, Setup, TOKEN, World, ct, running};
use lxc_tests::pvesim::SimConfig;
use serde_json::Value;

fn world() -> World {
    Setup::default().nodes(&["pve1", "pve2"]).containers([running(100, "proxy"), ct(104, "web-1")]).start()
}

/// A value in the config Proxmox has of a container, as `show` reads it.
fn config(world: &World, target: &str, key: &str) -> Option<String> {
    let shown = world.ctl(&format!("show {target} -o json")).exits(0).json();
    shown["config"][key].as_str().map(str::to_owned)
}

#[test]
fn a_container_is_made_started_and_listed() {
    let world = world();
    let line = "create web-7 --image debian-12 --cores 2 --memory 1G --disk 4G --ip 10.66.1.7/16 --gateway 10.66.0.1 \
                --tag web --tag ci --onboot --description Seven --nameserver 1.1.1.1 --node pve2";
    world.ctl(line).exits(0).prints("homelab/101  web-7  created").says("creating");
    let of = |key: &str| config(&world, "homelab/101", key).unwrap_or_default();
    assert_eq!((of("cores").as_str(), of("memory").as_str(), of("onboot").as_str()), ("2", "1024", "1"));
    assert!(of("net0").contains("ip=10.66.1.7/16") && of("net0").contains("gw=10.66.0.1"), "{}", of("net0"));
    assert!(of("description").starts_with("Seven") && of("description").contains("<!-- lxcd:"));
    let listed = world.wait_listed("homelab/101", "running", |item| item["status"] == "running");
    assert_eq!((&listed["node"], &listed["name"]), (&Value::from("pve2"), &Value::from("web-7")));
    let events = world.ctl("events homelab/101 -o json").exits(0).json();
    let types: Vec<_> =
        events["items"].as_array().expect("items").iter().map(|e| e["type"].clone()).collect();
    assert_eq!(types, ["created", "started"], "and neither discovered nor replaced");
    world.ctl("op ls -n 1").exits(0).prints("create").prints("created");
    world.ctl("audit ls --verb create").exits(0).prints("homelab/101");
    // Its record is the one that was made with the request, so verbs go on with it.
    world.ctl("stop web-7").exits(0).prints("stopped");
    world.ctl("delete web-7 --yes").exits(0).prints("deleted");
    assert!(world.listed("homelab/101").is_none());
}

#[test]
fn a_dry_run_tells_every_value_and_its_origin_and_makes_nothing() {
    let world = world();
    let file = world.path().join("box.toml");
    std::fs::write(&file, "image = \"debian-12\"\nmemory = \"2G\"\ncores = 2\n").expect("written");
    let line = format!("create box -f {} --cores 4 --dry-run", file.display());
    let run = world.ctl(&line);
    run.exits(0).says("dry run: nothing was called").says("would POST …/lxc vmid=101");
    let json = world.ctl(&format!("{line} -o json")).exits(0).json();
    assert_eq!(json["kind"], "OperationList");
    let item = &json["items"][0];
    let setting = |name: &str| {
        let all = item["settings"].as_array().expect("settings");
        all.iter().find(|one| one["name"] == name).map(|one| (one["value"].clone(), one["origin"].clone()))
    };
    let said = |value: &str, origin: &str| Some((Value::from(value), Value::from(origin)));
    assert_eq!(setting("cores"), said("4", "flag"));
    assert_eq!(setting("memory"), said("2.0Gi", "file"));
    assert_eq!(setting("disk"), said("8.0Gi", "default"));
    assert_eq!(setting("storage"), said("local-lvm", "chosen"));
    assert_eq!(setting("nesting"), said("yes", "default"));
    let checks = item["checks"].as_array().expect("checks");
    assert!(checks.iter().all(|one| one["result"] == "ok" || one["name"] == "ssh"), "{item}");
    assert!(world.calls().is_empty());
    world.ctl("create box --image debian-99 --dry-run").fails("LXC0519");
    // What is advised is the real thing.
    let run = world.ctl("create web-1 --dry-run --image debian-12");
    run.fails("LXC0517").says("lxcctl create web-1 --image debian-12 --if-needed  ");
}

#[test]
fn what_cannot_be_made_is_refused_by_name_and_nothing_is_left() {
    let world = world();
    for (line, code, words) in [
        ("create web-1 --image debian-12", "LXC0517", "homelab/104"),
        ("create a --image debian-12 --vmid 104", "LXC0518", "homelab/104 is web-1"),
        ("create a --image debian-99", "LXC0519", "debian-12-standard"),
        ("create a --image debian-12 --storage nas9", "LXC0520", "no storage nas9"),
        ("create a --image debian-12 --disk 60T", "LXC0520", "are wanted"),
        ("create a --image debian-12 --bridge vmbr9", "LXC0521", "vmbr0"),
        ("create a --image debian-12 --ip 10.66.0.104/16", "LXC0521", "homelab/104 has it"),
        ("create a --image debian-12 --node pve9", "LXC0305", "pve1, pve2"),
        ("create a --template nosuch", "LXC0308", "template ls"),
        ("create a", "LXC0201", "--template nor --image"),
        ("create", "LXC0201", "wants a name"),
        ("create a_b --image debian-12", "LXC0214", "a_b"),
        ("create a --image debian-12 --memory 1M", "LXC0214", "1 MiB is not from 16 to 16777216 MiB"),
        ("create a --image debian-12 --pool nosuch", "LXC0311", "no pool nosuch"),
        ("create a --image debian-12 --without packages:apt", "LXC0214", "no template"),
        ("create a --image debian-12 --stop-after deploy", "LXC0523", "no SSH access"),
        ("create a --image debian-12 --keyctl", "LXC0522", "keyctl"),
        ("create a --image debian-12 --privileged --nesting", "LXC0522", "nesting of a privileged container"),
        ("create a --image debian-12 --nesting=perhaps", "LXC0214", "yes or no"),
        ("create a --image debian-12 --privileged --unprivileged", "LXC0201", "--unprivileged"),
        ("create a --image debian-12 --ip 10.0.0.5", "LXC0214", "10.0.0.5/24"),
        ("create a --image debian-12 -f /nosuch.toml", "LXC0214", "/nosuch.toml"),
        ("create a --image debian-12 --remote nowhere", "LXC0302", "nowhere"),
    ] {
        let run = world.ctl(line);
        run.fails(code).says(words);
    }
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    let all = world.ctl("ls -o json").exits(0).json();
    assert_eq!(all["items"].as_array().expect("items").len(), 2);
}

#[test]
fn a_privilege_that_is_missing_is_named_before_anything_is_made() {
    let grants = "VM.Allocate+VM.PowerMgmt+VM.Audit+VM.Config.CPU+VM.Config.Memory+VM.Config.Disk+VM.Config.Options@/vms,\
                  Datastore.AllocateSpace+Datastore.Audit@/storage,SDN.Use@/sdn/zones/localnetwork/vmbr1";
    let token = format!("{TOKEN}={SECRET}:{grants}");
    let own = |mut config: SimConfig| {
        config.tokens.clear();
        config.token(&token)
    };
    let world = Setup::default().containers([ct(104, "web-1")]).sim(own).start();
    let run = world.ctl("create a --image debian-12 --disk 4 --bridge vmbr0");
    run.fails("LXC0504").says("VM.Config.Network on /vms").says("SDN.Use on /sdn/zones/localnetwork/vmbr0");
    run.says("lxcctl remote doctor homelab");
    let run = world.ctl("create a --image debian-12 --disk 4 --bridge vmbr1");
    run.fails("LXC0504").says("it lacks VM.Config.Network on /vms");
    assert!(world.calls().is_empty());
}

#[test]
fn the_same_again_is_unchanged_or_the_same_operation() {
    let world = world();
    let key = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b";
    let line = format!("create web-7 --image debian-12 --request-id {key} -o json");
    let (first, again) = (world.ctl(&line).exits(0).json(), world.ctl(&line).exits(0).json());
    assert_eq!(first["items"][0]["id"], again["items"][0]["id"]);
    world.ctl(&format!("create web-8 --image debian-12 --request-id {key}")).fails("LXC0211");
    let needed = world.ctl("create web-7 --image debian-12 --if-needed -o json").exits(0).json();
    assert_eq!(
        (&needed["items"][0]["result"], &needed["items"][0]["changed"]),
        (&"unchanged".into(), &false.into())
    );
    world.ctl("create web-7 --image debian-12").fails("LXC0517");
    assert_eq!(world.calls().iter().filter(|call| call.ends_with("/lxc")).count(), 1, "made once");
}

#[test]
fn if_needed_is_content_with_what_was_wished_and_names_what_differs() {
    let world = world();
    let run = world.ctl("create web-1 --image debian-12 --if-needed");
    run.fails("LXC0517").says("homelab/104 is not what is wished: it was not made by lxcd");
    assert!(!run.err.contains("--if-needed"), "nothing is advised that was done: {run}");
    let line = "create web-7 --image debian-12 --memory 512M --ip 10.66.1.7/16 --tag web --node pve2";
    world.ctl(line).exits(0);
    world.ctl(&format!("{line} --if-needed")).exits(0).prints("unchanged");
    world.ctl("create web-7 --if-needed --image debian-12").exits(0).prints("unchanged");
    let run = world.ctl(&format!("{line} --if-needed --dry-run"));
    run.exits(0).prints("homelab/101 is there, as it is wished");
    assert!(!run.out.contains("refused"), "not even its own address: {run}");
    for (flags, words) in [
        ("--image debian-12 --memory 1G", "it has memory 512Mi, 1.0Gi was wished"),
        ("--image debian-12 --cores 4", "it has cores 1, 4 was wished"),
        ("--image debian-12 --disk 9G", "it has disk 8.0Gi, 9.0Gi was wished"),
        ("--image debian-12 --ip dhcp", "it has ip 10.66.1.7/16, dhcp was wished"),
        ("--image debian-12 --node pve1", "it has node pve2, pve1 was wished"),
        ("--image debian-12 --tag db", "it has tags web, db was wished"),
        ("--image debian-12 --privileged", "it has unprivileged yes, no was wished"),
        ("--image alpine-3.20", "it has image debian-12-standard"),
    ] {
        let line = format!("create web-7 --if-needed {flags}");
        world.ctl(&line).fails("LXC0517").says(words);
        world.ctl(&format!("{line} --dry-run")).fails("LXC0517").says(words);
    }
    assert_eq!(world.calls().iter().filter(|call| call.ends_with("/lxc")).count(), 1, "made once");
}

#[test]
fn of_ten_creates_of_one_name_at_once_one_is_made() {
    let world = world();
    let begun: Vec<_> = (0..10).map(|_| world.begin("create web-7 --image debian-12")).collect();
    let mut made = 0;
    for run in begun {
        let run = run.end();
        if run.code == 0 {
            made += 1;
        } else {
            run.fails("LXC0517").says("is called so");
        }
    }
    assert_eq!(made, 1);
    // … and with --if-needed every one of them is content.
    let line = "create web-8 --image debian-12 --memory 256M --if-needed";
    let begun: Vec<_> = (0..10).map(|_| world.begin(line)).collect();
    begun.into_iter().for_each(|run| {
        run.end().exits(0);
    });
    assert_eq!(world.calls().iter().filter(|call| call.ends_with("/lxc")).count(), 2, "{:?}", world.calls());
}

#[test]
fn one_that_is_being_made_has_its_name_and_address_and_is_waited_for() {
    let world = world();
    world.sim.control().add_fault("task-hang:vzcreate:101").expect("a fault");
    let id = world.ctl("create web-7 --image debian-12 --ip 10.66.1.7/16 --detach").exits(0).operation();
    let run = world.ctl("create web-8 --image debian-12 --ip 10.66.1.7/16");
    run.fails("LXC0521").says("homelab/101 has it");
    world.ctl("create web-7 --image debian-12").fails("LXC0517").says("homelab/101");
    let run = world.ctl("create web-7 --image debian-12 --memory 2G --if-needed");
    run.fails("LXC0517").says("it has memory 512Mi, 2.0Gi was wished");
    let joined = world.ctl("create web-7 --image debian-12 --if-needed --detach").exits(0).operation();
    assert_eq!(joined, id, "it is the same operation");
}

#[test]
fn nesting_is_on_unless_it_is_not_wished() {
    let world = world();
    let run = world.ctl("create box-1 --image debian-12 --stop-after start --fail-on-warnings");
    run.exits(0);
    assert_eq!(config(&world, "box-1", "features").as_deref(), Some("nesting=1"));
    let run = world.ctl("create box-2 --image debian-12 --stop-after start --fail-on-warnings --nesting=no");
    run.exits(12).prints("You may need to enable nesting");
    assert_eq!(config(&world, "box-2", "features"), None);
}

#[test]
fn without_ssh_it_is_made_and_started_and_says_that_nobody_looked_inside() {
    let world = world();
    let run = world.ctl("create box-1 --image debian-12 --fail-on-warnings");
    run.exits(12)
        .prints("created")
        .prints("nothing is looked at inside")
        .prints("lxcctl remote set homelab --ssh");
    let listed = world.wait_listed("homelab/101", "running", |item| item["status"] == "running");
    assert_eq!(listed["lifecycle"], "ready");
    world.ctl("create box-2 --image debian-12 --stop-after start --fail-on-warnings").exits(0);
}

#[test]
fn an_address_in_another_network_is_another_one() {
    let world = world();
    world.ctl("create a --image debian-12 --ip 10.66.0.104/16").fails("LXC0521");
    world.ctl("create a --image debian-12 --ip 10.66.0.104/16 --vlan 20").exits(0);
    world
        .ctl("create b --image debian-12 --ip 10.66.0.104/16 --vlan 20")
        .fails("LXC0521")
        .says("homelab/101");
}

#[test]
fn one_that_is_there_keeps_its_record_when_the_create_is_refused() {
    let mut world = world();
    world.ctl("create web-7 --image debian-12 --stop-after create").exits(0);
    let before = world.listed("homelab/101").expect("listed");
    world.sim.control().add_fault("task-hang:vzstart:101").expect("a fault");
    world.ctl("start 101 --detach").exits(0);
    world.ctl("create web-7 --image debian-12 --if-needed").fails("LXC0401");
    // What is remembered is not what is kept.
    world.daemon.stop();
    world.daemon.start();
    let after = world.listed("homelab/101").expect("still listed");
    assert_eq!((&after["id"], &after["lifecycle"]), (&before["id"], &"ready".into()));
}

#[test]
fn twenty_at_once_get_twenty_numbers_and_no_node_more_than_its_share() {
    let world = world();
    let all: Vec<_> = (0..20)
        .map(|n| world.begin(&format!("create box-{n} --image debian-12 --memory 256M -o json")))
        .collect();
    let mut numbers = BTreeSet::new();
    for run in all {
        let made = run.end().exits(0).json();
        assert!(numbers.insert(made["items"][0]["target"].as_str().expect("a target").to_owned()), "{made}");
    }
    assert_eq!(numbers.len(), 20);
    let nodes: BTreeSet<_> = world.ctl("ls -o json").exits(0).json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["node"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(nodes.len(), 2, "what is on its way to a node counts when the next is placed");
}

#[test]
fn a_number_proxmox_refuses_is_followed_by_the_next() {
    let world = world();
    world
        .sim
        .control()
        .add_fault("http500:POST:/nodes/*/lxc:CT 101 already exists on node 'pve1'")
        .expect("a fault");
    let run = world.ctl("create web-7 --image debian-12");
    run.exits(0).prints("homelab/102  web-7  created").says("vmid 101 is taken, trying 102");
    assert!(world.listed("homelab/101").is_none());
    world
        .sim
        .control()
        .add_fault("http500:POST:/nodes/*/lxc:CT 200 already exists on node 'pve1'")
        .expect("a fault");
    world.ctl("create web-8 --image debian-12 --vmid 200").fails("LXC0518");
    assert!(world.listed("homelab/200").is_none(), "a number that came to nothing is free again");
    world.ctl("create web-8 --image debian-12 --vmid 200").exits(0).prints("homelab/200");
}

#[test]
fn what_fails_on_proxmox_leaves_no_record() {
    let world = world();
    world
        .sim
        .control()
        .add_fault("task-fail:vzcreate:101:unable to create CT 101 - no space left on device")
        .expect("a fault");
    world.ctl("create web-7 --image debian-12").fails("LXC0101").says("no space left on device");
    assert!(world.listed("homelab/101").is_none());
    let id = world.ctl("op ls -n 1 -o name").out;
    world.ctl(&format!("op retry {}", id.trim())).exits(0).prints("homelab/101");
    world.ctl("create web-8 --image debian-12").exits(0).prints("homelab/102");
}

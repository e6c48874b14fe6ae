//! `create --download`: an OS image that is not on its node comes there first, as a step of the create that survives what
//! every other step does.

use lxc_tests::harness::{SECRET, Setup, TOKEN, World, ct, running, until};
use lxc_tests::pvesim::SimConfig;
use serde_json::Value;

const FILE: &str = "debian-13-standard_13.1-2_amd64.tar.zst";
const LINE: &str = "create web-7 --image debian-13 --download --stop-after start";

fn setup() -> Setup {
    Setup::default().nodes(&["pve1", "pve2"]).containers([running(100, "proxy"), ct(104, "web-1")])
}

/// How often Proxmox was asked for an image.
fn asked(world: &World) -> usize {
    world.calls().iter().filter(|call| call.ends_with("/aplinfo")).count()
}

fn made(world: &World) -> usize {
    world.calls().iter().filter(|call| call.ends_with("/lxc")).count()
}

fn last(world: &World) -> String {
    world.ctl("op ls -n 1 -o name").out.trim().to_owned()
}

#[test]
fn an_image_that_is_not_there_comes_first() {
    let world = setup().start();
    let run = world.ctl(LINE);
    run.exits(0).prints("homelab/101  web-7  created").says(&format!("downloading {FILE}"));
    let id = last(&world);
    let log = world.ctl(&format!("op log {id}"));
    log.exits(0).prints("calculating checksum...OK, checksum verified");
    let shown = world.ctl(&format!("op show {id} -o json")).exits(0).json();
    let steps = shown["steps"].as_array().expect("steps");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(names, ["download", "create", "start"]);
    assert!(steps[0]["upid"].as_str().is_some_and(|upid| upid.contains(":download:")), "{shown}");
    // From here on it is an image like any other.
    world.ctl(&LINE.replace("web-7", "web-8")).exits(0);
    world.ctl("create web-9 --image debian-13 --stop-after create").exits(0);
    assert_eq!((asked(&world), made(&world)), (1, 3), "{:?}", world.calls());
    let run = world.ctl("remote doctor homelab");
    run.exits(0);
    assert!(!run.out.contains("nobody began here"), "{run}");
}

#[test]
fn without_it_the_image_is_refused_and_the_way_to_it_is_told() {
    let world = setup().start();
    let run = world.ctl("create web-7 --image debian-13 --memory 1G");
    run.fails("LXC0519").says("lxcctl create web-7 --image debian-13 --memory 1G --download");
    run.says(&format!("pveam download local {FILE}"));
    world.ctl("create web-7 --image debian-99 --download").fails("LXC0519").says("pveam update");
    let run = world.ctl(&format!("{LINE} --dry-run"));
    run.exits(0).says(&format!("would POST …/aplinfo storage=local template={FILE}"));
    run.says(&format!("ostemplate=local:vztmpl/{FILE}")).says("dry run: nothing was called");
    let json = world.ctl(&format!("{LINE} --dry-run -o json")).exits(0).json();
    let settings = json["items"][0]["settings"].as_array().expect("settings");
    let of = |name: &str| settings.iter().find(|one| one["name"] == name).cloned().unwrap_or_default();
    assert_eq!(of("download")["value"], Value::from(format!("{FILE} to local")));
    assert_eq!((&of("download")["origin"], &of("image")["origin"]), (&"flag".into(), &"flag".into()));
    // The file says it as well.
    let file = world.path().join("box.toml");
    std::fs::write(&file, "image = \"debian-13\"\ndownload = true\n").expect("written");
    let json = world.ctl(&format!("create box -f {} --dry-run -o json", file.display())).exits(0).json();
    let settings = json["items"][0]["settings"].as_array().expect("settings");
    assert!(settings.iter().any(|one| one["name"] == "download" && one["origin"] == "file"), "{json}");
    assert!(world.calls().is_empty(), "{:?}", world.calls());
}

#[test]
fn the_privilege_it_needs_is_named_before_anything_is_begun() {
    let grants = "VM.Allocate+VM.PowerMgmt+VM.Audit+VM.Config.CPU+VM.Config.Memory+VM.Config.Disk+VM.Config.Network+VM.Config.Options@/vms,\
                  Datastore.AllocateSpace+Datastore.Audit@/storage,SDN.Use@/sdn/zones,Sys.Audit@/nodes";
    let token = format!("{TOKEN}={SECRET}:{grants}");
    let own = |mut config: SimConfig| {
        config.tokens.clear();
        config.token(&token)
    };
    let world = setup().sim(own).start();
    let run = world.ctl(LINE);
    run.fails("LXC0504").says("it lacks Datastore.AllocateTemplate on /storage");
    run.says("lxcctl remote doctor homelab");
    let run = world.ctl("remote doctor homelab");
    run.exits(0).prints("lacks Datastore.AllocateTemplate on /storage").says("pveum acl modify /storage");
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    // An image that is there needs none.
    world.ctl("create web-7 --image debian-12 --download --stop-after create").exits(0);
}

#[test]
fn a_download_that_fails_is_told_in_its_words_and_can_be_tried_again() {
    let world = setup().start();
    let why = "download failed: wget: unable to resolve host address";
    world.sim.control().add_fault(&format!("task-fail:download:*:{why}")).expect("a fault");
    let run = world.ctl(LINE);
    run.fails("LXC0118").says(&format!("{FILE} did not come to local on pve")).says(why);
    let id = last(&world);
    let short = &id[id.len() - 8..];
    run.says(&format!("lxcctl op retry {short}"));
    assert!(world.listed("homelab/101").is_none(), "nothing was begun of it");
    // Somebody takes what it had, its number and its name.
    world.ctl("create web-7 --image debian-12 --stop-after create").exits(0).prints("homelab/101");
    world.ctl(&format!("op retry {id}")).fails("LXC0517").says("homelab/101");
    world.ctl("delete web-7 --yes").exits(0);
    world.ctl("create web-9 --image debian-12 --stop-after create").exits(0).prints("homelab/101");
    let run = world.ctl(&format!("op retry {id}"));
    run.exits(0).prints("homelab/102").prints("created").says(&format!("goes on from {short}"));
    let listed = world.wait_listed("homelab/102", "running", |item| item["status"] == "running");
    assert_eq!((&listed["name"], &listed["lifecycle"]), (&"web-7".into(), &"ready".into()));
    assert_eq!(asked(&world), 2);
    world.ctl(&format!("op retry {id}")).fails("LXC0517");
}

#[test]
fn a_retry_of_one_whose_image_came_meanwhile_takes_it_as_it_is() {
    let world = setup().start();
    world.sim.control().add_fault("task-fail:download:*:no space left on device").expect("a fault");
    world.ctl(LINE).fails("LXC0118").says("no space left on device");
    let id = last(&world);
    world.ctl(&LINE.replace("web-7", "web-8")).exits(0);
    world.ctl(&format!("op retry {id}")).exits(0).prints("web-7  created");
    assert_eq!(asked(&world), 2, "the failed one, and that of the other");
}

#[test]
fn lxcd_may_die_in_the_middle_of_it() {
    let mut world = setup().scale(4).start();
    let mut run = world.begin(LINE);
    run.wait_for(&format!("downloading {FILE}"));
    until("the download to be begun", || {
        if asked(&world) == 1 { Ok(()) } else { Err(format!("{:?}", world.calls())) }
    });
    world.daemon.kill();
    world.daemon.start();
    run.end().exits(0).prints("web-7  created");
    assert_eq!((asked(&world), made(&world)), (1, 1), "{:?}", world.calls());
}

#[test]
fn a_cancel_aborts_it_and_a_retry_begins_anew() {
    let world = setup().start();
    world.sim.control().add_fault("task-hang:download:*").expect("a fault");
    let mut run = world.begin(LINE);
    run.wait_for(&format!("downloading {FILE} to local"));
    let id = last(&world);
    world.ctl(&format!("op cancel {id}")).exits(0).prints("aborted");
    run.end().fails("LXC0102");
    assert!(world.listed("homelab/101").is_none());
    assert_eq!((asked(&world), made(&world)), (1, 0));
    world.ctl(&format!("op retry {id}")).exits(0).prints("homelab/101").prints("created");
}

#[test]
fn many_that_want_the_same_image_at_once_all_get_it() {
    let world = setup().start();
    let begun: Vec<_> = (0..6)
        .map(|n| {
            world.begin(&format!(
                "create box-{n} --image debian-13 --download --stop-after start --memory 256M"
            ))
        })
        .collect();
    begun.into_iter().for_each(|run| {
        run.end().exits(0).prints("created");
    });
    assert_eq!(made(&world), 6);
}

#[test]
fn if_needed_downloads_nothing_for_one_that_is_there() {
    let world = setup().start();
    world.ctl(LINE).exits(0);
    world.sim.control().remove_images("debian-13").expect("removed");
    world.ctl(&format!("{LINE} --if-needed")).exits(0).prints("unchanged");
    assert_eq!((asked(&world), made(&world)), (1, 1));
    // Neither is that it is wished a difference.
    let run = world.ctl("create web-7 --image debian-13 --stop-after start --if-needed");
    run.exits(0).prints("unchanged");
}

#[test]
fn the_questions_offer_what_could_be_downloaded_below_what_is_there() {
    let world = setup().start();
    let rest = "--stop-after start --node pve1 --cores 1 --memory 64M --swap 0 --disk 4 --storage local-lvm --bridge vmbr0 --ip dhcp";
    let mut terminal = world.terminal(&format!("create web-7 {rest}"));
    terminal.wait_for("to be downloaded (pve1)").wait_for("? OS image").keys("debian-13\r");
    let line = format!("lxcctl create web-7 {rest} --image {FILE} --download");
    terminal.wait_for("The same without questions:").wait_for(&line);
    terminal.wait_for("? Create?").keys("\r");
    terminal.end().exits(0).prints("web-7  created");
    assert_eq!(asked(&world), 1);
}

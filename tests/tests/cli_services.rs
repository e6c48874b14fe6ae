//! `lxcctl services`: what runs in containers, found over real SSH in real root file systems; who may see their secrets,
//! and that nobody else does.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lxc_tests::harness::{Cli, Setup, Site, Tree, World, binary, ct, running, until};
use lxc_tests::pvesim::control::CtChange;
use lxcd::store::Store;

const SECRET: &str = "pl4in-t0-y0u";
/// Ports that have a URL, and that hardly anybody else uses.
const WEB: [u16; 5] = [8123, 8096, 8088, 5601, 8086];

/// A container that runs and one that does not. Nobody looks into them unasked unless `config` says so.
fn site(config: &str) -> Option<Site> {
    let containers = [running(104, "web-1"), ct(105, "web-2")];
    let site = Site::start(Setup::default().containers(containers).config(config), Tree::Busybox)?;
    until("the container to run", || {
        site.node().container(104).join("pid").exists().then_some(()).ok_or("not yet".to_owned())
    });
    Some(site)
}

const ASKED_ONLY: &str = "services = false\n";

fn program(site: &Site, path: &str, text: &str) {
    let path = site.file(104, path);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("ours");
}

/// OpenRC, as far as it is asked: one that listens, one that crashed, one of the system. Answers the port.
fn serve(site: &Site) -> u16 {
    rc_status(site, "started");
    let store = site.file(104, "/etc/lxcd/credentials");
    std::fs::create_dir_all(&store).expect("made");
    std::fs::write(store.join("httpd"), format!("USER=dev\nPASSWORD={SECRET}\n")).expect("written");
    std::fs::write(store.join("backup"), "KEY=x\n").expect("written");
    let free = WEB.into_iter().find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok());
    let port = free.expect("a free port of the web");
    assert_eq!(site.node().shell(104, &format!("httpd -p {port} -h /srv")).code, Some(0));
    until("it to listen", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())
    });
    port
}

fn rc_status(site: &Site, httpd: &str) {
    let text = format!("printf '[default]\\nhttpd = {httpd}\\nworker = crashed\\nsshd = started\\n'");
    program(site, "/bin/rc-status", &text);
}

/// Everything lxcd has written, but for its keys.
fn written(world: &World) -> String {
    let mut all = world.daemon.log();
    for entry in std::fs::read_dir(world.daemon.state()).expect("there") {
        let bytes = std::fs::read(entry.expect("an entry").path()).unwrap_or_default();
        all.push_str(&String::from_utf8_lossy(&bytes));
    }
    all
}

#[test]
fn what_runs_is_found_kept_and_looked_for_anew() {
    let Some(site) = site(ASKED_ONLY) else { return };
    let (world, port) = (&site.world, serve(&site));
    assert_eq!(world.listed("homelab/104").expect("listed")["services_total"], serde_json::Value::Null);
    // Nothing is known: it is looked for at once.
    let first = world.ctl("services 104");
    first.exits(0).prints("SERVICE").prints("openrc").prints(&port.to_string()).prints("crashed");
    first.says("secrets are kept of backup too (--reveal)");
    first.says("checked ").says("1 system unit folded away (--system)");
    assert!(!first.out.contains("sshd"), "{first}");
    world.ctl("services 104 --system").exits(0).prints("sshd");
    let json = world.ctl("services web-1 -o json").exits(0).json();
    let (httpd, worker) = (&json["items"][0], &json["items"][1]);
    assert_eq!(
        (&httpd["service"], &httpd["status"], &httpd["secrets"]),
        (&"httpd".into(), &"running".into(), &2.into())
    );
    assert_eq!(httpd["port"], port);
    assert_eq!((&worker["service"], &worker["status"]), (&"worker".into(), &"error".into()));
    world.ctl("services 104 -o name").exits(0).prints("httpd\nworker\n");

    let listed = world.wait_listed("homelab/104", "with services", |item| item["services_total"] == 2);
    assert_eq!(listed["services_healthy"], 1);
    world.ctl("ls").exits(0).prints("1/2");
    world.ctl("show 104").exits(0).prints("SERVICE").prints("services  1/2");
    assert_eq!(world.ctl("show 104 -o json").exits(0).json()["services"][0]["service"], "httpd");

    // What is known is told without asking; a refresh asks.
    rc_status(&site, "crashed");
    let kept = world.ctl("services 104 -o json").exits(0).json();
    assert_eq!(kept["items"][0]["status"], "running");
    let fresh = world.ctl("services 104 --refresh -o json").exits(0).json();
    assert_eq!(fresh["items"][0]["status"], "error");
    world.wait_listed("homelab/104", "all ill", |item| item["services_healthy"] == 0);

    // A part that fails is a result.
    program(&site, "/bin/rc-status", "echo 'the list is broken' >&2; exit 1");
    let broken = world.ctl("services 104 --refresh");
    broken
        .exits(0)
        .says("warning: openrc: the list is broken")
        .says("Nothing of its own runs in homelab/104");
    // Nobody reads for ever, and what was cut off says so.
    program(&site, "/bin/rc-status", "yes 'nothing = that is known' | head -n 60000");
    world.ctl("services 104 --refresh").exits(0).says("warning: discovery: the answer was cut off");
    // Nothing was ever put on the node.
    let jobs = site.server.directory().join("jobs");
    assert_eq!(std::fs::read_dir(jobs).expect("made with the access").count(), 0);
}

#[test]
fn secrets_are_shown_to_admins_and_kept_nowhere() {
    let roles = format!("{ASKED_ONLY}[roles]\nadmin = [\"root\"]\nviewer = [\"nobody\"]\n");
    let Some(site) = site(&roles) else { return };
    let world = &site.world;
    serve(&site);
    let viewer = viewer(world);
    viewer.run("services 104").exits(0).prints("httpd");
    let refused = viewer.run("services 104 --reveal httpd");
    refused.fails("LXC0601").says("reveal needs admin");
    assert!(!format!("{}{}", refused.out, refused.err).contains(SECRET));
    assert!(!world.ctl("audit ls -o json").exits(0).out.contains("reveal"));

    let shown = world.ctl("services 104 --reveal httpd");
    shown.exits(0).prints("SERVICE  KEY       VALUE").prints(&format!("httpd    PASSWORD  {SECRET}"));
    shown.says("2 secrets of homelab/104 shown to root and noted in the audit");
    let json = world.ctl("services 104 --reveal httpd -o json").exits(0).json();
    assert_eq!((&json["kind"], &json["items"][1]["value"]), (&"SecretList".into(), &SECRET.into()));
    let audit = world.ctl("audit ls --verb reveal -o json").exits(0).json();
    let items = audit["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "each of them: {audit}");
    assert_eq!((&items[0]["target"], &items[0]["detail"]), (&"homelab/104".into(), &"httpd".into()));
    world.ctl("services 104 --reveal worker").fails("LXC0309").says("it keeps some of backup, httpd");

    for line in ["services 104 --system -o json", "show 104 -o json", "events -o json", "audit ls -o json"] {
        assert!(!world.ctl(line).exits(0).out.contains(SECRET), "{line}");
    }
    let written = written(world);
    assert!(written.contains("httpd") && !written.contains(SECRET));

    // Another container has that number by now.
    let net = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:99:99:99,type=veth";
    let config = [("net0".to_owned(), net.to_owned())].into();
    world.sim.control().change_container(104, &CtChange { config, ..CtChange::default() }).expect("changed");
    let refused = world.ctl("services 104 --reveal httpd");
    refused.fails("LXC0103").says("homelab/104 was replaced");
    assert!(!refused.out.contains(SECRET));
    world.ctl("services 104 --refresh").fails("LXC0103");
}

/// lxcctl in the hands of nobody.
fn viewer(world: &World) -> Cli {
    let socket = world.daemon.socket();
    for directory in socket.ancestors().skip(1).take_while(|directory| directory.starts_with(world.path())) {
        open(directory, 0o711);
    }
    open(&socket, 0o666);
    let copy = world.path().join("lxcctl");
    std::fs::copy(binary::program("lxcctl"), &copy).expect("copied");
    open(&copy, 0o755);
    let wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    world.cli.clone().program(&copy).under(&wrapper)
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode set");
}

#[test]
fn what_is_stopped_is_told_from_memory_and_goes_with_its_container() {
    let Some(site) = site(ASKED_ONLY) else { return };
    let world = &site.world;
    serve(&site);
    world.ctl("services 105").fails("LXC0502").says("lxcctl start homelab/105");
    world.ctl("services 104").exits(0);
    let id = world.listed("homelab/104").expect("listed")["id"].as_str().expect("an id").to_owned();
    world.ctl("stop 104").exits(0);
    world
        .ctl("services 104")
        .exits(0)
        .prints("httpd")
        .says("homelab/104 is stopped: this is from when it ran");
    world.ctl("services 104 --refresh").fails("LXC0502");
    assert_eq!(world.listed("homelab/104").expect("listed")["services_total"], serde_json::Value::Null);

    let store = world.block_on(Store::open_sqlite(&world.daemon.state().join("lxcd.db"))).expect("opened");
    let id = id.parse().expect("an id");
    assert!(world.block_on(store.services(id)).expect("read").looked.is_some());
    world.ctl("delete 104 --yes").exits(0);
    assert_eq!(world.block_on(store.services(id)).expect("read").looked, None);
    world.ctl("services 104").fails("LXC0301");
}

#[test]
fn who_has_no_way_in_says_so() {
    let world = World::with([running(104, "web-1")]);
    world.ctl("services 104").fails("LXC0523").says("lxcctl remote set homelab --ssh");
    let Some(site) = site(ASKED_ONLY) else { return };
    std::fs::write(site.node().container(104).join("refuse"), "99").expect("written");
    let refused = site.world.ctl("services 104");
    refused.fails("LXC0117").says("Failed to get attach context").says("exit code 1");
    std::fs::remove_file(site.node().container(104).join("refuse")).expect("removed");
    serve(&site);
    site.world.ctl("services 104").exits(0).prints("httpd");
    // What is known stays, with a word about why it is old.
    std::fs::write(site.node().container(104).join("refuse"), "99").expect("written");
    site.world.ctl("services 104 --refresh").fails("LXC0117");
    site.world.ctl("services 104").exits(0).prints("httpd").says("could not be looked into since");
}

#[test]
fn running_containers_are_looked_into_in_the_background() {
    let Some(site) = site("") else { return };
    serve(&site);
    // Somebody listing is what it takes.
    let item = site.world.wait_listed("homelab/104", "looked into", |item| item["services_total"] == 2);
    assert_eq!(item["services_healthy"], 1);
    rc_status(&site, "crashed");
    site.world.wait_listed("homelab/104", "looked into again", |item| item["services_healthy"] == 0);
}

//! Who may do what: roles from the peer's credentials. Needs root, to be
//! somebody else.

mod owners;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lxc_tests::harness::{Cli, Setup, World, binary, ct, running};
use lxc_tests::pvesim::SimConfig;

/// Without root there is nobody else to be.
fn world(config: &str) -> Option<(World, Cli)> {
    world_of(config, |sim| sim)
}

/// The same with another simulator.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen in its output")]
fn world_of(config: &str, sim: impl FnOnce(SimConfig) -> SimConfig) -> Option<(World, Cli)> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: it takes root to become another user");
        return None;
    }
    let world = Setup::default()
        .containers([running(104, "web-1"), ct(105, "web-2")])
        .config(config)
        .sim(sim)
        .start();
    open_to_all(&world, &world.daemon.socket());
    // Where the programs are built may be nobody's business.
    let copy = world.path().join("lxcctl");
    std::fs::copy(binary::program("lxcctl"), &copy).expect("copied");
    open(&copy, 0o755);
    let cli = someone(&world, "65534");
    Some((world, cli))
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode set");
}

/// Lets every user reach the socket of a daemon of this world.
fn open_to_all(world: &World, socket: &Path) {
    for directory in socket.ancestors().skip(1).take_while(|directory| directory.starts_with(world.path())) {
        open(directory, 0o711);
    }
    open(socket, 0o666);
}

/// lxcctl in the hands of another user.
fn someone(world: &World, uid: &str) -> Cli {
    let copy = world.path().join("lxcctl");
    let wrapper = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"];
    world.cli.clone().program(&copy).under(&wrapper)
}

#[test]
fn nobody_is_nobody() {
    let Some((world, nobody)) = world("") else { return };
    nobody.run("whoami").exits(0).prints("nobody");
    for line in [
        "ls",
        "show 104",
        "start 105",
        "op ls",
        "events",
        "audit ls",
        "remote ls",
        "daemon status",
        "node ls",
        "summary",
        "ls --watch",
    ] {
        nobody.run(line).fails("LXC0601");
    }
    assert_eq!(world.calls(), [""; 0]);
    open(&world.daemon.socket(), 0o660);
    nobody.run("ls").fails("LXC0604").says("permission denied");
}

#[test]
fn a_viewer_looks() {
    let Some((world, viewer)) = world("[roles]\nadmin = [\"root\"]\nviewer = [\"nobody\"]") else { return };
    viewer.run("ls").exits(0).prints("homelab/104");
    viewer.run("show 104").exits(0);
    viewer.run("events").exits(0);
    viewer
        .run("start 105")
        .fails("LXC0601")
        .says("nobody may not start homelab/105 (web-2)")
        .says("start needs operator");
    viewer.run("start 105 --dry-run").exits(6);
    viewer.run("remote remove homelab --yes").fails("LXC0601");
    let template = world.path().join("web");
    std::fs::create_dir(&template).expect("made");
    std::fs::write(template.join("template.conf"), "TEMPLATE_OS=debian\n").expect("written");
    let import = format!("template import {}", template.display());
    viewer.run(&import).fails("LXC0601").says("template import needs admin");
    world.ctl(&import).exits(0);
    viewer.run("template ls").exits(0).prints("web");
    viewer.run("template delete web --yes").fails("LXC0601");
    viewer.run("remote set homelab --default").fails("LXC0601");
    let id = world.ctl("stop 104 --detach").exits(0).operation();
    viewer.run(&format!("op watch {id}")).exits(0);
    viewer.run(&format!("op cancel {id}")).exits(6);
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn an_operator_operates() {
    let Some((world, operator)) = world("[roles]\nadmin = [\"root\"]\noperator = [\"@nogroup\"]") else {
        return;
    };
    operator.run("start 105").exits(0);
    operator.run("delete 105 --yes").fails("LXC0601").says("(group nogroup)").says("delete needs admin");
    operator.run("forget 105 --yes").fails("LXC0601");
    let audit = world.ctl("audit ls --actor nobody -o json").exits(0).json();
    assert_eq!(audit["items"][0]["actor"]["name"], "nobody", "{audit}");
    world.ctl("op ls --actor nobody").exits(0).prints("homelab/105");
    operator.run("whoami").exits(0).prints("operator");
}

#[test]
fn a_role_on_one_remote_shows_nothing_of_the_others() {
    let roles = "[roles]\nadmin = [\"root\"]\n[remotes.edge.roles]\noperator = [\"nobody\"]";
    let Some((world, guest)) = world(roles) else { return };
    let edge = world.another_sim(|mut config| {
        config.population = Some(vec![ct(201, "edge-1")]);
        config
    });
    world.add("edge", &edge).exits(0);
    let run = guest.run("ls -o name");
    run.exits(0);
    assert_eq!(run.out, "edge/201\n");
    guest.run("start edge/201").exits(0);
    guest.run("start homelab/105").exits(3);
    guest.run("ls --remote homelab").fails("LXC0302");
    guest.run("remote show homelab").fails("LXC0302");
    guest.run("remote remove homelab --yes").fails("LXC0302");
    world.ctl("start homelab/105").exits(0);
    for line in [
        "op ls -o json",
        "events -o json",
        "audit ls -o json",
        "daemon status -o json",
        "remote ls -o json",
        "node ls -o json",
    ] {
        let run = guest.run(line);
        assert!(!run.out.contains("homelab"), "{run}");
    }
    // What is newer on homelab takes no place away from what they may see.
    for line in ["op ls -n 1 -o json", "events -n 1 -o json", "audit ls -n 1 -o json"] {
        guest.run(line).exits(0).prints("edge/201");
    }
    let id = world.ctl("op ls homelab/105 -o json").exits(0).json()["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    guest.run(&format!("op show {id}")).fails("LXC0303");
}

//! From a template to a provisioned container: what the engine costs beside the same commands typed by hand, how long a
//! look at services takes, and an import of many templates.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lxc_tests::harness::node::Tree;
use lxc_tests::harness::{Setup, Site, World};

use crate::table::{Aim, line};

/// One-line scripts of the template.
const SCRIPTS: usize = 50;
/// Containers made from it.
const CREATES: usize = 5;
/// Looks at services.
const LOOKS: usize = 20;
/// Templates in the tree that is imported.
const TEMPLATES: usize = 200;

pub(crate) fn run() {
    let Some(site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let world = &site.world;
    for (name, scripts) in [("one", 1), ("more", 1 + SCRIPTS)] {
        template(&world.path().join(name), scripts);
        world.ctl(&format!("template import {}", world.path().join(name).display())).exits(0);
    }
    let (mut ours, mut hands) = (Vec::new(), Vec::new());
    for number in 0..CREATES {
        // All else of a create is in both.
        let one = took(world, &format!("create one-{number} --template one -q"));
        ours.push(took(world, &format!("create box-{number} --template more -q")) - one);
        hands.push(by_hand(&site, 101 + 2 * number));
    }
    let over: Vec<f64> = ours.iter().zip(&hands).map(|(ours, hand)| ours - hand).collect();
    line("50 scripts of a create", &ours, "ms", Aim::None, "");
    line("the same by hand over one ssh connection", &hands, "ms", Aim::None, "");
    line("what the engine costs beside them", &over, "ms", Aim::Median(1_000.0), "");
    let looks: Vec<f64> = (0..LOOKS).map(|_| took(world, "services box-0 --refresh -q")).collect();
    line("services --refresh of one container", &looks, "ms", Aim::Median(300.0), "");
    let tree = world.path().join("tree");
    (0..TEMPLATES).for_each(|number| template(&tree.join(format!("app-{number}")), 3));
    let imports: Vec<f64> =
        (0..3).map(|_| took(world, &format!("template import {} -q", tree.display()))).collect();
    line("import of 200 templates", &imports, "ms", Aim::Median(1_000.0), "");
}

/// Milliseconds of a command.
fn took(world: &World, command: &str) -> f64 {
    let began = Instant::now();
    world.ctl(command).exits(0);
    began.elapsed().as_secs_f64() * 1_000.0
}

/// The same scripts, one after the other, as somebody types them on the node.
fn by_hand(site: &Site, vmid: usize) -> f64 {
    let server = &site.server;
    let port = server.address().port().to_string();
    let began = Instant::now();
    let mut ssh = Command::new("ssh")
        .args([
            "-q",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-p",
            &port,
            "-i",
        ])
        .arg(server.key())
        .arg(format!("{}@127.0.0.1", server.user()))
        .args(["PATH=/usr/local/sbin:/usr/bin:/bin", "sh", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh");
    let mut input = ssh.stdin.take().expect("piped");
    for number in 0..SCRIPTS {
        writeln!(input, "lxc-attach -n {vmid} --clear-env -- /bin/sh -c 'echo {number}' </dev/null")
            .expect("written");
    }
    drop(input);
    ssh.wait().expect("ended");
    began.elapsed().as_secs_f64() * 1_000.0
}

fn template(root: &Path, scripts: usize) {
    let folder = root.join("container-configs/scripts");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(root.join("template.conf"), "TEMPLATE_OS=debian\nTEMPLATE_VERSION=12\n").expect("written");
    for number in 0..scripts {
        let path = folder.join(format!("{number:02}-one.sh"));
        std::fs::write(path, format!("echo {number}\n")).expect("written");
    }
}

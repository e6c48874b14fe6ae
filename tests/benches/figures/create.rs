//! From a template to a provisioned container: what the engine costs beside the same commands typed by hand, how long a
//! look at services takes, and an import of many templates.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use jiff::Timestamp;
use lxc_tests::harness::node::Tree;
use lxc_tests::harness::{Setup, Site, World};

use crate::table::{Aim, line};

/// One-line scripts of the template.
const SCRIPTS: usize = 50;
/// Containers made from it.
const CREATES: usize = 3;
/// Looks at services.
const LOOKS: usize = 20;
/// Templates in the tree that is imported.
const TEMPLATES: usize = 200;

pub(crate) fn run() {
    let Some(site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let world = &site.world;
    template(&world.path().join("fifty"), SCRIPTS);
    world.ctl(&format!("template import {}", world.path().join("fifty").display())).exits(0);
    let (mut ours, mut hands) = (Vec::new(), Vec::new());
    for number in 0..CREATES {
        world.ctl(&format!("create box-{number} --template fifty -q")).exits(0);
        ours.push(scripts(world));
        hands.push(by_hand(&site, 100 + number));
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

/// Milliseconds from the begin of the first script to the end of the last one.
fn scripts(world: &World) -> f64 {
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let shown = world.ctl(&format!("op show {id} -o json")).exits(0).json();
    let shown = if shown["steps"].is_array() { shown } else { shown["items"][0].clone() };
    let steps = shown["steps"].as_array().expect("steps");
    let all =
        steps.iter().filter(|step| step["name"].as_str().is_some_and(|name| name.starts_with("script:")));
    let at = |step: &serde_json::Value, key: &str| -> Timestamp {
        step[key].as_str().expect("a time").parse().expect("a time")
    };
    let all: Vec<_> = all.collect();
    let (first, last) = (all.first().expect("scripts"), all.last().expect("scripts"));
    at(last, "finished_at").duration_since(at(first, "started_at")).as_secs_f64() * 1_000.0
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

//! `lxcctl create` from a template to a provisioned container: a real node over SSH, real scripts in a real root file
//! system.

use std::path::{Path, PathBuf};

use lxc_tests::harness::node::Tree;
use lxc_tests::harness::{Setup, Site, World};

const CONF: &str = "TEMPLATE_OS=debian\nTEMPLATE_VERSION=12\nTEMPLATE_RAM=512\nTEMPLATE_DISK=4\n";

fn site(tree: Tree) -> Option<Site> {
    Site::start(Setup::default().containers([]), tree)
}

/// A template of these files.
fn template(world: &World, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = world.path().join(name);
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(&root.join("template.conf"), CONF);
    for (path, text) in files {
        write(&root.join("container-configs").join(path), text);
    }
    world.ctl(&format!("template import {}", root.display())).exits(0);
    root
}

#[test]
fn a_template_becomes_a_provisioned_container() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(
        world,
        "box",
        &[
            ("files/app.conf", "port = 80\n"),
            ("files/app.conf.path", "/etc/app\n"),
            (
                "scripts/10-first.sh",
                "#!/bin/sh\nset -eu\necho \"hello from $CONTAINER_NAME\"\necho first >>/root/order\n",
            ),
            (
                "scripts/20-second.sh",
                "log making a secret\nsave_credential app PASSWORD \"$(random_password 12)\"\necho second >>/root/order\n",
            ),
        ],
    );
    let run = world.ctl("create web-7 --template box");
    run.exits(0).prints("homelab/100  web-7  created").says("script 1/2 10-first.sh");
    assert_eq!(site.read(100, "/root/order").as_deref(), Some("first\nsecond\n"));
    assert_eq!(site.read(100, "/etc/app/app.conf").as_deref(), Some("port = 80\n"));
    let secret = site.read(100, "/etc/lxcd/credentials/app").unwrap_or_default();
    assert!(secret.starts_with("PASSWORD=") && secret.len() > 12, "{secret:?}");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let log = world.ctl(&format!("op log {id}"));
    log.exits(0).prints("hello from web-7").prints("making a secret");
    assert!(!log.out.contains(secret.trim().trim_start_matches("PASSWORD=")), "a secret in the log");
    let shown = world.ctl(&format!("op show {id}"));
    shown.exits(0).prints("script:10-first.sh").prints("files");
    let events = world.ctl("events homelab/100 -o json").exits(0).json();
    let types: Vec<_> =
        events["items"].as_array().expect("items").iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["created", "started", "script_completed", "script_completed"]);
    assert_eq!(world.listed("homelab/100").expect("listed")["template"], "box");
}

#[test]
fn a_script_that_fails_is_resumed_and_nothing_before_it_runs_twice() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(
        world,
        "box",
        &[
            ("scripts/10-a.sh", "echo a >>/root/order\n"),
            (
                "scripts/20-b.sh",
                "echo b >>/root/order\n[ -e /root/fixed ] || { echo 'no /root/fixed here' >&2; exit 3; }\n",
            ),
            ("scripts/30-c.sh", "echo c >>/root/order\n"),
        ],
    );
    let run = world.ctl("create web-8 --template box");
    run.fails("LXC0110").says("script 20-b.sh (2/3) failed in homelab/100 (web-8)");
    run.says("exit code 3").says("no /root/fixed here").says("lxcctl op retry");
    let listed = world.listed("homelab/100").expect("listed");
    assert_eq!((&listed["status"], &listed["lifecycle"]), (&"error".into(), &"error".into()));
    std::fs::write(site.file(100, "/root/fixed"), "").expect("written");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let again = world.ctl(&format!("op retry {id}"));
    again.exits(0).prints("created").says("goes on from").says("script 2/3 20-b.sh");
    assert_eq!(site.read(100, "/root/order").as_deref(), Some("a\nb\nb\nc\n"));
    assert_eq!(world.listed("homelab/100").expect("listed")["status"], "running");
    // … and from an earlier step, when that is wished.
    world.ctl("create web-8 --template box --if-needed").exits(0).prints("unchanged");
}

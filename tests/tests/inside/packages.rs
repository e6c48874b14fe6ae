//! `packages.sh` and `install_packages` with the real apt; the other managers where they are missing.

use std::fs;

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, Job};

const PACKAGES: &str = include_str!("../../../core/src/provision/inside/packages.sh");
const SCRIPT: &str = include_str!("../../../core/src/provision/inside/script.sh");
/// Small, and needs nothing but libc.
const SMALL: &str = "hello";

fn packages(node: &Node, manager: &str, items: &str) -> Done {
    Job::new(PACKAGES).set("MANAGER", manager).file("items", items).run(node)
}

/// A Debian with this machine's network.
fn debian() -> Option<Node> {
    let mut node = Node::new()?;
    node.start(CT, Tree::Debian, Network::Shared).then_some(node)
}

#[test]
fn apt_installs_what_is_missing_once() {
    let Some(node) = debian() else { return };
    let done = packages(&node, "apt", &format!("{SMALL}\nbash\ncoreutils\n"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let detail = "detail 3 packages: 1 installed, 2 there already";
    assert_eq!(done.reports(), ["progress 2/3 packages", detail], "{done:?}");
    assert!(done.log().contains(&format!("Setting up {SMALL} ")), "{done:?}");
    assert!(node.files(CT).join("usr/bin").join(SMALL).exists());

    let version = node.shell(CT, &format!("dpkg-query -W -f '${{Version}}' {SMALL}")).log();
    let arch = node.shell(CT, "dpkg --print-architecture").log();
    for same in [SMALL, &format!("{SMALL}={version}"), &format!("{SMALL}:{arch}")] {
        let done = packages(&node, "apt", &format!("{same}\n"));
        assert_eq!(done.reports(), ["detail 1 package: 1 there already"], "{same}: {done:?}");
        assert_eq!(done.log(), "", "nothing was asked of apt");
    }
    for (wrong, why) in [
        (format!("{SMALL}=0.0-1"), format!("fault apt: E: Version '0.0-1' for '{SMALL}' was not found")),
        ("no-such-package".to_owned(), "fault apt: E: Unable to locate package no-such-package".to_owned()),
    ] {
        let done = packages(&node, "apt", &format!("{wrong}\n"));
        assert_eq!((done.code, done.reports().pop()), (Some(100), Some(why)), "{done:?}");
    }
    let done = packages(&node, "apt", &format!("{SMALL}-\n"));
    assert_eq!(done.code, Some(65), "{done:?}");
    assert!(node.files(CT).join("usr/bin").join(SMALL).exists());
    // Removed but with its files left, it is not there.
    assert_eq!(node.shell(CT, &format!("dpkg --remove {SMALL}")).code, Some(0));
    let text = format!("install_packages {SMALL} >/dev/null 2>&1; echo $?; {SMALL}");
    let done = Job::new(SCRIPT).set("SCRIPT_NAME", "1-a.sh").file("script", text).run(&node);
    assert_eq!((done.code, done.log().as_str()), (Some(0), "0\nHello, world!"), "{done:?}");
}

#[test]
fn apt_waits_for_others() {
    let Some(node) = debian() else { return };
    // As apt itself locks: the whole file, by fcntl. perl is in every Debian.
    let hold = "perl -e 'use Fcntl; open(F, \">\", \"/var/lib/apt/lists/lock\"); \
                $l = pack(\"s s x4 l! l! i x4\", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; open(G, \">\", \"/held\"); close(G); \
                sleep 1 until -e \"/free\"'";
    let impatient = || {
        let job = Job::new(PACKAGES).set("MANAGER", "apt").set("LXCD_LOCK_TIMEOUT", "1");
        job.file("items", format!("{SMALL}\n")).run(&node)
    };
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| node.shell(CT, hold));
        until("the lock", || {
            let held = node.files(CT).join("held").exists();
            if held { Ok(()) } else { Err("nobody holds it".to_owned()) }
        });
        let done = impatient();
        assert_eq!(done.code, Some(75), "{done:?}");
        let why = "fault apt: another process holds /var/lib/apt/lists/lock for more than 1s";
        assert_eq!(done.reports().pop().unwrap(), why, "{done:?}");
        let patient = scope.spawn(|| packages(&node, "apt", &format!("{SMALL}\n")));
        fs::write(node.files(CT).join("free"), "").unwrap();
        let done = patient.join().unwrap();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(holder.join().unwrap().code, Some(0));
    });
}

#[test]
fn a_missing_manager_is_a_clear_result() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Busybox, Network::Own) {
        return;
    }
    for manager in ["apt", "apk", "dnf", "npm", "pip"] {
        let done = packages(&node, manager, "nginx\n");
        let why = format!("{manager} is not in this image");
        assert_eq!((done.code, done.stderr.clone()), (Some(69), format!("{why}\n")), "{done:?}");
        assert_eq!(done.reports(), [format!("fault {why}")]);
    }
    let text = "install_packages nginx || echo $?";
    let done = Job::new(SCRIPT).set("SCRIPT_NAME", "1-a.sh").file("script", text).run(&node);
    assert_eq!(done.log(), "69");
}

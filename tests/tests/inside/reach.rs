//! `reach.sh` and `reach-node.sh`: what is missing is said, what is there is enough.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, ENTER, Job};

const REACH: &str = include_str!("../../../core/src/provision/inside/reach.sh");
const REACH_NODE: &str = include_str!("../../../core/src/provision/inside/reach-node.sh");

fn reach(node: &Node, needs: &str, deadline: &str) -> Done {
    Job::new(REACH).set("NEEDS", needs).set("DEADLINE", deadline).run(node)
}

#[test]
fn a_route_is_waited_for_and_named_when_it_is_missing() {
    let Some(mut node) = Node::new() else { return };
    for tree in [Tree::Debian, Tree::Busybox] {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        let missing = |how: &str| {
            let done = reach(&node, "init route", "1");
            let why = format!("no default route after 1s ({how})");
            assert_eq!((done.code, done.stderr.clone()), (Some(75), format!("{why}\n")), "{done:?}");
            assert_eq!(done.reports(), [format!("fault {why}")]);
        };
        missing("there is no network interface but lo");
        node.ip(CT, "link add eth0 type bridge\nlink set eth0 up");
        missing("eth0 has no address");
        node.ip(CT, "addr add 169.254.3.2/16 dev eth0");
        missing("eth0 has 169.254.3.2");
        node.ip(CT, "link add eth1 type bridge\nlink set eth1 up\naddr add 192.168.7.1/24 dev eth1");
        node.ip(CT, "addr add 10.0.0.24/23 dev eth0\nroute add default via 10.0.1.1 dev eth0");
        node.ip(CT, "-6 addr add fd00::24/64 dev eth0 nodad\n-6 addr add fd01::1/64 dev eth1 nodad");
        let done = reach(&node, "init route", "9");
        let addresses =
            ["address 169.254.3.2", "address 10.0.0.24", "address fd00:0000:0000:0000:0000:0000:0000:0024"];
        let mut reports = done.reports();
        reports.sort_by_key(|line| addresses.iter().position(|address| address == line));
        assert_eq!((done.code, reports), (Some(0), addresses.map(ToOwned::to_owned).to_vec()), "{done:?}");
        // One that refuses is none.
        node.ip(
            CT,
            "route del default\nroute add unreachable default\nlink set eth1 down\naddr flush dev eth0",
        );
        missing("an interface that is down has 192.168.7.1");
        // IPv6 alone is enough.
        node.ip(CT, "-6 addr add fd00::24/64 dev eth0 nodad\n-6 route add default via fd00::1 dev eth0");
        let done = reach(&node, "route", "9");
        assert_eq!(
            (done.code, done.reports().as_slice()),
            (Some(0), &addresses.map(ToOwned::to_owned)[2..]),
            "{done:?}"
        );
        node.stop(CT);
        let _ = fs::remove_dir_all(node.container(CT).join("upper"));
    }
}

#[test]
fn a_name_has_to_resolve() {
    let Some(mut node) = Node::new() else { return };
    for tree in [Tree::Debian, Tree::Busybox] {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        let etc = node.files(CT).join("etc");
        fs::write(etc.join("resolv.conf"), "# made here\nnameserver 192.0.2.53\n").unwrap();
        let host = match tree {
            Tree::Debian | Tree::Managers => {
                fs::write(etc.join("apt/sources.list"), "# deb http://old.test/ x\n").unwrap();
                let deb822 = "Types: deb\nURIs: https://user:pw@packages.test:8443/debian\nSuites: x\n";
                fs::write(etc.join("apt/sources.list.d/a.sources"), deb822).unwrap();
                "packages.test"
            }
            Tree::Busybox => {
                fs::create_dir(etc.join("apk")).unwrap();
                fs::write(etc.join("apk/repositories"), "#http://x.test\nhttp://alpine.test/v3\n").unwrap();
                "alpine.test"
            }
        };
        let done = reach(&node, "dns", "0");
        let why = format!("{host} does not resolve after 0s (nameserver 192.0.2.53)");
        assert_eq!((done.code, done.reports()), (Some(75), vec![format!("fault {why}")]), "{done:?}");
        fs::write(etc.join("hosts"), format!("127.0.0.1 localhost\n192.0.2.9 {host}\n")).unwrap();
        if tree == Tree::Debian {
            assert_eq!(reach(&node, "dns init", "0").code, Some(0));
        }
        node.stop(CT);
        let _ = fs::remove_dir_all(node.container(CT).join("upper"));
    }
    if node.start(CT, Tree::Debian, Network::Shared) {
        let done = reach(&node, "init route dns", "30");
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.reports().iter().any(|line| line.starts_with("address ")), "{done:?}");
        assert_eq!(reach(&node, "luck", "1").code, Some(64));
    }
}

#[test]
fn openrc_is_done_at_its_default_level() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Busybox, Network::Own) {
        return;
    }
    let files = node.files(CT);
    std::os::unix::fs::symlink("busybox", files.join("bin/openrc")).unwrap();
    for (level, starting, why) in [
        (None, false, Some("none")),
        (Some("boot"), false, Some("boot")),
        (Some("default"), true, Some("default")),
        (Some("default"), false, None),
    ] {
        let state = files.join("run/openrc");
        let _ = fs::remove_dir_all(&state);
        fs::create_dir_all(&state).unwrap();
        if let Some(level) = level {
            fs::write(state.join("softlevel"), format!("{level}\n")).unwrap();
        }
        if starting {
            fs::create_dir(state.join("rc.starting")).unwrap();
        }
        let done = reach(&node, "init", "0");
        let wanted = why.map(|why| format!("fault OpenRC is not done after 0s (runlevel {why})"));
        assert_eq!(done.reports().first(), wanted.as_ref(), "{done:?}");
    }
}

#[test]
fn systemd_is_done_when_it_says_so() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let files = node.files(CT);
    fs::create_dir_all(files.join("run/systemd/system")).unwrap();
    let program = files.join("usr/bin/systemctl");
    fs::write(&program, "#!/bin/sh\nread -r state </state\necho \"$state\"\n[ \"$state\" = running ]\n")
        .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for (state, ready) in [("running", true), ("degraded", true), ("starting", false), ("", false)] {
        fs::write(files.join("state"), format!("{state}\n")).unwrap();
        let done = reach(&node, "init", "0");
        let word = if state.is_empty() { "it does not answer" } else { state };
        let why = format!("fault systemd is not done after 0s ({word})");
        let wanted = if ready { None } else { Some(why) };
        assert_eq!(done.reports().first(), wanted.as_ref(), "{state}: {done:?}");
    }
    // It is waited for.
    fs::write(files.join("state"), "starting\n").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| reach(&node, "init", "60"));
        until("the script to look", || {
            let looks = node.shell(CT, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").log();
            if looks.contains("sleep 1 ") { Ok(()) } else { Err(looks) }
        });
        fs::write(files.join("state"), "running\n").unwrap();
        assert_eq!(waiting.join().unwrap().code, Some(0));
    });
}

#[test]
fn an_init_that_has_not_begun_is_not_done() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let files = node.files(CT);
    assert_eq!(reach(&node, "init", "0").code, Some(0), "an init of another kind");
    for (program, why) in [
        ("usr/lib/systemd/systemd", "systemd is not done after 0s (it has not begun)"),
        ("usr/sbin/openrc-init", "OpenRC is not done after 0s (runlevel none)"),
    ] {
        fs::create_dir_all(files.join("usr/lib/systemd")).unwrap();
        fs::write(files.join(program), "").unwrap();
        let link = files.join("sbin/init");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(format!("/{program}"), link).unwrap();
        let done = reach(&node, "init", "0");
        assert_eq!(
            (done.code, done.reports()),
            (Some(75), vec![format!("fault {why}")]),
            "{program}: {done:?}"
        );
    }
}

#[test]
fn the_node_tries_again() {
    let Some(mut node) = Node::new() else { return };
    let attach = |node: &Node| {
        let mut command = node.command("/bin/sh");
        command.env("LXCD_SCALE", "50").args(["-c", REACH_NODE, "lxcd", "104"]);
        command.args([
            "lxc-attach",
            "-n",
            "104",
            "--clear-env",
            "--",
            "/bin/sh",
            "-c",
            ENTER,
            "lxcd",
            "A=b c",
        ]);
        node.run(command, &Job::new("echo \"$A\"; exit 3").archive())
    };
    let began = Instant::now();
    let done = attach(&node);
    assert_eq!(done.code, Some(75), "{done:?}");
    // 30 s by 50.
    assert!(began.elapsed().as_millis() >= 600);
    let why = "container 104 does not answer: lxc-attach: 104: ../src/lxc/attach.c: lxc_attach: 1469 \
               Connection refused - Failed to get attach context";
    assert_eq!(done.reports(), [format!("fault {why}")]);
    assert_eq!(done.log().lines().filter(|line| line.contains("does not answer yet")).count(), 4);
    if !node.start(CT, Tree::Busybox, Network::Own) {
        return;
    }
    fs::write(node.container(CT).join("refuse"), "4").unwrap();
    let done = attach(&node);
    assert_eq!((done.code, done.log().lines().last()), (Some(3), Some("b c")), "{done:?}");
    assert!(done.reports().is_empty());
}

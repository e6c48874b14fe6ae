//! `packages.sh` with the real dnf and rpm, and a repository of packages that are made up here.

use std::fs;

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, Job};
use crate::packages::{PACKAGES, packages};

/// Makes the packages and the repository. `wait` is what a script of a package does until there is a file /go, or half a
/// minute, so that a test that fails ends.
const REPOSITORY: &str = "mkdir /repository /specs && cd /specs || exit
make() {
    printf 'Name: %s\\nVersion: %s\\nRelease: 1\\nSummary: t\\nLicense: t\\nBuildArch: noarch\\n' \"$1\" \"$2\" >$1.spec
    printf '%b\\n%%description\\nt\\n%%files\\n' \"$3\" >>$1.spec
    rpmbuild --quiet -bb --define '_rpmdir /repository' $1.spec
}
wait='>/waits; n=0; until [ -e /go ] || [ $n -gt 300 ]; do n=$((n + 1)); sleep 0.1; done'
make sun 1 && make sun 2 && make star 1 'Provides: light' && make moon 1 'Requires: shell' || exit
make shell 1 'Provides: /bin/sh' && make lonely 1 'Requires: nobody' && make eclipse 1 'Conflicts: moon' || exit
make bad 1 '%pre\\nexit 3' && make slow 1 \"%pre\\n$wait\" || exit
createrepo_c -q /repository && mkdir -p /etc/yum.repos.d || exit
printf '[here]\\nname=here\\nbaseurl=file:///repository\\ngpgcheck=0\\n' >/etc/yum.repos.d/here.repo";

/// A Debian that has dnf and these packages, and no network.
fn node() -> Option<Node> {
    let mut node = Node::new()?;
    if !node.start(CT, Tree::Managers, Network::Own) {
        return None;
    }
    let done = node.shell(CT, REPOSITORY);
    assert_eq!(done.code, Some(0), "{done:?}");
    Some(node)
}

fn dnf(node: &Node, items: &[&str]) -> Done {
    packages(node, "dnf", &format!("{}\n", items.join("\n")))
}

/// What was asked of dnf, one transaction each, the latest first. `dnf history` cuts it off to fit into its columns.
fn transactions(node: &Node) -> Vec<String> {
    let ask = "import sqlite3\nfor one in sqlite3.connect('/var/lib/dnf/history.sqlite').execute(\
               'select cmdline from trans order by id desc'): print(*one)";
    let list = node.shell(CT, &format!("python3 -c \"{ask}\"")).log();
    list.lines().map(ToOwned::to_owned).collect()
}

fn version(node: &Node, name: &str) -> String {
    node.shell(CT, &format!("rpm -q --qf '%{{version}}' {name}")).log()
}

#[test]
fn dnf_installs_what_is_missing_once() {
    let Some(node) = node() else { return };
    let done = dnf(&node, &["sun-1", "moon", "star"]);
    let wanted = ["progress 0/3 packages", "detail 3 packages: 3 installed"];
    assert_eq!((done.code, done.reports().as_slice()), (Some(0), &wanted.map(String::from)[..]), "{done:?}");
    assert!(done.log().contains("Complete!"), "{done:?}");
    assert_eq!(version(&node, "sun"), "1", "there is a newer one, which was not wished");
    assert_eq!(version(&node, "shell"), "1", "moon needs it");
    assert_eq!(transactions(&node), ["install -y -- sun-1 moon star"]);

    for same in ["sun", "sun-1", "sun-1-1", "sun-0:1-1", "sun.noarch", "sun-1-1.noarch", "light"] {
        let done = dnf(&node, &[same]);
        assert_eq!(done.reports(), ["detail 1 package: 1 there already"], "{same}: {done:?}");
        assert_eq!(done.log(), "", "nothing was asked of dnf");
    }
    let done = dnf(&node, &["star", "sun-2", "moon"]);
    let wanted = ["progress 2/3 packages", "detail 3 packages: 1 installed, 2 there already"];
    assert_eq!((done.code, done.reports().as_slice()), (Some(0), &wanted.map(String::from)[..]), "{done:?}");
    assert_eq!(version(&node, "sun"), "2");
    // The version that is said, also where that is an older one.
    assert_eq!(dnf(&node, &["sun-1"]).code, Some(0));
    assert_eq!(version(&node, "sun"), "1");
    assert_eq!(transactions(&node)[..2], ["install -y -- sun-1", "install -y -- sun-2"]);
}

#[test]
fn what_dnf_refuses_is_said_with_its_name() {
    let Some(node) = node() else { return };
    assert_eq!(dnf(&node, &["moon"]).code, Some(0));
    for (items, why) in [
        (&["star", "nosuch"][..], "Error: Unable to find a match: nosuch"),
        (&["sun-9"], "Error: Unable to find a match: sun-9"),
        (&["@nosuch"], "Module or Group 'nosuch' is not available."),
        (
            &["star", "lonely"],
            "Error: Problem: conflicting requests - nothing provides nobody needed by lonely-1-1.noarch",
        ),
        (
            &["eclipse"],
            "Error: Problem: problem with installed package moon-1-1.noarch - package eclipse-1-1.noarch \
             conflicts with moon provided by moon-1-1.noarch - conflicting requests",
        ),
        (&["bad"], "error: %prein(bad-1-1.noarch) scriptlet failed, exit status 3"),
    ] {
        let done = dnf(&node, items);
        let last = done.reports().pop().unwrap();
        assert_eq!((done.code, last), (Some(1), format!("fault dnf: {why}")), "{done:?}");
    }
    assert!(version(&node, "star").contains("not installed"), "all or nothing");
}

/// Holds rpm's own lock, as one does who installs with rpm alone, until there is a file /free, or a minute.
const HOLD: &str = "perl -e 'use Fcntl; open(F, \">\", \"/var/lib/rpm/.rpm.lock\"); \
    $l = pack(\"s s x4 l! l! i x4\", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $l) or die; open(G, \">\", \"/held\"); close(G); \
    for (1 .. 60) { last if -e \"/free\"; sleep 1 }'";

fn wait_for(node: &Node, file: &str) {
    until(file, || {
        let there = node.files(CT).join(file).exists();
        if there { Ok(()) } else { Err("it is not there".to_owned()) }
    });
}

/// Until a job that runs says in its log that it waits for this.
fn waits_for(node: &Node, lock: &str) {
    let said = format!("grep -q 'waiting for another process that holds {lock}' /run/lxcd.*/output");
    until("a job to wait", || {
        let done = node.shell(CT, &said);
        if done.code == Some(0) { Ok(()) } else { Err(format!("{done:?}")) }
    });
}

/// One that waits for a lock no longer than a second.
fn in_a_hurry(node: &Node, items: &str) -> Done {
    let job = Job::new(PACKAGES).set("MANAGER", "dnf").set("LXCD_LOCK_TIMEOUT", "1");
    job.file("items", items).run(node)
}

fn impatient(node: &Node, lock: &str) {
    let done = in_a_hurry(node, "star\n");
    let why = format!("fault dnf: another process holds {lock} for more than 1s");
    assert_eq!((done.code, done.reports().pop()), (Some(75), Some(why)), "{done:?}");
}

/// Takes away what these say to each other.
fn forget(node: &Node) {
    assert_eq!(node.shell(CT, "rm -f /held /free /begun").code, Some(0));
}

#[test]
fn dnf_waits_for_another_one() {
    let Some(node) = node() else { return };
    let lock = "/var/lib/dnf/rpmdb_lock.pid";
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| dnf(&node, &["slow"]));
        wait_for(&node, "waits");
        impatient(&node, lock);
        let patient = scope.spawn(|| dnf(&node, &["star"]));
        waits_for(&node, lock);
        fs::write(node.files(CT).join("go"), "").unwrap();
        for done in [holder.join().unwrap(), patient.join().unwrap()] {
            assert_eq!(done.code, Some(0), "{done:?}");
        }
    });
}

#[test]
fn dnf_waits_for_who_works_on_rpms_database() {
    let Some(node) = node() else { return };
    // There once rpm has installed anything, as in every image that has dnf.
    assert_eq!(dnf(&node, &["sun"]).code, Some(0));
    let lock = "/var/lib/rpm/.rpm.lock";
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| node.shell(CT, HOLD));
        wait_for(&node, "held");
        impatient(&node, lock);
        fs::write(node.files(CT).join("free"), "").unwrap();
        assert_eq!(holder.join().unwrap().code, Some(0));
    });
    forget(&node);
    // Who comes while dnf is at work already makes it fail. The real one, kept waiting until somebody has come.
    let late = "printf '#!/bin/sh\\n>/begun; until [ -e /held ]; do sleep 0.1; done; exec /usr/bin/dnf \"$@\"\\n' \
                >/usr/local/bin/dnf && chmod 755 /usr/local/bin/dnf";
    assert_eq!(node.shell(CT, late).code, Some(0));
    std::thread::scope(|scope| {
        // What is told is what was waited for, not what dnf said when it failed.
        let hurried = scope.spawn(|| impatient(&node, lock));
        wait_for(&node, "begun");
        let holder = scope.spawn(|| node.shell(CT, HOLD));
        hurried.join().unwrap();
        fs::write(node.files(CT).join("free"), "").unwrap();
        assert_eq!(holder.join().unwrap().code, Some(0));
    });
    forget(&node);
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| dnf(&node, &["star"]));
        wait_for(&node, "begun");
        let holder = scope.spawn(|| node.shell(CT, HOLD));
        waits_for(&node, lock);
        fs::write(node.files(CT).join("free"), "").unwrap();
        let done = patient.join().unwrap();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.log().contains("can't create transaction lock"), "{done:?}");
        assert_eq!(holder.join().unwrap().code, Some(0));
    });
    assert_eq!(version(&node, "star"), "1");
}

#[test]
fn an_installation_by_dnf_that_was_interrupted_is_made_again() {
    let Some(node) = node() else { return };
    std::thread::scope(|scope| {
        let running = scope.spawn(|| dnf(&node, &["star", "slow"]));
        wait_for(&node, "waits");
        // All but the first process, as when the container is stopped by force.
        assert_eq!(node.shell(CT, "kill -KILL -1").code, Some(0));
        assert_eq!(running.join().unwrap().reports(), ["progress 0/2 packages"]);
    });
    assert!(version(&node, "slow").contains("not installed"));
    fs::write(node.files(CT).join("go"), "").unwrap();
    // The lock with the number of one that is gone is nobody's.
    assert!(node.files(CT).join("var/lib/dnf/rpmdb_lock.pid").exists());
    let done = in_a_hurry(&node, "star\nslow\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!([version(&node, "star"), version(&node, "slow")], ["1", "1"]);
}

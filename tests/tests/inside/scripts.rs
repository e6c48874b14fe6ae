//! `script.sh`, `custom.sh` and the functions of `prelude.sh`.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree};

use crate::job::{CT, Job};

const SCRIPT: &str = include_str!("../../../core/src/provision/inside/script.sh");
const CUSTOM: &str = include_str!("../../../core/src/provision/inside/custom.sh");

fn job(text: &str) -> Job {
    Job::new(SCRIPT).set("SCRIPT_NAME", "20-app.sh").file("script", text)
}

fn script(node: &Node, text: &str) -> Done {
    job(text).run(node)
}

fn everywhere(test: fn(&Node, Tree)) {
    let Some(mut node) = Node::new() else { return };
    for tree in [Tree::Debian, Tree::Busybox] {
        if node.start(CT, tree, Network::Own) {
            test(&node, tree);
            node.stop(CT);
            fs::remove_dir_all(node.container(CT).join("upper")).unwrap();
        }
    }
}

#[test]
fn exit_codes_and_interpreters() {
    everywhere(|node, tree| {
        for (text, code, out) in [
            ("echo plain; exit 3", 3, "plain"),
            ("#!/bin/sh\nlog a b; false", 1, "a b"),
            ("#! /bin/sh -eu\nfalse\necho not here", 1, ""),
            ("#!/usr/bin/env sh\nlog \"$0\" | sed 's,.*/,,'", 0, "20-app.sh"),
            ("#!/bin/sh\nset -eu\nlog \"$#\"; kill -9 $$", 137, "0"),
            ("#!/bin/cat\nitself", 0, "#!/bin/cat\nitself"),
            // The rest of the line is one argument, as the kernel gives it.
            ("#!/bin/sed -n -e 2p\nonce", 1, ""),
        ] {
            let done = script(node, text);
            assert_eq!((done.code, done.log().as_str()), (Some(code), out), "{text}: {done:?}");
        }
        for (first, what) in [("/usr/bin/python3", "/usr/bin/python3"), ("/usr/bin/env node", "node")] {
            let done = script(node, &format!("#!{first}\nprint('x')\n"));
            let why = format!("20-app.sh needs {what}, which is not in this image");
            assert_eq!((done.code, done.reports()), (Some(127), vec![format!("fault {why}")]), "{done:?}");
        }
        let bash = "#!/usr/bin/env bash\nset -euo pipefail\na=(1 2 3)\nlog \"${#a[@]}\" \"$(random_password | wc -c)\"";
        let done = script(node, bash);
        match tree {
            Tree::Debian | Tree::Managers => {
                assert_eq!((done.code, done.log().as_str()), (Some(0), "3 33"), "{done:?}")
            }
            Tree::Busybox => assert_eq!(done.code, Some(127)),
        }
    });
}

#[test]
fn windows_line_ends_questions_noise_and_daemons() {
    everywhere(|node, _| {
        let done = script(node, "\u{feff}#!/bin/sh\r\nif true; then\r\n  log one\r\nfi\r\n");
        let log = "20-app.sh has Windows line ends; they are taken out\none";
        assert_eq!((done.code, done.log().as_str()), (Some(0), log), "{done:?}");
        let done = script(node, "printf 'sure? '; read -r answer; echo \"answer '${answer:-}', $?\"");
        assert_eq!(done.log(), "sure? answer '', 1");
        // The job ends though what it left behind holds its output.
        let done = script(node, "sleep 999 &\n(sleep 999; echo late) &\necho up");
        assert_eq!((done.code, done.log().as_str()), (Some(0), "up"));
        let done = script(node, "head -c 3000000 /dev/urandom; exit 4");
        assert_eq!((done.code, done.stdout.len()), (Some(4), 3_000_000));
        let done = job("echo a; sleep 999; echo b").set("SCRIPT_TIMEOUT", "1").run(node);
        assert_eq!((done.code, done.log().as_str()), (Some(124), "a"));
        assert_eq!(done.reports(), ["fault 20-app.sh took longer than 1s and was ended"]);
        let done = job("exit 124").set("SCRIPT_TIMEOUT", "60").run(node);
        assert_eq!((done.code, done.reports()), (Some(124), vec![]), "its own exit code");
        let stubborn = "trap '' TERM; (while :; do sleep 1000; done) & while :; do sleep 1000; done";
        assert_eq!(job(stubborn).set("SCRIPT_TIMEOUT", "1").run(node).code, Some(124));
        let left = node.shell(CT, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").log();
        assert!(!left.contains("sleep 1000 "), "{left}");
        let done = job("trap '' TERM; echo a; exit 9").set("SCRIPT_TIMEOUT", "60").run(node);
        assert_eq!((done.code, done.log().as_str()), (Some(9), "a"));
    });
}

#[test]
fn credentials_are_kept_and_never_shown() {
    everywhere(|node, _| {
        let text = "set -eu\nsave_credential app USER dev\nsave_credential app PASSWORD \"it's = \\$x\"\n\
                    save_credential app USER root\nsave_credential web-1 TOKEN ''\n\
                    for bad in ../x .x '' 'a b'; do save_credential \"$bad\" K v && exit 1; done\n\
                    save_credential app 'a b' v || echo $?\nsave_credential app K 'one\ntwo' || echo $?\n";
        let done = script(node, text);
        assert_eq!((done.code, done.log().as_str()), (Some(0), "64\n64"), "{done:?}");
        assert!(!done.stderr.contains("it's") && !done.stderr.contains("two"), "{done:?}");
        let store = node.files(CT).join("etc/lxcd/credentials");
        assert_eq!(fs::read_to_string(store.join("app")).unwrap(), "PASSWORD=it's = $x\nUSER=root\n");
        assert_eq!(fs::read_to_string(store.join("web-1")).unwrap(), "TOKEN=\n");
        assert_eq!(fs::read_dir(&store).unwrap().count(), 2);
        assert_eq!(fs::metadata(&store).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(store.join("app")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(store.join("..")).unwrap().mode() & 0o777, 0o755);
    });
}

#[test]
fn other_users_and_passwords() {
    everywhere(|node, tree| {
        let user = if tree == Tree::Debian { "games" } else { "app" };
        let text = format!(
            "run_as {user} sh -c 'id -un; echo \"$HOME\"; for a; do echo \"<$a>\"; done; exit 5' x 'a b' '$HOME' -c \
             || echo $?\nrun_as nosuch true || echo $?\nrun_as {user} || echo $?\nid -un"
        );
        let home = if tree == Tree::Debian { "/usr/games" } else { "/srv" };
        let wanted = format!("{user}\n{home}\n<a b>\n<$HOME>\n<-c>\n5\n67\n64\nroot");
        let done = script(node, &text);
        assert_eq!(done.log(), wanted, "{done:?}");
        if tree == Tree::Debian {
            // What there is instead when runuser is not, and when su is not either.
            for gone in ["usr/sbin/runuser", "usr/bin/su"] {
                let usr = node.files(CT).join(gone);
                if usr.exists() {
                    fs::remove_file(usr).unwrap();
                } else {
                    fs::remove_file(node.files(CT).join(gone.trim_start_matches("usr/"))).unwrap();
                }
                let done = script(node, &text);
                assert_eq!(done.log(), wanted, "without {gone}: {done:?}");
            }
        }
        let done = script(
            node,
            "random_password; random_password 8; random_password 0 || echo $?; random_password 1024 | wc -c",
        );
        let log = done.log();
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!([lines[0].len(), lines[1].len()], [32, 8], "{log}");
        assert_eq!([lines[2], lines[3].trim()], ["64", "1025"]);
        assert!(lines[0].bytes().all(|byte| byte.is_ascii_alphanumeric()) && lines[0] != lines[1]);
    });
}

#[test]
fn what_one_installs_oneself() {
    everywhere(|node, _| {
        let custom = |items: &str| Job::new(CUSTOM).file("items", items).run(node);
        let items = "tool|test -e /opt/tool|mkdir -p /opt; printf 'a\\n' \\| tr a b >/opt/tool|60\n\
                     always||log 'with $(no) quotes'|\nthere|true|exit 1|5\n";
        let done = custom(items);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(
            done.reports(),
            ["progress 1/3 tool", "progress 2/3 always", "detail 3 packages: 2 installed, 1 there already"]
        );
        assert_eq!(fs::read_to_string(node.files(CT).join("opt/tool")).unwrap(), "b\n");
        assert_eq!(
            custom(items).reports().last().unwrap(),
            "detail 3 packages: 1 installed, 2 there already"
        );
        for (line, code, why) in [
            ("bad|false|exit 6|", 6, "bad was not installed: exit code 6"),
            ("sly|false|true|", 70, "sly is not there though its installation succeeded: its check fails"),
            ("slow||sleep 999|1", 124, "slow took longer than 1s and was ended"),
            ("gone||exit 124|", 124, "gone was not installed: exit code 124"),
            ("soon||exit 124|60", 124, "soon was not installed: exit code 124"),
            ("asks||read -r x|", 1, "asks was not installed: exit code 1"),
        ] {
            let done = custom(&format!("{line}\nnext||touch /next|\n"));
            let last = done.reports().pop().unwrap();
            assert_eq!((done.code, last), (Some(code), format!("fault {why}")), "{done:?}");
            assert!(!node.files(CT).join("next").exists());
        }
    });
}

#[test]
fn the_functions_work_where_sh_is_bash() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let link = node.files(CT).join("bin/sh");
    fs::remove_file(&link).unwrap();
    symlink("bash", link).unwrap();
    let text =
        "#!/bin/sh -eu\nsave_credential a K v\nrun_as games true\nlog \"$(random_password 9)\" | wc -c";
    let done = job(text).set("SCRIPT_TIMEOUT", "60").run(&node);
    assert_eq!((done.code, done.log().as_str()), (Some(0), "10"), "{done:?}");
}

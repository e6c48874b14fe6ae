//! `enter.sh`: environment, archive, staging directory, exit codes.

use std::fs;
use std::os::unix::fs::symlink;

use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, ENTER, Job, PRELUDE, end};

const SCRIPT: &str = include_str!("../../../core/src/provision/inside/script.sh");
const CUSTOM: &str = include_str!("../../../core/src/provision/inside/custom.sh");
/// How long the runner on the node waits for a job that it ends, seconds (lxcd/src/ssh/scripts/run.pl).
const RUNNER: u32 = 10;
const BOTH: [Tree; 2] = [Tree::Debian, Tree::Busybox];

#[test]
fn variables_are_data_and_the_environment_is_ours() {
    let Some(mut node) = Node::new() else { return };
    for tree in BOTH {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        let odd = "a b'c\"d$(touch /hacked)`id`;\n\\ é";
        let main = "printf '%s' \"$ODD\" >/odd; printf '%s|' \"$HOME\" \"$LANG\" \"$TERM\" \"$PATH\" \
                    \"$DEBIAN_FRONTEND\" \"${LEAK:-none}\"; pwd; ls -ld \"$LXCD_DIR\"; cat; tty; exit 7";
        let mut job = Job::new(main).set("ODD", odd).set("LXCD_DIR", "/elsewhere");
        let done = job.run(&node);
        assert_eq!(done.code, Some(7), "{done:?}");
        assert_eq!(fs::read_to_string(node.files(CT).join("odd")).unwrap(), odd);
        assert!(!node.files(CT).join("hacked").exists());
        let text = done.log();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert!(
            text.starts_with(&format!("/root|C.UTF-8|dumb|{path}|noninteractive|none|/root\n")),
            "{text}"
        );
        assert!(
            text.contains("drwx------") && text.contains("/run/lxcd.") && text.contains("not a tty"),
            "{text}"
        );
        for wrong in ["1A=x", "A-B=x", "=x", "A"] {
            job = Job::new("true");
            let (name, value) = wrong.split_once('=').unwrap_or((wrong, ""));
            let done = if wrong == "A" { job.bare("A") } else { job.set(name, value) }.run(&node);
            assert_eq!(done.code, Some(64), "{wrong} {done:?}");
        }
        // Nothing stays behind.
        assert_eq!(node.shell(CT, "ls -A /run | grep -c lxcd").log(), "0");
        node.stop(CT);
    }
}

#[test]
fn an_archive_that_was_cut_or_is_none_is_refused() {
    let Some(mut node) = Node::new() else { return };
    for tree in BOTH {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        let job = Job::new("touch /ran").file("files/1", vec![b'x'; 4000]);
        let whole = job.archive();
        let mut noise = vec![0xaa_u8; 8192];
        noise.extend([0; 1024]);
        // At the end of a file, inside one, and without anything.
        for bytes in [&whole[..whole.len() - 1024], &whole[..2000], &whole[..0], &noise] {
            let done = job.run_with(&node, bytes);
            assert_eq!(done.code, Some(65), "{} bytes: {done:?}", bytes.len());
            assert!(done.reports()[0].starts_with("fault the archive "), "{done:?}");
        }
        assert!(!node.files(CT).join("ran").exists());
        // A shell of busybox has its tar built in.
        if tree == Tree::Debian {
            fs::remove_file(node.files(CT).join("bin/tar")).unwrap();
            let done = job.run(&node);
            assert_eq!((done.code, done.stderr.as_str()), (Some(69), "lxcd: tar is not in this image\n"));
        }
        node.stop(CT);
        let upper = node.container(CT).join("upper");
        fs::remove_dir_all(upper).unwrap();
    }
}

#[test]
fn a_job_that_is_ended_takes_its_children_along() {
    let Some(mut node) = Node::new() else { return };
    for tree in BOTH {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        let simple = "echo >/main; sh -c 'sleep 1000; touch /later'; touch /later";
        // Neither the job nor what it started listens.
        let stubborn = "trap '' TERM; sh -c 'while :; do sleep 1000; done' & echo >/main; \
                        while :; do sleep 1000; done";
        // One with a limit of its own runs in a session of its own.
        let limited = ". $LXCD_DIR/prelude.sh; \
                       lxcd_limited 900 sh -c 'trap \"\" TERM; echo >/main; while :; do sleep 1000; done'";
        let custom = Job::new(CUSTOM)
            .file("items", "own|| trap '' TERM; echo >/main; while :; do sleep 1000; done|\n");
        for job in [Job::new(simple), Job::new(stubborn), Job::new(limited), custom] {
            let files = node.files(CT);
            let _ = fs::remove_file(files.join("main"));
            std::thread::scope(|scope| {
                let running = scope.spawn(|| job.run(&node));
                until("the job", || {
                    files.join("main").exists().then_some(()).ok_or_else(|| "it has not begun".to_owned())
                });
                end(&node);
                assert_eq!(running.join().unwrap().code, Some(143));
            });
            until("its children to end", || {
                let left = node.shell(CT, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").log();
                if left.contains("sleep 1000 ") { Err(left) } else { Ok(()) }
            });
            assert!(!files.join("later").exists());
            assert_eq!(node.shell(CT, "ls -A /run | grep -c lxcd").log(), "0");
        }
        node.stop(CT);
        fs::remove_dir_all(node.container(CT).join("upper")).unwrap();
    }
}

#[test]
fn a_job_is_gone_before_the_node_gives_it_up() {
    // Each one that waits does so for longer than those that it started.
    let seconds = |script: &str| {
        let (_, rest) = script.split_once("lxcd_until=$(($(date +%s) + ").unwrap();
        rest.split_once(')').unwrap().0.parse::<u32>().unwrap()
    };
    let (limited, enter) = (seconds(PRELUDE), seconds(ENTER));
    // Where sleep knows whole seconds only, one more passes.
    assert!(limited + 1 < enter && enter + 1 < RUNNER, "{limited} {enter} {RUNNER}");
}

#[test]
fn no_signal_is_ignored_by_what_a_job_starts() {
    let Some(mut node) = Node::new() else { return };
    for (tree, bash) in [(Tree::Debian, false), (Tree::Debian, true), (Tree::Busybox, false)] {
        if !node.start(CT, tree, Network::Own) {
            continue;
        }
        if bash {
            let link = node.files(CT).join("bin/sh");
            fs::remove_file(&link).unwrap();
            symlink("bash", link).unwrap();
        }
        // Not within sh -c of its own, where busybox ignores SIGQUIT in the last command.
        let show = "grep SigIgn /proc/self/status";
        let limited = format!(". $LXCD_DIR/prelude.sh; lxcd_limited 60 {show}");
        let script = |seconds| {
            Job::new(SCRIPT).set("SCRIPT_NAME", "1-a.sh").set("SCRIPT_TIMEOUT", seconds).file("script", show)
        };
        let custom = Job::new(CUSTOM).file("items", format!("own||{show}|60\n"));
        for job in [Job::new(show), Job::new(&limited), script("0"), script("60"), custom] {
            let done = job.run(&node);
            let log = done.log();
            let ignored = u64::from_str_radix(log.trim_start_matches("SigIgn:").trim(), 16).unwrap();
            // SIGINT and SIGQUIT; what else this test may have come with is its own.
            assert_eq!((done.code, ignored & 0b110), (Some(0), 0), "{done:?}");
        }
        node.stop(CT);
        fs::remove_dir_all(node.container(CT).join("upper")).unwrap();
    }
}

#[test]
fn where_run_is_still_to_be_mounted_nothing_is_put_there() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let init = node.files(CT).join("sbin/init");
    fs::create_dir_all(node.files(CT).join("usr/lib/systemd")).unwrap();
    fs::write(node.files(CT).join("usr/lib/systemd/systemd"), "").unwrap();
    symlink("../lib/systemd/systemd", &init).unwrap();
    let place = || Job::new("echo $LXCD_DIR").run(&node).log();
    assert!(place().starts_with("/var/tmp/lxcd."), "{}", place());
    assert_eq!(node.shell(CT, "mount -t tmpfs tmpfs /run").code, Some(0));
    assert!(place().starts_with("/run/lxcd."), "{}", place());
    assert_eq!(node.shell(CT, "ls -A /run /var/tmp | grep -c lxcd.").log(), "0");
}

#[test]
fn without_run_the_next_best_place_is_taken() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Busybox, Network::Own) {
        return;
    }
    fs::remove_dir(node.files(CT).join("run")).unwrap();
    let done = Job::new("echo $LXCD_DIR >/where; sleep 0").run(&node);
    assert_eq!(done.code, Some(0), "{done:?}");
    let place = fs::read_to_string(node.files(CT).join("where")).unwrap();
    assert!(place.starts_with("/var/tmp/lxcd."), "{place}");
}

//! `files.sh`: policies, modes, owners, odd names, targets that cannot be.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree};
use sha2::{Digest, Sha256};

use crate::job::{CT, Job};

const FILES: &str = include_str!("../../../core/src/provision/inside/files.sh");

/// Policy, mode, directory, name, content.
type File<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn deploy(node: &Node, files: &[File<'_>]) -> Done {
    let mut manifest = String::new();
    let mut job = Job::new(FILES);
    for (at, (policy, mode, directory, name, content)) in files.iter().enumerate() {
        let sum = hex::encode(Sha256::digest(content));
        let _ = writeln!(manifest, "{at}\t{policy}\t{mode}\t{sum}\t{directory}\t{name}");
        job = job.file(&format!("files/{at}"), *content);
    }
    job.file("manifest", manifest).run(node)
}

/// Runs in both trees, in Debian's with bash as sh too.
fn everywhere(test: fn(&mut Node)) {
    let Some(mut node) = Node::new() else { return };
    for (vmid, tree, bash) in
        [(CT, Tree::Debian, false), (CT, Tree::Debian, true), (CT, Tree::Busybox, false)]
    {
        if !node.start(vmid, tree, Network::Own) {
            continue;
        }
        if bash {
            let link = node.files(CT).join("bin/sh");
            fs::remove_file(&link).unwrap();
            symlink("bash", link).unwrap();
        }
        test(&mut node);
        node.stop(vmid);
        fs::remove_dir_all(node.container(vmid).join("upper")).unwrap();
    }
}

#[test]
fn every_policy_once_and_again() {
    everywhere(|node| {
        let root = node.files(CT);
        fs::create_dir_all(root.join("opt/app")).unwrap();
        chown(root.join("opt/app"), Some(1000), Some(1000)).unwrap();
        for (name, text) in [("kept.conf", "theirs"), ("old.conf", "old"), ("same.conf", "same")] {
            fs::write(root.join("opt/app").join(name), text).unwrap();
        }
        chown(root.join("opt/app/old.conf"), Some(7), Some(8)).unwrap();
        for (name, mode) in [("same.conf", 0o600), ("old.conf", 0o640)] {
            fs::set_permissions(root.join("opt/app").join(name), PermissionsExt::from_mode(mode)).unwrap();
        }
        let before = fs::metadata(root.join("opt/app/same.conf")).unwrap();
        let files = [
            ("replace", "0644", "/opt/app", "new.conf", "new"),
            ("default", "0644", "/opt/app", "kept.conf", "ours"),
            ("backup", "0644", "/opt/app", "old.conf", "newer"),
            ("replace", "0755", "/opt/app", "same.conf", "same"),
            ("default", "0755", "/srv/a/b", "run", "#!/bin/sh\n"),
            ("replace", "0644", "/", "top", ""),
        ];
        let done = deploy(node, &files);
        assert_eq!(done.code, Some(0), "{done:?}");
        let report = "detail 6 files: 4 written, 1 kept, 1 unchanged, 1 backed up";
        assert_eq!(done.reports(), [report], "{done:?}");
        assert_eq!(done.log().lines().count(), 6, "{}", done.log());

        let see = |name: &str| {
            let file = fs::metadata(root.join(name)).unwrap();
            (file.mode() & 0o7777, file.uid(), file.gid(), fs::read_to_string(root.join(name)).unwrap())
        };
        assert_eq!(see("opt/app/new.conf"), (0o644, 1000, 1000, "new".to_owned()));
        assert_eq!(see("opt/app/kept.conf").3, "theirs");
        assert_eq!(see("opt/app/old.conf"), (0o640, 7, 8, "newer".to_owned()));
        assert_eq!(see("srv/a/b/run").0, 0o755);
        assert_eq!(fs::metadata(root.join("srv/a/b")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(see("top"), (0o644, 0, 0, String::new()));
        let same = fs::metadata(root.join("opt/app/same.conf")).unwrap();
        assert_eq!((same.ino(), same.mtime_nsec()), (before.ino(), before.mtime_nsec()));
        assert_eq!((same.mode() & 0o777, same.ctime_nsec()), (0o600, before.ctime_nsec()));
        let names = || {
            let entries = fs::read_dir(root.join("opt/app")).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let aside = names().into_iter().find(|name| name.starts_with("old.conf.lxcd-")).unwrap();
        assert_eq!(aside.len(), "old.conf.lxcd-20260102030405".len());
        assert_eq!(see(&format!("opt/app/{aside}")).3, "old");
        assert_eq!(names().len(), 5, "{:?}", names());

        let again = deploy(node, &files);
        assert_eq!(again.reports(), ["detail 6 files: 2 kept, 4 unchanged"], "{again:?}");
        assert_eq!(names().len(), 5);
    });
}

#[test]
fn one_that_is_there_keeps_its_mode() {
    everywhere(|node| {
        let root = node.files(CT);
        for policy in ["replace", "backup"] {
            for (before, wanted, after) in [
                (0o600, "0644", 0o600),
                (0o640, "0644", 0o640),
                (0o666, "0644", 0o666),
                (0o755, "0644", 0o755),
                (0o400, "0755", 0o500),
                (0o640, "0755", 0o750),
                (0o4711, "0644", 0o711),
            ] {
                let path = root.join("srv/secret");
                fs::write(&path, "old").unwrap();
                fs::set_permissions(&path, PermissionsExt::from_mode(before)).unwrap();
                for word in ["written", "unchanged"] {
                    let done = deploy(node, &[(policy, wanted, "/srv", "secret", "new")]);
                    assert!(done.reports()[0].contains(word), "{done:?}");
                    let mode = fs::metadata(&path).unwrap().mode() & 0o7777;
                    assert_eq!(mode, after, "{policy} {before:o} {wanted}: {mode:o}");
                }
            }
        }
    });
}

#[test]
fn odd_names_are_names() {
    everywhere(|node| {
        let root = node.files(CT);
        let names = ["; rm -rf ", "$(touch hacked)", "a b  c", "-rf", "é\\n'\"", ".hidden", "*", "end "];
        let files: Vec<File<'_>> =
            names.iter().map(|name| ("replace", "0600", "/srv/odd dir/$HOME", *name, *name)).collect();
        for wanted in ["detail 8 files: 8 written", "detail 8 files: 8 unchanged"] {
            let done = deploy(node, &files);
            assert_eq!((done.code, done.reports()), (Some(0), vec![wanted.to_owned()]), "{done:?}");
        }
        for name in names {
            assert_eq!(fs::read_to_string(root.join("srv/odd dir/$HOME").join(name)).unwrap(), name);
        }
        let one = deploy(node, &[("backup", "0600", "/srv/odd dir/$HOME", "*", "2")]);
        assert_eq!(one.reports(), ["detail 1 file: 1 written, 1 backed up"], "{one:?}");
        assert!(root.join("etc/passwd").exists());
    });
}

#[test]
fn what_cannot_be_a_file_is_said() {
    everywhere(|node| {
        let root = node.files(CT);
        for name in ["dir", "file", "link-to", "nowhere", "pipe", "outside"] {
            let _ = fs::remove_file(root.join("srv").join(name));
        }
        fs::create_dir_all(root.join("srv/dir")).unwrap();
        fs::write(root.join("srv/file"), "x").unwrap();
        symlink("/missing/at/all", root.join("srv/nowhere")).unwrap();
        assert_eq!(node.shell(CT, "mkfifo /srv/pipe").code, Some(0));
        for (directory, name, why) in [
            ("/srv", "dir", "/srv/dir is a directory, not a file"),
            ("/srv", "nowhere", "/srv/nowhere is a symbolic link to nowhere"),
            ("/srv", "pipe", "/srv/pipe is no plain file"),
            ("/srv/file", "x", "the directory /srv/file of x cannot be made"),
        ] {
            for policy in ["replace", "default", "backup"] {
                let done = deploy(node, &[(policy, "0644", directory, name, "text")]);
                assert_eq!(done.code, Some(73), "{done:?}");
                assert_eq!(done.reports(), [format!("fault {why}")]);
                assert!(done.stderr.ends_with(&format!("{why}\n")), "{done:?}");
            }
        }
        // A link is replaced and what it points to stays as it is.
        fs::write(root.join("srv/outside"), "theirs").unwrap();
        for policy in ["replace", "backup"] {
            let _ = fs::remove_file(root.join("srv/link-to"));
            symlink("outside", root.join("srv/link-to")).unwrap();
            let done = deploy(node, &[(policy, "0644", "/srv", "link-to", "theirs")]);
            assert_eq!(done.code, Some(0), "{done:?}");
            assert!(fs::symlink_metadata(root.join("srv/link-to")).unwrap().is_file());
            assert_eq!(fs::read_to_string(root.join("srv/outside")).unwrap(), "theirs");
        }
        // What arrived broken never gets its name.
        let wrong = Job::new(FILES)
            .file("files/0", "text")
            .file("manifest", format!("0\treplace\t0644\t{}\t/srv\tb\n", "0".repeat(64)));
        let done = wrong.run(node);
        assert_eq!(
            (done.code, done.reports()),
            (Some(65), vec!["fault /srv/b did not arrive whole".to_owned()])
        );
        let left = node.shell(CT, "ls -A /srv").log();
        assert!(!left.contains(".lxcd.") && !left.lines().any(|name| name == "b"), "{left}");
    });
}

//! Templates from directories into lxcd and back, through the real programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use lxc_tests::harness::{Setup, Terminal, World};

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn world() -> World {
    Setup::default().unregistered().start()
}

/// A directory of a test's own, with these files in it.
fn directory(world: &World, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let root = world.path().join(name);
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }
    root
}

/// Every file below a directory: its bytes, and whether it may be executed.
fn files(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, bool)> {
    fn below(directory: &Path, root: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, bool)>) {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                below(&path, root, found);
                continue;
            }
            let executable = fs::metadata(&path).expect("there").permissions().mode() & 0o100 != 0;
            let name = path.strip_prefix(root).expect("below").to_owned();
            found.insert(name, (fs::read(&path).expect("readable"), executable));
        }
    }
    let mut found = BTreeMap::new();
    below(root, root, &mut found);
    found
}

const CONF: (&str, &[u8]) = ("template.conf", b"TEMPLATE_OS=debian\n");

#[test]
fn a_tree_is_imported_listed_shown_exported_and_imported_again() {
    let mut world = world();
    world.ctl("template ls").exits(0).says("No template is known here yet:  lxcctl template import DIR");
    let tree = ours();
    let import = format!("template import {}", tree.display());
    let run = world.ctl(&format!("{import} --dry-run"));
    run.exits(0).prints("would create  3 scripts, 2 files, 5 packages").says("dry run: nothing was changed");
    world.ctl("template ls -o name").exits(0);
    assert_eq!(world.ctl("template ls -o name").out, "", "a dry run leaves nothing");
    world.ctl(&import).exits(0).prints("✓ web-node  created").says("3 templates: 3 created");
    let again = world.ctl(&import);
    again.exits(0).prints("· web-node  unchanged").says("3 templates: 3 unchanged");
    world.ctl("template").exits(0).prints("dns").prints("debian 13").prints("web;node");
    assert_eq!(world.ctl("template ls -l tag=web,os=debian -o name").out, "web-node\n");
    world.ctl("template ls -l os=fedora").exits(0).says("No template matches os=fedora.");
    world.ctl("template ls -l node=pve1").fails("LXC0203").says("keys: name tag os");
    let shown = world.ctl("template show web-node -o json").exits(0).json();
    let numbers: Vec<_> =
        shown["scripts"].as_array().expect("scripts").iter().map(|one| one["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(10), Some(20), Some(100)], "by number");
    assert_eq!((shown["memory_bytes"].as_u64(), shown["revision"].as_u64()), (Some(2 << 30), Some(1)));
    world
        .ctl("template show web-node")
        .exits(0)
        .prints("20-nodejs.sh")
        .prints("replace")
        .prints("/etc/nginx/conf.d");

    world.daemon.stop();
    world.daemon.start();
    let (one, two) = (world.path().join("one"), world.path().join("two"));
    world.ctl(&format!("template export web-node {}", one.display())).exits(0).prints("exported");
    world.ctl(&format!("template import {}", one.display())).exits(0).prints("web-node  unchanged");
    world.ctl("template delete web-node").fails("LXC0206");
    world.ctl("template delete web-node --yes").exits(0).prints("deleted");
    world.ctl("template show web-node").fails("LXC0308");
    world.ctl(&format!("template import {}", one.display())).exits(0).prints("web-node  created");
    world.ctl(&format!("template export web-node {}", two.display())).exits(0);
    assert_eq!(files(&one), files(&two), "identical to the byte");
    world.ctl(&format!("template export web-node {}", two.display())).fails("LXC0214").says("is not empty");
    let audit = world.ctl("audit ls --verb 'template import'");
    assert_eq!(audit.out.lines().filter(|line| line.contains("web-node")).count(), 2, "{audit}");
    world.ctl("audit ls --verb 'template delete'").exits(0).prints("web-node");
}

#[test]
fn what_changed_is_said_and_a_bad_one_does_not_stop_the_others() {
    let world = world();
    let script = "container-configs/scripts/10-a.sh";
    let tree = directory(
        &world,
        "tree",
        &[
            ("good/template.conf", b"TEMPLATE_OS=debian\nTEMPLATE_CPU=1\n"),
            ("good/container-configs/packages/base.apt", b"nginx\nredis\n"),
            ("bad/template.conf", b"TEMPLATE_OS=debian\ncurl x | sh\nTEMPLATE_CPU=0\n"),
            ("worse/template.conf", b"TEMPLATE_OS=debian\n"),
            (&format!("worse/{script}"), b"echo\r\n"),
        ],
    );
    let line = format!("template import {}", tree.display());
    let run = world.ctl(&line);
    run.exits(9)
        .prints("good")
        .prints("refused")
        .says("3 templates: ")
        .says("bad/template.conf:2: this is shell code: curl x | sh");
    run.says("also template.conf:3: TEMPLATE_CPU is \"0\"").says("10-a.sh:1: the line ends as on Windows");
    let list = world.ctl(&format!("{line} -o json"));
    let items = list.exits(9).json()["items"].clone();
    let results: Vec<_> = items.as_array().expect("items").iter().map(|one| one["result"].as_str()).collect();
    assert_eq!(results, [Some("refused"), Some("unchanged"), Some("refused")], "{list}");
    assert_eq!(items[0]["error"]["code"], "LXC0216");

    let good = tree.join("good");
    fs::write(good.join("template.conf"), "TEMPLATE_OS=debian\nTEMPLATE_CPU=4\n").expect("written");
    fs::write(good.join("container-configs/packages/base.apt"), "nginx=1.26\n").expect("written");
    let line = format!("template import {}", good.display());
    let dry = world.ctl(&format!("{line} --dry-run"));
    dry.exits(0).prints("would change  2 changes").prints("cpu 1 to 4");
    dry.prints("packages base.apt changed: -nginx -redis +nginx=1.26");
    world.ctl(&line).exits(0).prints("good  changed").prints("cpu 1 to 4");
    world.ctl(&line).exits(0).prints("good  unchanged");
    // Which one was imported is said by sed's line once it has run.
    let mend = world.ctl(&format!("template import {}", tree.join("worse").display()));
    mend.fails("LXC0216").says("sed -i 's/\\r$//' ");
}

#[test]
fn bad_input_is_refused_by_name() {
    let world = world();
    let big = vec![b'a'; (1 << 20) + 1];
    for (name, path, content, said) in [
        (
            "range",
            "template.conf",
            &b"TEMPLATE_OS=debian\nTEMPLATE_RAM=8G\n"[..],
            "template.conf:2: TEMPLATE_RAM is \"8G\"",
        ),
        (
            "escape",
            "container-configs/files/a.path",
            b"/etc/../root\n",
            "a.path:1: \"/etc/../root\" is no directory",
        ),
        ("policy", "container-configs/files/a.policy", b"keep\n", "a.policy:1: there is no policy keep"),
        ("same", "container-configs/scripts/010-b.sh", b"", "number 10 is 010-b.sh's already"),
        (
            "options",
            "container-configs/packages/b.apt",
            b"nginx -y\n",
            "b.apt:1: there is an option in it: nginx -y",
        ),
        ("binary", "container-configs/files/a", b"\x7fELF\0\xff", "files/a: it is binary"),
        ("large", "container-configs/files/a", &big, "files/a: it has 1048577 bytes"),
    ] {
        let whole = [
            CONF,
            ("container-configs/scripts/10-a.sh", b"id\n"),
            ("container-configs/files/a", b"a"),
            ("container-configs/files/a.path", b"/etc\n"),
            (path, content),
        ];
        let directory = directory(&world, name, &whole);
        world.ctl(&format!("template import {}", directory.display())).fails("LXC0216").says(said);
    }
    let many: Vec<(String, &[u8])> = (0..600)
        .map(|number| (format!("container-configs/scripts/{number}{}", "x".repeat(200)), &b""[..]))
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(path, content)| (path.as_str(), *content)).collect();
    let many = directory(&world, "many", &[&[CONF][..], &many].concat());
    world
        .ctl(&format!("template import {}", many.display()))
        .fails("LXC0216")
        .says("this is no script")
        .says("more");
    let linked = directory(&world, "linked", &[CONF]);
    fs::create_dir(linked.join("container-configs")).expect("made");
    fs::create_dir(linked.join("container-configs/scripts")).expect("made");
    std::os::unix::fs::symlink("/etc/passwd", linked.join("container-configs/scripts/10-a.sh"))
        .expect("linked");
    world.ctl(&format!("template import {}", linked.display())).fails("LXC0216").says("no plain file");
    let empty = directory(&world, "empty", &[("README", b"")]);
    world
        .ctl(&format!("template import {}", empty.display()))
        .fails("LXC0216")
        .says("there is no template in");
    let twins = directory(&world, "twins", &[("a/x/template.conf", CONF.1), ("b/x/template.conf", CONF.1)]);
    world.ctl(&format!("template import {}", twins.display())).exits(9).says("is called x as well");
    world.ctl("template import /nowhere").fails("LXC0216").says("cannot be read");
    assert_eq!(world.ctl("template ls -o name").out, "x\n", "of the others nothing is left");
}

#[test]
fn a_directory_says_the_name_that_its_conf_does_not() {
    let world = world();
    let here = directory(&world, "here", &[CONF]);
    // Typed as a dot it has no name of its own.
    let dot = here.join(".");
    world.ctl(&format!("template import {}", dot.display())).exits(0).prints("here  created");
}

/// An editor that runs these lines on the file it is given.
fn editor(world: &World, name: &str, lines: &str) -> PathBuf {
    let path = world.path().join(name);
    fs::write(&path, format!("#!/bin/sh\nset -e\n{lines}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

/// A line on a terminal with that editor; texts lie in the world's own directory.
fn editing(world: &World, line: &str, editor: &Path) -> Terminal {
    let cli = world.cli.clone().env("EDITOR", editor).env("TMPDIR", world.path());
    Terminal::open(&cli, line)
}

/// The texts that were left behind.
fn left(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.path()).expect("readable").map(|entry| entry.expect("an entry").path());
    entries
        .filter(|path| {
            path.extension().is_some_and(|kind| kind == "toml") && path.to_string_lossy().contains("lxcctl-")
        })
        .collect()
}

#[test]
fn a_template_is_made_and_edited_as_one_text() {
    let world = world();
    let text = "os = \"debian\"\ntags = [\"web\"]\ncpu = 2\n\n[packages]\nbase.apt = [\"nginx\"]\n\n\
                [[script]]\nname = \"10-a.sh\"\ntext = '''\n#!/bin/sh\nid\n'''\n\n\
                [[file]]\nname = \"a.conf\"\ndirectory = \"/etc\"\nexecutable = true\ntext = \"a = 1\"\n";
    let file = world.path().join("web.txt");
    fs::write(&file, text).expect("written");
    world
        .ctl(&format!("template create web -f {}", file.display()))
        .exits(0)
        .prints("✓ web  created  1 script, 1 file, 1 package");
    world
        .ctl(&format!("template create web -f {}", file.display()))
        .exits(4)
        .fails("LXC0406")
        .says("there is a template web already");
    let same = world.ctl(&format!("template edit web -f {} -o json", file.display()));
    same.exits(0);
    assert_eq!(
        (&same.json()["result"], &same.json()["template"]["revision"]),
        (&"unchanged".into(), &1.into())
    );
    fs::write(&file, text.replace("cpu = 2", "cpu = 0")).expect("written");
    world
        .ctl(&format!("template edit web -f {}", file.display()))
        .fails("LXC0216")
        .says("web.txt:3: cpu is \"0\"");
    world.ctl("template edit web").fails("LXC0201").says("no terminal").says("-f takes the text from a file");
    world.ctl("template edit other").fails("LXC0308");

    let before = directory(&world, "before", &[]);
    world.ctl(&format!("template export web {}", before.display())).exits(0);
    let nothing = editor(&world, "nothing", "true");
    editing(&world, "template edit web", &nothing).end().exits(0).prints("was not changed");
    // Saved as it is, under another time, it is the same template.
    let touched = editor(&world, "touched", "echo '# a comment' >> \"$1\"");
    editing(&world, "template edit web", &touched).end().exits(0).prints("web  unchanged");
    let after = directory(&world, "after", &[]);
    world.ctl(&format!("template export web {}", after.display())).exits(0);
    assert_eq!(files(&before), files(&after), "identical to the byte");
    let better = editor(&world, "better", "sed -i 's/^cpu = 2/cpu = 4/' \"$1\"");
    editing(&world, "template edit web", &better).end().exits(0).prints("web  changed").prints("cpu 2 to 4");
    let made = editor(&world, "made", "sed -i 's/^os = .*/os = \"alpine\"/' \"$1\"");
    editing(&world, "template create new", &made).end().exits(0).prints("new  created");
    editing(&world, "template create new", &made).end().exits(4).prints("LXC0406");
    assert!(left(&world).is_empty(), "what was saved is not left behind: {:?}", left(&world));
    world.ctl("audit ls --verb 'template create'").exits(0).prints("new").prints("web");
    world.ctl("audit ls --verb 'template edit'").exits(0).prints("web");
}

#[test]
fn what_cannot_be_saved_is_kept() {
    let world = world();
    let good = directory(&world, "web", &[CONF]);
    let import = format!("template import {}", good.display());
    world.ctl(&import).exits(0);
    // Wrong first, right when it is opened again.
    let twice = editor(
        &world,
        "twice",
        "if grep -q 'cpu = 0' \"$1\"; then sed -i 's/^cpu = 0/cpu = 3/' \"$1\"; else sed -i 's/^cpu = 1/cpu = 0/' \"$1\"; fi",
    );
    let mut terminal = editing(&world, "template edit web", &twice);
    terminal.wait_for("cpu is \"0\"").wait_for("Edit it again? [Y/n]").answer("");
    terminal.end().exits(0).prints("cpu 1 to 3");
    let wrong = editor(&world, "wrong", "echo 'nonsense' >> \"$1\"");
    let mut terminal = editing(&world, "template edit web", &wrong);
    terminal.wait_for("Edit it again? [Y/n]").answer("n");
    terminal.end().prints("web was not saved").prints("what was edited is kept in");
    let kept = left(&world);
    assert!(fs::read_to_string(&kept[0]).expect("readable").ends_with("nonsense\n"), "{kept:?}");
    fs::remove_file(&kept[0]).expect("removed");

    // Somebody else is faster: the editor waits until they have been.
    let gate = world.path().join("gate");
    let slow = editor(
        &world,
        "slow",
        &format!(
            "sed -i 's/^cpu = 3/cpu = 8/' \"$1\"; echo editing; until [ -e {} ]; do sleep 0.1; done",
            gate.display()
        ),
    );
    let mut terminal = editing(&world, "template edit web", &slow);
    terminal.wait_for("editing");
    world.ctl(&import).exits(0).prints("cpu 3 to 1");
    fs::write(&gate, "").expect("opened");
    terminal.end().exits(4).prints("LXC0406").prints("was changed by").prints("what was edited is kept in");
    let kept = left(&world);
    world.ctl(&format!("template edit web -f {}", kept[0].display())).exits(0).prints("cpu 1 to 8");
}

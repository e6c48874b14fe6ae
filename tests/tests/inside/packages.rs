//! `packages.sh` and `install_packages` with the real apt; the others where they are missing, and made up ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lxc_tests::harness::node::Done;
use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, Job, end};

pub(crate) const PACKAGES: &str = include_str!("../../../core/src/provision/inside/packages.sh");
const SCRIPT: &str = include_str!("../../../core/src/provision/inside/script.sh");
/// Small, and needs nothing but libc.
const SMALL: &str = "hello";

pub(crate) fn packages(node: &Node, manager: &str, items: &str) -> Done {
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

/// A source of two packages: one waits while it is unpacked, the other while it is configured, both for /go.
const SOURCE: &str = "mkdir /source && cd /source || exit
for name in slow-preinst slow-postinst; do
    mkdir -p $name/DEBIAN
    control=\"Package: $name\nVersion: 1\nArchitecture: all\nMaintainer: T <t@t.test>\nDescription: t\n\"
    printf \"$control\" >$name/DEBIAN/control
    printf '#!/bin/sh\\ntrap \"\" TERM HUP; >/waits; until [ -e /go ]; do sleep 0.1; done\\n' >$name/DEBIAN/${name#slow-}
    chmod 755 $name/DEBIAN/${name#slow-}
    dpkg-deb --build $name || exit
    printf \"${control}Filename: ./$name.deb\nSize: $(wc -c <$name.deb)\n\" >>Packages
    echo \"SHA256: $(sha256sum <$name.deb | cut -c 1-64)\n\" >>Packages
done
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/source ./' >/etc/apt/sources.list";

#[test]
fn an_installation_that_was_interrupted_is_gone_on_with() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let done = node.shell(CT, SOURCE);
    assert_eq!(done.code, Some(0), "{done:?}");
    for name in ["slow-postinst", "slow-preinst"] {
        let waits = node.files(CT).join("waits");
        std::thread::scope(|scope| {
            let running = scope.spawn(|| packages(&node, "apt", &format!("{name}\n")));
            until("dpkg to be at work", || {
                let ended = running.is_finished();
                if waits.exists() || ended { Ok(()) } else { Err("nothing waits".to_owned()) }
            });
            // All but the first process, as when the container is stopped by force.
            assert_eq!(node.shell(CT, "kill -KILL -1").code, Some(0));
            assert_eq!(running.join().unwrap().reports(), ["progress 0/1 package"]);
        });
        fs::write(node.files(CT).join("go"), "").unwrap();
        let done = packages(&node, "apt", &format!("{name}\n"));
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(done.reports().last().unwrap(), "detail 1 package: 1 installed", "{done:?}");
        let state = node.shell(CT, &format!("dpkg-query -W -f '${{db:Status-Abbrev}}' {name}; dpkg --audit"));
        assert_eq!(state.log().trim(), "ii");
        for name in ["go", "waits"] {
            fs::remove_file(node.files(CT).join(name)).unwrap();
        }
    }
}

#[test]
fn an_installation_that_is_ended_ends() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    assert_eq!(node.shell(CT, SOURCE).code, Some(0));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| packages(&node, "apt", "slow-postinst\n"));
        until("dpkg to be at work", || {
            let at = node.files(CT).join("waits").exists() || running.is_finished();
            if at { Ok(()) } else { Err("nothing waits".to_owned()) }
        });
        end(&node);
        assert_eq!(running.join().unwrap().code, Some(143));
    });
    until("dpkg and what it runs to end", || {
        let left = node.shell(CT, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").log();
        if left.contains("slow-postinst") { Err(left) } else { Ok(()) }
    });
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

/// A manager that a test makes up: answers from /there, writes down what it is asked to install, ends as /code says.
const MADE_UP: [(&str, &str); 4] = [
    (
        "apk",
        "case $1 in info) shift 2; exec grep -qxF -- \"$2\" /there ;; esac\necho \"$@\" >/asked; cat /said; exit $(cat /code)",
    ),
    ("rpm", "shift 2; exec grep -qxF -- \"$2\" /there"),
    ("dnf", "echo \"$@\" >/asked; cat /said; exit $(cat /code)"),
    ("npm", "case $1 in ls) exec cat /there ;; esac\necho \"$@\" >/asked; cat /said; exit $(cat /code)"),
];

#[test]
fn other_managers_are_asked_once_for_what_is_missing() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    let write = |name: &str, text: &str| fs::write(node.files(CT).join(name), text).unwrap();
    for (name, text) in MADE_UP {
        let path = node.files(CT).join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    write("said", "");
    write("code", "0");
    let npm = "/usr/lib\n/usr/lib/node_modules/npm:npm@9.2.0\n/l/typescript:typescript@5.4.5\n/l/cli:@vue/cli@5.0.8\n";
    for (manager, there, items, asked) in [
        (
            "apk",
            "nginx\nredis>7\n",
            "nginx\nredis>7\nredis=8\nbash\n",
            "add --update-cache --wait 300 -- redis=8 bash",
        ),
        ("dnf", "nginx\n", "nginx\n@tools\nvim-9.1-1.fc41\n", "install -y -- @tools vim-9.1-1.fc41"),
        (
            "npm",
            npm,
            "npm\ntypescript@5.4\n@vue/cli@5.0.8\ntypescript@5.5\n@vue/cli@^5.0\npm2\n@vue/x\n",
            "install --global --no-fund --no-audit --no-update-notifier -- typescript@5.5 @vue/cli@^5.0 pm2 @vue/x",
        ),
    ] {
        write("there", there);
        let done = packages(&node, manager, items);
        let (all, new) = (items.lines().count(), asked.split_once(" -- ").unwrap().1.split(' ').count());
        let wanted = [
            format!("progress {}/{all} packages", all - new),
            format!("detail {all} packages: {new} installed, {} there already", all - new),
        ];
        assert_eq!((done.code, done.reports().as_slice()), (Some(0), &wanted[..]), "{done:?}");
        assert_eq!(fs::read_to_string(node.files(CT).join("asked")).unwrap().trim(), asked);
    }
    write("code", "7");
    for (manager, said, why) in [
        (
            "apk",
            "ERROR: unable to select packages:\n  nosuch (no such package):\n    required by: world\n",
            "ERROR: unable to select packages: nosuch (no such package):",
        ),
        (
            "dnf",
            "Last check\nError: Unable to find a match: nosuch\n",
            "Error: Unable to find a match: nosuch",
        ),
        // dnf 5 has other words, and ends with hints.
        (
            "dnf",
            "Repositories loaded.\nFailed to resolve the transaction:\nPackage \"a-1.fc43.x86_64\" is already installed.\n\
             No match for argument: nosuch\nYou can try to add to command line:\n  --skip-unavailable to skip them\n",
            "Failed to resolve the transaction: No match for argument: nosuch",
        ),
        (
            "dnf",
            "Failed to resolve the transaction:\nProblem: conflicting requests\n  - nothing provides b needed by a\n\
             You can try to add to command line:\n  --skip-broken to skip uninstallable packages\n",
            "Failed to resolve the transaction: Problem: conflicting requests - nothing provides b needed by a",
        ),
        (
            "dnf",
            ">>> Running %pre scriptlet: a\n>>> [RPM] lua script failed: 1: no\n\
             Transaction failed: Rpm transaction failed.\n",
            "[RPM] lua script failed: 1: no",
        ),
        ("npm", "npm ERR! code E404\nnpm ERR! 404 Not Found\nnpm ERR! A log\n", "npm ERR! 404 Not Found"),
        ("dnf", "Killed\n\n", "Killed"),
    ] {
        write("said", said);
        let done = packages(&node, manager, "nosuch\n");
        let last = done.reports().pop().unwrap();
        assert_eq!(
            (done.code, last.trim_end()),
            (Some(7), format!("fault {manager}: {why}").as_str()),
            "{done:?}"
        );
        assert!(done.stderr.trim_end().ends_with(why), "{done:?}");
    }
    // A service that the installation started holds its output for ever.
    write("code", "0");
    let path = node.files(CT).join("bin/dnf");
    fs::write(path, "#!/bin/sh\nsleep 999 &\necho started\n").unwrap();
    let done = packages(&node, "dnf", "daemon\n");
    assert_eq!((done.code, done.log().as_str()), (Some(0), "started"), "{done:?}");
}

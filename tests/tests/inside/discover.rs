//! `discover.sh` in containers without an init of their own, read and judged by `core`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lxc_core::services::{Discovery, judge, read};
use lxc_tests::harness::{Network, Node, Tree, until};

use crate::job::{CT, Job};

const DISCOVER: &str = include_str!("../../../core/src/provision/inside/discover.sh");

fn discover(node: &Node, reveal: &str) -> (Discovery, String) {
    let done = Job::new(DISCOVER).set("REVEAL", reveal).run(node);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    (read(&done.stdout), String::from_utf8(done.stdout).unwrap())
}

/// A program that a test makes up.
fn program(node: &Node, path: &str, text: &str) {
    let path = node.files(CT).join(path);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn openrc_docker_sockets_and_secrets() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Busybox, Network::Own) {
        return;
    }
    program(
        &node,
        "bin/rc-status",
        "printf '[default]\\nhttpd =  started\\nsshd =  started\\ngone =  crashed\\n'",
    );
    program(
        &node,
        "bin/docker",
        "case $1 in inspect) shift 5; for id; do echo \"$id $(cat /policy-$id)\"; done; exit 1 ;; esac\n\
         echo '{\"Names\":\"db\",\"ID\":\"0a\",\"State\":\"running\",\"Ports\":\"0.0.0.0:5432->5432/tcp\"}\n\
         {\"ID\":\"0b\",\"Names\":\"job\",\"State\":\"exited\",\"Status\":\"Exited (3) now\"}\n\
         {\"ID\":\"0c\",\"Names\":\"app\",\"State\":\"exited\",\"Status\":\"Exited (3) now\"}'",
    );
    for (id, policy) in [("0a", ""), ("0b", "no"), ("0c", "always")] {
        fs::write(node.files(CT).join(format!("policy-{id}")), policy).unwrap();
    }
    let store = node.files(CT).join("etc/lxcd/credentials");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("httpd"), "USER=dev\nPASSWORD=pl4in=\u{1e}lxcd end\n# no key\n").unwrap();
    fs::write(store.join("odd name\n"), "A=1\n").unwrap();
    fs::write(store.join("db"), "URL=x\n").unwrap();
    // It goes into the background by itself; one listens for IPv6 and so for IPv4.
    assert_eq!(
        node.shell(CT, "ip link set lo up; httpd -p 8080 -h /srv; httpd -p 127.0.0.1:9000 -h /srv").code,
        Some(0)
    );

    until("both to listen", || {
        let (found, text) = discover(&node, "");
        let ports =
            judge(&found).services.iter().find(|one| one.name == "httpd").map(|one| one.ports.clone());
        if ports == Some(vec![8080, 9000]) { Ok(()) } else { Err(text) }
    });
    let (found, text) = discover(&node, "");
    assert!(found.whole && found.problems.is_empty(), "{text}");
    assert!(!text.contains("pl4in") && !text.contains("odd name"));
    let judged = judge(&found);
    let rows: Vec<_> = judged
        .services
        .iter()
        .map(|one| (one.name.as_str(), one.kind.as_str(), one.status.as_str(), one.port, one.secrets))
        .collect();
    let wanted = [
        ("app", "docker", "error", None, 0),
        ("db", "docker", "running", Some(5432), 1),
        ("gone", "openrc", "error", None, 0),
        ("httpd", "openrc", "running", Some(8080), 2),
    ];
    assert_eq!(rows, wanted, "{text}");
    assert_eq!(judged.system.len(), 1);

    let (found, text) = discover(&node, "httpd");
    let values: Vec<_> = found.secrets["httpd"].iter().filter_map(|secret| secret.value.as_deref()).collect();
    assert_eq!(values, ["dev", "pl4in=lxcd end"], "a mark inside is taken out: {text}");
    assert_eq!(found.secrets["db"][0].value, None);
    assert!(found.whole);
}

#[test]
fn a_part_that_fails_leaves_the_others() {
    let Some(mut node) = Node::new() else { return };
    if !node.start(CT, Tree::Debian, Network::Own) {
        return;
    }
    program(&node, "usr/bin/docker", "echo half; sleep 999");
    program(&node, "usr/bin/rc-status", "echo 'cannot open the list' >&2; exit 1");
    program(
        &node,
        "usr/bin/systemctl",
        "printf 'Id=a.service\\nLoadState=loaded\\nActiveState=active\\n\\n'",
    );
    fs::create_dir_all(node.files(CT).join("run/systemd/system")).unwrap();
    let (found, text) = discover(&node, "");
    let problems: Vec<_> = found.problems.iter().map(|one| (one.part.as_str(), one.why.as_str())).collect();
    let wanted = [("openrc", "cannot open the list"), ("docker", "docker does not answer within 5s")];
    assert_eq!(problems, wanted, "{text}");
    assert_eq!(judge(&found).services[0].name, "a");
    assert!(found.whole);
}

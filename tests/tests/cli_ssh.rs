//! `remote set --ssh`: the way to the nodes, its host keys, and that its secret is nowhere to be read.

use std::io::Write as _;

use lxc_tests::harness::{Setup, SshServer, World};
use nix::unistd::Uid;

/// A Proxmox of one node, where that server listens; None, said loudly, where it cannot be had.
fn world() -> Option<(World, SshServer)> {
    let server = SshServer::start()?;
    if !Uid::current().is_root() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: only root is root on a node of a test");
        return None;
    }
    Some((Setup::default().start(), server))
}

fn set(server: &SshServer, more: &str) -> String {
    let (user, port, jobs) = (server.user(), server.address().port(), server.directory().join("jobs"));
    format!("remote set homelab --ssh {user}@:{port} --ssh-dir {} {more}", jobs.display())
}

/// With the server's own key and host key.
fn rightly(server: &SshServer) -> String {
    set(server, &format!("--ssh-key {} --ssh-fingerprint {}", server.key().display(), server.fingerprint()))
}

#[test]
fn host_keys_want_a_yes_and_the_key_is_kept_sealed() {
    let Some((mut world, server)) = world() else { return };
    let key = format!("--ssh-key {}", server.key().display());
    let asked = world.ctl(&set(&server, &key));
    asked.fails("LXC0215").says(&server.fingerprint()).says("--ssh-fingerprint");
    assert!(!world.ctl("remote show homelab").out.contains("ssh"));
    world.ctl(&rightly(&server)).exits(0).prints("✓ homelab  changed");
    let shown = world.ctl("remote show homelab");
    shown.exits(0).prints("with key on port").prints(&server.fingerprint());
    let json = world.ctl("remote show homelab -o json").json();
    assert_eq!(json["ssh"]["hosts"][0]["node"], "pve1");
    assert_eq!(json["ssh"]["hosts"][0]["fingerprint"], server.fingerprint());
    // What is known is not asked about again, and survives a restart.
    world.ctl(&set(&server, &key)).exits(0);
    let private = std::fs::read_to_string(server.key()).expect("read");
    let secret = private.lines().nth(2).expect("three lines").to_owned();
    world.daemon.stop();
    let database = std::fs::read(world.daemon.state().join("lxcd.db")).expect("a database");
    assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()));
    assert!(!world.daemon.log().contains(&secret) && !shown.out.contains(&secret));
    world.daemon.start();
    let before = server.commands();
    world.ctl("remote doctor homelab").prints("ssh");
    assert_eq!(server.commands(), before + 1, "the sealed key still opens the door");
    // It is sealed anew with everything else.
    world.daemon.stop();
    let rotated = world.daemon.output(&["rotate-key"]);
    assert!(rotated.status.success(), "{rotated:?}");
    world.daemon.start();
    world.ctl("remote doctor homelab").prints("ssh");
    assert_eq!(server.commands(), before + 2);
    world.ctl("remote set homelab --no-ssh").exits(0);
    world.ctl("audit -o json").prints(&format!("ssh {} with key", server.user())).prints("no ssh");
    assert!(world.ctl("remote show homelab -o json").json()["ssh"].is_null());
}

#[test]
fn what_does_not_get_in_is_not_kept() {
    let Some((world, server)) = world() else { return };
    let pin = server.fingerprint();
    let with = |path: &std::path::Path| {
        set(&server, &format!("--ssh-key {} --ssh-fingerprint {pin}", path.display()))
    };
    world.ctl(&with(&server.stranger())).fails("LXC0605").says("ssh-ed25519");
    let locked = server.directory().join("locked");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-N", "a passphrase", "-t", "ed25519", "-f"])
        .arg(&locked)
        .status();
    assert!(made.expect("ssh-keygen runs").success());
    world.ctl(&with(&locked)).fails("LXC0214").says("passphrase");
    world.ctl(&with(&server.key().with_extension("pub"))).fails("LXC0214").says("no private key");
    let other = "SHA256:AtI3Xsn2wyZFUYhxkpIyNmEKDtEYLxYO+hqs1TQHVZo";
    let line = set(&server, &format!("--ssh-key {} --ssh-fingerprint {other}", server.key().display()));
    world.ctl(&line).fails("LXC0705").says(&pin);
    world.ctl(&set(&server, "")).fails("LXC0201").says("--ssh-key");
    world.ctl(&set(&server, "--ssh-agent --ssh-password")).exits(2);
    world.ctl("remote set homelab --ssh root@pve1 --ssh-agent").fails("LXC0214");
    assert_eq!(server.commands(), 0, "nobody was let in");
    assert!(world.ctl("remote show homelab -o json").json()["ssh"].is_null());
}

#[test]
fn a_changed_host_key_wants_another_yes() {
    let Some((world, mut server)) = world() else { return };
    world.ctl(&rightly(&server)).exits(0);
    world.ctl("remote trust homelab").exits(0).prints("ssh://127.0.0.1:");
    server.change_host_key();
    let before = server.commands();
    world.ctl("remote trust homelab").fails("LXC0705").says("--rotate");
    world.ctl("remote doctor homelab").fails("LXC0705");
    assert_eq!(server.commands(), before, "it was told nothing");
    world.ctl("remote trust homelab --rotate").fails("LXC0215").says(&server.fingerprint());
    world.ctl("remote trust homelab --rotate --yes").exits(0);
    world.ctl("remote trust homelab").exits(0);
    assert!(!world.ctl("remote doctor homelab").err.contains("LXC0705"));
    assert_eq!(server.commands(), before + 1);
}

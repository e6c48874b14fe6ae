//! Logging in with a password that a real OpenSSH holds against a real shadow file, which is a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use lxc_tests::harness::{Network, Setup, Site, SshSetup, Tree, World};

const RIGHT: &str = "r1ght-and-l0ng Ünd so";
const WRONG: &str = "wr0ng-and-l0ng";

/// What shadow(5) keeps of a password.
fn shadow(path: &Path, password: &str) {
    let hash =
        Command::new("perl").args(["-e", "print crypt($ARGV[0], '$6$asalt')", "--", password]).output();
    let hash = String::from_utf8(hash.expect("perl runs").stdout).expect("text");
    assert!(hash.starts_with("$6$asalt$"), "crypt knows SHA-512: {hash}");
    std::fs::write(path, format!("root:{hash}:19000:0:99999:7:::\nsshd:!:19000::::::\n")).expect("written");
}

/// A site whose server knows that password; its shadow file.
fn site(ways: &str) -> Option<(Site, tempfile::TempDir, PathBuf)> {
    let etc = tempfile::tempdir().expect("made");
    let (passwd, known) = (etc.path().join("passwd"), etc.path().join("shadow"));
    shadow(&known, RIGHT);
    // The same people, and their passwords in the shadow file.
    let people = std::fs::read_to_string("/etc/passwd").expect("read");
    let people =
        people.lines().map(|line| match line.strip_prefix("root:").and_then(|line| line.split_once(':')) {
            Some((_, rest)) => format!("root:x:{rest}\n"),
            None => format!("{line}\n"),
        });
    std::fs::write(&passwd, people.collect::<String>()).expect("written");
    let ssh = SshSetup::default()
        .ways(ways)
        .mount(&passwd, Path::new("/etc/passwd"))
        .mount(&known, Path::new("/etc/shadow"));
    let setup = Setup::default().containers([]).config("services = false\n");
    let site = Site::made_of(setup, Tree::Busybox, Network::Shared, ssh)?;
    Some((site, etc, known))
}

fn set(site: &Site, more: &str) -> String {
    let (server, jobs) = (&site.server, site.server.directory().join("jobs"));
    format!(
        "remote set homelab --ssh root@:{} --ssh-dir {} --ssh-fingerprint {} {more}",
        server.address().port(),
        jobs.display(),
        server.fingerprint()
    )
}

/// Everything lxcd has written.
fn written(world: &World) -> Vec<u8> {
    let mut all = world.daemon.log().into_bytes();
    for entry in std::fs::read_dir(world.daemon.state()).expect("there") {
        all.extend(std::fs::read(entry.expect("an entry").path()).unwrap_or_default());
    }
    all
}

fn nowhere(world: &World, secret: &str, said: &[&str]) {
    let written = written(world);
    assert!(!written.windows(secret.len()).any(|window| window == secret.as_bytes()), "written down");
    assert!(said.iter().all(|text| !text.contains(secret)), "said");
}

const PASSWORDS: &str = "UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n";

#[test]
fn the_right_password_opens_and_another_does_not() {
    let Some((mut site, _etc, known)) = site(PASSWORDS) else { return };
    let world = &site.world;
    let wrong = world.cli.run_with(&set(&site, "--ssh-password"), WRONG);
    wrong.fails("LXC0605").says("with a password").says("it takes").exits(6);
    assert!(site.server.log().contains("Failed password for root"), "it was really tried");
    assert_eq!(
        world.ctl("remote show homelab -o json").json()["ssh"]["way"],
        "key",
        "the one before is kept"
    );
    let keys = site.server.log().matches("Accepted publickey").count();
    let right = world.cli.run_with(&set(&site, "--ssh-password"), &format!("{RIGHT}\n"));
    right.exits(0);
    let shown = world.ctl("remote show homelab");
    shown.exits(0).prints("with password");
    // lxcd itself, not only the check, gets in and works there; also after a restart.
    site.world.daemon.stop();
    site.world.daemon.start();
    let world = &site.world;
    let made = world.ctl("create box-1 --image debian-12 --fail-on-warnings");
    made.exits(0).prints("homelab/100");
    let log = site.server.log();
    assert_eq!(log.matches("Accepted password for root").count(), 2, "{log}");
    assert_eq!(log.matches("Accepted publickey").count(), keys);
    // It is changed on the node.
    shadow(&known, "an0ther");
    site.server.cut();
    let closed = world.ctl("create box-2 --image debian-12 --vmid 101");
    closed.exits(0).prints("nothing is looked at inside").prints("with a password");
    let doctor = world.ctl("remote doctor homelab");
    doctor.says("with a password");
    let looked = world.ctl("services homelab/100 --refresh");
    looked.says("with a password");
    let audit = world.ctl("audit -o json");
    let id = world.ctl("op ls -n 1 -o name").out;
    let op = world.ctl(&format!("op show {} -o json", id.trim()));
    op.exits(0);
    let all = [&wrong, &right, &shown, &made, &closed, &doctor, &looked, &audit, &op];
    let said: Vec<&str> = all.iter().flat_map(|run| [run.out.as_str(), run.err.as_str()]).collect();
    for secret in [RIGHT, WRONG] {
        nowhere(world, secret, &said);
    }
}

/// Where only PAM's questions are asked, lxcd says what the server takes, and the password stays with it.
#[test]
fn a_server_that_only_asks_questions_is_named() {
    let asks = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n";
    let Some((site, _etc, _known)) = site(asks) else { return };
    let run = site.world.cli.run_with(&set(&site, "--ssh-password"), RIGHT);
    run.fails("LXC0605").says("keyboard-interactive");
    nowhere(&site.world, RIGHT, &[&run.out, &run.err]);
}

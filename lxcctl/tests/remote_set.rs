//! `remote set` in all its variants: what is asked, and what reaches the daemon.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::{Fake, Script};

const PIN: &str =
    "8F:1E:A6:9A:9D:9F:C7:2F:AA:71:EA:10:2D:50:F1:C4:A4:91:A8:C8:F3:53:C8:66:86:33:B7:F2:03:B4:40:AF";

fn script() -> Script {
    let remote = pb::Remote {
        name: "homelab".into(),
        pve_version: Some("9.2.11".into()),
        nodes: vec!["pve1".into()],
        containers: 1,
        ..Default::default()
    };
    let certificate =
        pb::Certificate { fingerprint: PIN.into(), subject: "CN=pve2.lan".into(), ..Default::default() };
    let probe = pb::ProbeReply {
        url: "https://pve2.lan:8006".into(),
        host: "pve2.lan:8006".into(),
        certificate: Some(certificate),
    };
    Script {
        set: Some(Ok(pb::SetRemoteReply { remote: Some(remote) })),
        probe: Some(Ok(probe)),
        ..Script::default()
    }
}

/// What reached the daemon.
fn asked(line: &str) -> pb::SetRemoteRequest {
    let fake = Fake::start(script());
    let run = fake.run(line);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("✓ homelab  changed  "), "{run:?}");
    assert!(run.out.ends_with("s  PVE 9.2.11, 1 node, 1 container\n"), "{run:?}");
    fake.asked.lock().unwrap().sets.remove(0)
}

fn nothing() -> pb::SetRemoteRequest {
    pb::SetRemoteRequest { name: "homelab".into(), ..Default::default() }
}

#[test]
fn each_flag_changes_its_part_and_nothing_else() {
    let named = pb::SetRemoteRequest { new_name: Some("lab".into()), ..nothing() };
    assert_eq!(asked("lxcctl remote set homelab --name lab"), named);
    let default = |is| pb::SetRemoteRequest { make_default: Some(is), ..nothing() };
    assert_eq!(asked("lxcctl remote set homelab --default"), default(true));
    assert_eq!(asked("lxcctl remote set homelab --no-default"), default(false));
}

#[test]
fn a_url_needs_its_certificate() {
    let line = "lxcctl remote set homelab --url https://pve2.lan:8006";
    let fake = Fake::start(script());
    let run = fake.run(line);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.starts_with("error[LXC0215]"), "{}", run.err);
    assert!(run.err.contains(&format!("try:  {line} --fingerprint {PIN}  ")), "{}", run.err);
    assert!(fake.asked.lock().unwrap().sets.is_empty());
    let moved = pb::SetRemoteRequest {
        urls: vec!["https://pve2.lan:8006".into()],
        fingerprints: vec![PIN.into()],
        ..nothing()
    };
    assert_eq!(asked(&format!("{line} --fingerprint {PIN}")), moved);
}

#[test]
fn a_token_needs_its_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "5ec4e7aa\n").unwrap();
    let secret = format!("--token-secret-file {}", file.display());
    let both = pb::SetRemoteRequest {
        token_id: Some("lxcd@pve!new".into()),
        token_secret: Some("5ec4e7aa".into()),
        ..nothing()
    };
    assert_eq!(asked(&format!("lxcctl remote set homelab --token-id 'lxcd@pve!new' {secret}")), both);
    let renewed = pb::SetRemoteRequest { token_id: None, ..both };
    assert_eq!(asked(&format!("lxcctl remote set homelab {secret}")), renewed);

    let fake = Fake::start(script());
    let run = fake.run("lxcctl remote set homelab --token-id 'lxcd@pve!new'");
    assert!(run.err.starts_with("error[LXC0206]: the secret of lxcd@pve!new is wanted"), "{}", run.err);
    assert!(
        run.err
            .contains("try:  lxcctl remote set homelab --token-id 'lxcd@pve!new' --token-secret-file secret"),
        "{}",
        run.err
    );
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let fake = Fake::start(script());
    for line in [
        "lxcctl remote set homelab",
        "lxcctl remote set homelab --default --no-default",
        "lxcctl remote set homelab --fingerprint 00",
        "lxcctl remote set homelab --token-secret-file a --token-secret-stdin",
        "lxcctl remote set",
    ] {
        let run = fake.run(line);
        assert!(run.code == 2 && run.err.starts_with("error[LXC0201]"), "{line}: {run:?}");
    }
    assert!(fake.asked.lock().unwrap().sets.is_empty());
}

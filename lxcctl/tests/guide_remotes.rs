//! The guide's first contact: a remote is added, on a terminal and without one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::error;
use support::guide::{assert_like, example};
use support::pty::{Terminal, screen};
use support::{Fake, Script};

const FINGERPRINT: &str =
    "8F:1E:A6:9A:9D:9F:C7:2F:AA:71:EA:10:2D:50:F1:C4:A4:91:A8:C8:F3:53:C8:66:86:33:B7:F2:03:B4:40:AF";

fn to_add() -> Script {
    let certificate = pb::Certificate {
        fingerprint: FINGERPRINT.into(),
        subject: "CN=pve1.lan".into(),
        not_after_us: 1_835_611_200_000_000,
        vouched: false,
        issuer: String::new(),
    };
    let probe = pb::ProbeReply {
        url: "https://pve1.lan:8006".into(),
        host: "pve1.lan:8006".into(),
        certificate: Some(certificate),
    };
    let remote = pb::Remote {
        name: "homelab".into(),
        pve_version: Some("9.2.11".into()),
        nodes: vec!["pve1".into(), "pve2".into(), "pve3".into()],
        containers: 24,
        ..Default::default()
    };
    let learned_nodes = vec!["pve2".into(), "pve3".into()];
    let add = pb::AddRemoteReply { remote: Some(remote), learned_nodes, warnings: Vec::new() };
    Script { probe: Some(Ok(probe)), add: Some(Ok(add)), ..Script::default() }
}

/// Times that depend on the machine, at fixed width.
fn redact(text: &str) -> String {
    let line = |line: &str| match line.split_once("  added  ") {
        Some((before, after)) => format!("{before}  added  #.#s{}", &after[4..]),
        None => line.trim_end().to_owned(),
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn remote_add_shows_the_certificate_asks_and_takes_the_secret() {
    let fake = Fake::start(to_add());
    let line = "lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli'";
    let mut terminal = Terminal::run(&fake.socket(), line);
    terminal.wait_for("[y/N] ");
    terminal.type_in("y\n");
    terminal.wait_for("Secret of lxcd@pve!cli: ");
    terminal.type_in("1234-5678\n");
    let (shown, code) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("1234-5678"), "the secret is not echoed: {shown}");
    let want = example(line, 0);
    // On one screen both streams are in the order of the guide: stderr but for its last line, stdout, hint.
    let (before, hint) = want.err.trim_end().rsplit_once('\n').unwrap();
    let want = format!("{before}\n{}{hint}\n", want.out);
    assert_eq!(redact(&screen(&shown)), redact(&want));
    let adds = &fake.asked.lock().unwrap().adds;
    assert_eq!((adds[0].token_secret.as_str(), adds[0].fingerprints[0].as_str()), ("1234-5678", FINGERPRINT));
}

#[test]
fn remote_add_without_a_terminal_wants_the_fingerprint() {
    let fake = Fake::start(to_add());
    let secret = fake.dir().join("secret");
    std::fs::write(&secret, "1234-5678\n").unwrap();
    let line = format!(
        "lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli' --token-secret-file {}",
        secret.display()
    );
    let run = fake.run(&line);
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("error[LXC0215]"), "{}", run.err);
    assert!(run.err.contains(&format!("--fingerprint {FINGERPRINT}")), "{}", run.err);
    let run = fake.run(&format!("{line} --fingerprint {FINGERPRINT}"));
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(fake.asked.lock().unwrap().adds[0].token_secret, "1234-5678");
}

#[test]
fn remote_doctor_says_what_is_missing_and_the_line_that_helps() {
    let finding = |name: &str, result: &str, detail: &str| pb::Finding {
        name: name.into(),
        result: result.into(),
        detail: detail.into(),
    };
    let findings = vec![
        finding("api", "warning", "pve1.lan 38ms, pve2.lan 41ms, pve3.lan no route to host since 14:01"),
        finding("certificate", "ok", "3 pins, the first expires 2028-03-02"),
        finding("token", "ok", "lxcd@pve!cli, never expires, no privilege separation"),
        finding("list, power", "ok", "VM.Audit, Sys.Audit, VM.PowerMgmt"),
        finding("delete", "missing", "VM.Allocate on /vms"),
    ];
    let lacks = error(
        "LXC0504",
        "homelab lacks 1 privilege; create and delete will be refused",
        &["lxcd@pve has PVEVMUser and PVEAuditor on /"],
        &[("pveum acl modify /vms --users lxcd@pve --roles PVEVMAdmin", "on a Proxmox node")],
    );
    let reply = pb::DoctorReply { findings, errors: vec![lacks], hints: Vec::new() };
    let fake = Fake::start(Script { doctor: Some(Ok(reply)), ..Script::default() });
    let line = "lxcctl remote doctor homelab";
    assert_like(&fake.run(line), line, 0);
    let json = fake.run("lxcctl remote doctor homelab -o json");
    assert_eq!(json.code, 5);
    assert!(
        json.out.contains("\"kind\": \"FindingList\"") && json.err.starts_with("{\"api_version\""),
        "{}",
        json.out
    );
}

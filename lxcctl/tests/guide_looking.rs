//! The guide's examples of looking and of first contact, held against the real binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{error, now};
use support::guide::{example, examples, shared};
use support::pty::{Terminal, screen};
use support::{Fake, Run, Script, Step};

fn assert_like(run: &Run, line: &str, number: usize) {
    let want = example(line, number);
    assert_eq!(run.out, want.out, "stdout of {line}\nstderr was {}", run.err);
    assert_eq!(run.err, want.err, "stderr of {line}");
    assert_eq!(run.code, want.code, "exit of {line}");
}

#[test]
fn the_golden_examples_are_the_guides() {
    let Some(guide) = shared() else {
        // Not a failure: the guide lives outside of the repository.
        let note = "skipped: no CLI.md beside the repository and no LXC_SHARED\n";
        std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes()).unwrap();
        return;
    };
    let guide = examples(&guide);
    for golden in examples(include_str!("golden/guide.txt")) {
        let same = |e: &support::guide::Example| {
            (&e.line, e.code, &e.out, &e.err) == (&golden.line, golden.code, &golden.out, &golden.err)
        };
        assert!(guide.iter().any(same), "the guide says something else about {golden:?}");
    }
}

#[test]
fn without_a_remote_ls_says_how_to_begin() {
    let fake =
        Fake::start(Script { list: Some(Ok(pb::ListContainersReply::default())), ..Script::default() });
    assert_like(&fake.run("lxcctl ls"), "lxcctl ls", 0);
    let versions = fake.asked.lock().unwrap().versions.clone();
    assert_eq!(versions, [env!("CARGO_PKG_VERSION")], "the client says which one it is");
}

#[test]
fn without_a_daemon_ls_says_how_to_start_it() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("lxcd.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let mut run = support::run(&socket, "lxcctl ls");
    run.err = run.err.replace(socket.to_str().unwrap(), "/run/lxcd/lxcd.sock");
    assert_like(&run, "lxcctl ls", 1);
}

fn mi(count: u64) -> Option<u64> {
    Some(count << 20)
}

fn row(target: &str, name: &str, status: &str, node: &str, ip: &str) -> pb::Container {
    let (remote, vmid) = target.split_once('/').unwrap();
    pb::Container {
        remote: remote.into(),
        vmid: vmid.parse().unwrap(),
        name: Some(name.into()),
        status: status.into(),
        lifecycle: "ready".into(),
        node: Some(node.into()),
        ip: (!ip.is_empty()).then(|| ip.to_owned()),
        freshness: "live".into(),
        ..Default::default()
    }
}

fn fleet() -> pb::ListContainersReply {
    let (minute, hour, day) = (60, 3600, 86400);
    let build = pb::Container {
        cpu: Some(0.64),
        memory_bytes: mi(1126),
        memory_max_bytes: mi(4096),
        uptime_seconds: Some(3 * minute),
        template: Some("web3-dev".into()),
        ..row("homelab/107", "build-3", "creating", "pve1", "10.0.0.17")
    };
    let db = pb::Container {
        memory_max_bytes: mi(8192),
        template: Some("postgres".into()),
        services_healthy: Some(3),
        services_total: Some(3),
        observed_us: Some(1_795_269_667_000_000),
        freshness: "stale".into(),
        ..row("homelab/109", "db-1", "unknown", "pve3", "10.0.0.19")
    };
    let proxy = pb::Container {
        cpu: Some(0.03),
        memory_bytes: mi(96),
        memory_max_bytes: mi(512),
        uptime_seconds: Some(41 * day),
        ..row("homelab/101", "proxy", "running", "pve1", "10.0.0.11")
    };
    let edge = pb::Container {
        cpu: Some(0.01),
        memory_bytes: mi(80),
        memory_max_bytes: mi(1024),
        uptime_seconds: Some(2 * hour),
        template: Some("web-node".into()),
        services_healthy: Some(1),
        services_total: Some(4),
        error_operation_id: Some("01a1fe6a-2384-7b31-9c44-a1d22be90c15".into()),
        error_summary: Some("failed in create at script 3/5".into()),
        ..row("edge/201", "web-1", "error", "edge1", "10.9.0.14")
    };
    let web_1 = pb::Container {
        cpu: Some(0.12),
        memory_bytes: mi(412),
        memory_max_bytes: mi(2048),
        uptime_seconds: Some(6 * day + 4 * hour),
        template: Some("web-node".into()),
        services_healthy: Some(4),
        services_total: Some(4),
        ..row("homelab/104", "web-1", "running", "pve1", "10.0.0.14")
    };
    let web_2 = pb::Container {
        memory_max_bytes: mi(2048),
        template: Some("web-node".into()),
        ..row("homelab/105", "web-2", "stopped", "pve2", "")
    };
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let since = today.date().at(14, 1, 7, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    let warning = pb::Warning {
        code: "LXC0702".into(),
        target: "homelab/pve3".into(),
        message: "595 No route to host".into(),
        since_us: since.timestamp().as_microsecond(),
    };
    pb::ListContainersReply {
        items: vec![web_2, web_1, edge, proxy, db, build],
        warnings: vec![warning],
        remotes: 2,
    }
}

#[test]
fn ls_is_a_table_with_warnings_and_hints_below() {
    let fake = Fake::start(Script { list: Some(Ok(fleet())), ..Script::default() });
    assert_like(&fake.run("lxcctl ls"), "lxcctl ls", 2);
}

#[test]
fn ls_as_json_has_the_guides_fields_in_its_order() {
    let mut reply = fleet();
    reply.items.retain(|item| item.name.as_deref() == Some("db-1"));
    let fake = Fake::start(Script { list: Some(Ok(reply)), ..Script::default() });
    let line = "lxcctl ls -l 'name=db-1' -o json";
    let run = fake.run(line);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    // The guide leaves fields out where it says so, and breaks lines to save room.
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let mut rest = squeeze(&run.out);
    for part in squeeze(&example(line, 0).out).split('…') {
        let part = part.trim_end_matches(',');
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not in {rest}"));
        rest = rest[at + part.len()..].to_owned();
    }
    assert!(
        run.out.starts_with("{\n  \"api_version\": \"v1\",\n  \"kind\": \"ContainerList\",\n"),
        "{}",
        run.out
    );
}

#[test]
fn a_wrong_selector_is_pointed_at() {
    let fake = Fake::start(Script::default());
    let line = "lxcctl ls -l 'tag=web,stauts=running'";
    assert_like(&fake.run(line), line, 0);
}

#[test]
fn an_empty_match_says_so_on_stderr() {
    let reply = pb::ListContainersReply { remotes: 1, ..Default::default() };
    let fake = Fake::start(Script { list: Some(Ok(reply)), ..Script::default() });
    let run = fake.run("lxcctl ls -l tag=web,status=error");
    assert_eq!((run.out.as_str(), run.code), ("", 0));
    assert_eq!(run.err, "No container matches tag=web,status=error.\n");
}

#[test]
fn strict_fails_when_something_could_not_be_asked() {
    let fake = Fake::start(Script { list: Some(Ok(fleet())), ..Script::default() });
    let run = fake.run("lxcctl ls --strict");
    assert_eq!(run.code, 9);
    assert!(run.out.starts_with("TARGET") && run.err.contains("error[LXC0902]"), "{run:?}");
}

#[test]
fn columns_sort_and_names() {
    let fake = Fake::start(Script { list: Some(Ok(fleet())), ..Script::default() });
    assert_eq!(fake.run("lxcctl ls -o name").out.lines().next(), Some("homelab/107"));
    let run = fake.run("lxcctl ls --columns target,memory --sort=-memory,name --no-headers");
    let first: Vec<&str> = run.out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(
        first,
        ["homelab/107", "homelab/104", "homelab/101", "edge/201", "homelab/109", "homelab/105"]
    );
    let run = fake.run("lxcctl ls --columns +dsk");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("there is no column dsk"), "{}", run.err);
    assert!(fake.run("lxcctl ls -o yaml").out.starts_with("api_version: v1\nkind: ContainerList\n"));
    assert_eq!(fake.run("lxcctl ls -o jsonl").out.lines().count(), 7, "six rows and a warning");
}

#[test]
fn a_narrow_terminal_loses_columns_and_a_pipe_none() {
    let fake = Fake::start(Script { list: Some(Ok(fleet())), ..Script::default() });
    let mut command = support::command(&fake.socket(), "lxcctl ls");
    let run = support::finish(command.env("COLUMNS", "40"));
    assert!(run.out.contains("TEMPLATE"), "COLUMNS is no terminal");
    let (shown, code) = Terminal::run(&fake.socket(), "lxcctl ls").end();
    assert_eq!(code, 0);
    assert!(screen(&shown).starts_with("TARGET       NAME     STATUS    NODE   IP         CPU"), "{shown}");
}

#[test]
fn a_locale_without_utf8_gets_plain_marks() {
    let fake = Fake::start(Script { list: Some(Ok(fleet())), ..Script::default() });
    let mut command = support::command(&fake.socket(), "lxcctl remote remove homelab --yes");
    let run = support::finish(command.env("LC_ALL", "C"));
    assert_eq!(run.out, "+ homelab  removed  24 containers\n");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut reply = fleet();
    reply.items = (0..20_000).map(|_| reply.items[0].clone()).collect();
    let fake = Fake::start(Script { list: Some(Ok(reply)), ..Script::default() });
    let mut command = support::command(&fake.socket(), "lxcctl ls");
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panic"));
}

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
    // What is not built yet is not recommended.
    let hint = hint.replace("remote doctor", "remote test");
    let want = format!("{before}\n{}{hint}\n", want.out);
    assert_eq!(redact(&screen(&shown)), redact(&want));
    let adds = &fake.asked.lock().unwrap().adds;
    assert_eq!((adds[0].token_secret.as_str(), adds[0].fingerprint.as_str()), ("1234-5678", FINGERPRINT));
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
fn events_follow_as_jsonl_until_they_are_interrupted() {
    let event = |cursor: i64, time_us: i64, kind: &str| pb::Event {
        cursor,
        time_us,
        r#type: kind.into(),
        target: "edge/201".into(),
        ..Default::default()
    };
    let first = event(48212, 1_795_269_743_000_000, "stopped");
    let second = event(48215, 1_795_269_746_000_000, "started");
    let items = vec![first, second];
    let events = vec![Step::Say(pb::ListEventsReply { items }), Step::Hang];
    let fake = Fake::start(Script { events, ..Script::default() });
    let line = "lxcctl events edge/201 --follow --after 48211 -o jsonl";
    let terminal = Terminal::run(&fake.socket(), line);
    terminal.wait_for("48215");
    terminal.signal(nix::sys::signal::Signal::SIGINT);
    let (shown, code) = terminal.end();
    let want = example(line, 0);
    assert_eq!(code, want.code);
    for (got, want) in shown.lines().zip(want.out.lines()) {
        assert!(got.starts_with(want.trim_end_matches("…}")), "{got}\n{want}");
    }
    assert_eq!(fake.asked.lock().unwrap().events[0].after, Some(48211));
    let run = fake.run("lxcctl events --follow -o json");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("-o jsonl") || run.err.contains("jsonl"), "{}", run.err);
}

#[test]
fn an_older_daemon_and_one_that_refuses_are_told_apart() {
    let fake = Fake::start(Script {
        list: Some(Err(error(
            "LXC0802",
            "lxcctl 0.1 and lxcd 0.9 do not understand each other",
            &["x"],
            &[],
        ))),
        ..Script::default()
    });
    let run = fake.run("lxcctl ls");
    assert_eq!(run.code, 8);
    assert!(run.err.starts_with("error[LXC0802]: lxcctl 0.1"), "{}", run.err);
    let run = fake.run("lxcctl whoami");
    assert_eq!(run.code, 8, "{}", run.err);
    assert!(run.err.contains("does not know this call"), "{}", run.err);
}

#[test]
fn help_and_errors_of_usage() {
    let fake = Fake::start(Script::default());
    let help = fake.run("lxcctl --help");
    assert!(
        help.out.starts_with("Manage LXC containers on Proxmox VE.\n\nLook       ls  show"),
        "{}",
        help.out
    );
    assert_eq!(fake.run("lxcctl help").out, help.out);
    assert_eq!(fake.run("lxcctl help selectors").code, 0);
    assert_eq!(fake.run("lxcctl help nonsense").code, 3);
    assert!(fake.run("lxcctl explain lxc0401").out.starts_with("# LXC0401: "));
    assert_eq!(fake.run("lxcctl explain LXC9999").code, 3);
    assert_eq!(fake.run("lxcctl").code, 2);
    let run = fake.run("lxcctl strat 104 -o json");
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with(r#"{"api_version":"v1","kind":"Error","code":"LXC0201""#), "{}", run.err);
    let long = format!("/tmp/{}", "x".repeat(120));
    let run = support::run(std::path::Path::new(&long), "lxcctl ls");
    assert!(run.code == 8 && run.err.starts_with("error[LXC0803]"), "{run:?}");
    let _ = now();
}

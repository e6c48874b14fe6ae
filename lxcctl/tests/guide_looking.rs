//! The guide's examples of looking and of first contact, held against the real binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::guide::{assert_like, example, examples, shared};
use support::pty::{Terminal, screen};
use support::{Fake, Script};

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
        unknown_rows: 1,
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

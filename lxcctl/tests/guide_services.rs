//! The guide's examples of `services`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::now;
use support::guide::assert_like;
use support::{Fake, Script};

fn service(name: &str, kind: &str, status: &str, port: Option<u32>, secrets: u32) -> pb::Service {
    pb::Service {
        name: name.into(),
        r#type: kind.into(),
        status: status.into(),
        port,
        ports: port.into_iter().collect(),
        secrets,
        ..Default::default()
    }
}

fn found() -> pb::ShowServicesReply {
    let code = service("code-server", "systemd", "running", Some(8080), 2);
    let worker = service("worker", "systemd", "error", None, 0);
    let system = (0..9).map(|number| {
        let one = service(&format!("system-{number}"), "systemd", "running", None, 0);
        pb::Service { system: true, ..one }
    });
    let own = [
        pb::Service { url: Some("http://10.0.0.14:8080".into()), ..code },
        service("postgresql", "systemd", "running", Some(5432), 3),
        service("redis", "docker", "running", Some(6379), 0),
        pb::Service { detail: "exit code 203, 6 restarts".into(), ..worker },
    ];
    pb::ShowServicesReply {
        target: "homelab/104".into(),
        services: own.into_iter().chain(system).collect(),
        ..Default::default()
    }
}

#[test]
fn what_runs_is_a_table() {
    let reply = pb::ShowServicesReply { checked_us: now() - 12_050_000, ..found() };
    let fake = Fake::start(Script { services: Some(Ok(reply)), ..Script::default() });
    assert_like(&fake.run("lxcctl services 104"), "lxcctl services 104", 0);
    let run = fake.run("lxcctl services 104 --system -o name");
    assert_eq!((run.out.lines().count(), run.err.as_str()), (13, ""));
    let json: serde_json::Value = serde_json::from_str(&fake.run("lxcctl services 104 -o json").out).unwrap();
    assert_eq!(json["kind"], "ServiceList");
    assert_eq!(json["items"].as_array().unwrap().len(), 4);
    let worker = &json["items"][3];
    for (field, value) in [
        ("kind", "Service"),
        ("target", "homelab/104"),
        ("type", "systemd"),
        ("status", "error"),
        ("detail", "exit code 203, 6 restarts"),
    ] {
        assert_eq!(worker[field], value, "{field}");
    }
    assert_eq!((&worker["port"], &worker["url"]), (&serde_json::Value::Null, &serde_json::Value::Null));
}

#[test]
fn secrets_are_a_table() {
    let secret = |key: &str, value: &str| pb::Secret { key: key.into(), value: value.into() };
    let reply = pb::RevealReply {
        target: "homelab/104".into(),
        name: None,
        service: "code-server".into(),
        secrets: vec![secret("USER", "dev"), secret("PASSWORD", "pl4in-t0-y0u")],
        actor: "ops".into(),
    };
    let fake = Fake::start(Script { reveal: Some(Ok(reply)), ..Script::default() });
    let line = "lxcctl services 104 --reveal code-server";
    assert_like(&fake.run(line), line, 0);
    let wrong = fake.run("lxcctl services 104 --reveal x --refresh");
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

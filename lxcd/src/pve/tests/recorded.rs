//! Every answer recorded from a genuine Proxmox VE 9.2 goes through the decoder of its endpoint, every
//! error through the classifier. The recordings are kept beside the repository, not in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lxc_core::ports::PveError;
use lxc_core::pve::RefusalKind;
use serde::Deserialize;

use crate::pve::answer::Answer;
use crate::pve::{certificates, lxc, nodes, tasks};

#[derive(Deserialize)]
pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    status: Option<u16>,
    status_line: String,
    response_body: Option<String>,
}

impl Exchange {
    pub(super) fn answer(&self) -> Option<Answer<'_>> {
        let reason = self.status_line.splitn(3, ' ').nth(2).unwrap_or_default();
        let body = self.response_body.as_deref().unwrap_or_default().as_bytes();
        Some(Answer { from: "recorded", status: self.status?, reason, body })
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub(super) fn recorded() -> Vec<Exchange> {
    let shared = std::env::var_os("LXC_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let path = shared.join("pve/exchanges.jsonl");
    match std::fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        Err(error) => {
            eprintln!("SKIPPED: no recorded exchanges at {}: {error}", path.display());
            Vec::new()
        }
    }
}

/// Reads an answer as its endpoint's; None when it is no endpoint of ours.
pub(super) fn decode(method: &str, path: &str, answer: Answer<'_>) -> Option<Result<(), PveError>> {
    if path.contains("download=1") {
        // Plain text, which we never ask for.
        return None;
    }
    let path = path.strip_prefix("/api2/json/")?.split('?').next()?;
    let parts: Vec<&str> = path.split('/').collect();
    Some(match (method, parts.as_slice()) {
        ("GET", ["version"]) => nodes::version(answer).map(drop),
        ("GET", ["nodes"]) => nodes::nodes(answer).map(drop),
        ("GET", ["cluster", "status"]) => nodes::cluster(answer).map(drop),
        ("GET", ["cluster", "resources"]) => {
            nodes::placement(answer, 104).and_then(|_| nodes::resources(answer)).map(drop)
        }
        ("GET", ["access", "permissions"]) => nodes::permissions(answer).map(drop),
        ("GET", ["nodes", _, "status"]) => nodes::node_status(answer).map(drop),
        ("GET", ["nodes", _, "certificates", "info"]) => certificates::read(answer).map(drop),
        ("GET", ["nodes", _, "lxc"]) => lxc::list(answer).map(drop),
        ("GET", ["nodes", _, "lxc", vmid, "status", "current"]) => {
            lxc::current(answer, vmid.parse().ok()?).map(drop)
        }
        ("GET", ["nodes", _, "lxc", _, "config"]) => lxc::config(answer).map(drop),
        ("GET", ["nodes", _, "lxc", _, "interfaces"]) => lxc::interfaces(answer).map(drop),
        ("GET", ["nodes", _, "tasks"]) => tasks::entries(answer).map(drop),
        ("GET", ["nodes", _, "tasks", _, "status"]) => tasks::status(answer).map(drop),
        ("GET", ["nodes", _, "tasks", _, "log"]) => tasks::log(answer, 0).map(drop),
        ("POST", ["nodes", _, "lxc", _, "status", _]) | ("DELETE", ["nodes", _, "lxc", _]) => {
            answer.check().and_then(|()| tasks::started(answer)).map(drop)
        }
        _ => return None,
    })
}

#[test]
fn every_good_answer_is_read() {
    let (mut read, mut endpoints) = (0, 0);
    for exchange in recorded() {
        let Some(answer) = exchange.answer().filter(|answer| answer.status == 200) else {
            continue;
        };
        if let Some(decoded) = decode(&exchange.method, &exchange.path, answer) {
            assert!(decoded.is_ok(), "{}: {decoded:?}", exchange.name);
            read += 1;
        } else {
            endpoints += 1;
        }
    }
    assert!(read == 0 || read > 150, "{read} read, {endpoints} of other endpoints");
}

#[test]
fn every_error_is_understood() {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for exchange in recorded() {
        let Some(answer) = exchange.answer().filter(|answer| answer.status != 200) else {
            continue;
        };
        let kind = match answer.check() {
            Err(PveError::Refused(refusal)) => match refusal.kind {
                RefusalKind::Parameters(errors) => {
                    assert!(!errors.is_empty());
                    "parameters".to_owned()
                }
                RefusalKind::Permission { .. } => "permission".to_owned(),
                RefusalKind::Other => format!("other: {}", refusal.text),
                kind => format!("{kind:?}"),
            },
            Err(PveError::Unauthorized(_)) => "unauthorized".to_owned(),
            Err(PveError::NotDelivered(_)) => "not delivered".to_owned(),
            other => panic!("{}: {other:?}", exchange.name),
        };
        kinds.entry(kind).or_default().push(exchange.name);
    }
    if kinds.is_empty() {
        return;
    }
    // What the verbs depend on must be there, in Proxmox's own words.
    for expected in [
        "AlreadyRunning",
        "NotRunning",
        "Locked(\"backup\")",
        "Locked(\"create\")",
        "Busy",
        "Protected",
        "StillRunning",
        "NoConfig",
        "Exists",
        "NoNode",
        "Transient",
        "parameters",
        "permission",
        "unauthorized",
        "not delivered",
    ] {
        assert!(kinds.contains_key(expected), "{expected} is missing from {:?}", kinds.keys());
    }
    // What stays unclassified is about calls that are not ours, or about broken requests.
    let others: Vec<&String> = kinds.keys().filter(|kind| kind.starts_with("other")).collect();
    for other in others {
        let known = [
            "not implemented",
            "not available",
            "no formatter",
            "arbitrary filesystem",
            "storage 'nostore'",
            "content type",
            "read-only option",
            "required option",
            "detected modified configuration",
            "no options specified",
            "malformed JSON",
            "data too large",
            "shrink disk",
        ];
        assert!(known.iter().any(|part| other.contains(part)), "{other}");
    }
}

/// Every text a recorded task ended with.
#[test]
fn every_ending_is_read() {
    for exchange in recorded() {
        let Some(answer) = exchange.answer().filter(|answer| answer.status == 200) else {
            continue;
        };
        if exchange.path.contains("/tasks/") && exchange.path.ends_with("/status") {
            use lxc_core::pve::{Refusal, TaskExit, TaskStatus};
            if let Ok(TaskStatus::Ended(TaskExit::Error(text))) = tasks::status(answer) {
                let kind = Refusal::from_text(&text).kind;
                assert!(kind != RefusalKind::Transient, "{}: {text}", exchange.name);
            }
        }
    }
}

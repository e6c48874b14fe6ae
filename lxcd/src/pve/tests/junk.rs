//! Answers nobody should give: of the right shape with wrong types, cut off anywhere, anything at all.
//! Every decoder must say `Garbage` (a change: `Lost`) or read it, never panic.

use lxc_core::ports::PveError;
use proptest::prelude::*;

use super::recorded::{decode, recorded};
use crate::pve::answer::Answer;

const PATHS: &[(&str, &str)] = &[
    ("GET", "version"),
    ("GET", "nodes"),
    ("GET", "cluster/status"),
    ("GET", "cluster/resources"),
    ("GET", "access/permissions"),
    ("GET", "nodes/a/status"),
    ("GET", "nodes/a/certificates/info"),
    ("GET", "nodes/a/lxc"),
    ("GET", "nodes/a/lxc/104/status/current"),
    ("GET", "nodes/a/lxc/104/config"),
    ("GET", "nodes/a/lxc/104/interfaces"),
    ("GET", "nodes/a/tasks"),
    ("GET", "nodes/a/tasks/UPID/status"),
    ("GET", "nodes/a/tasks/UPID/log"),
    ("POST", "nodes/a/lxc/104/status/start"),
];

/// Keys the decoders look for, so that wrong types meet the fields that care.
const KEYS: &str = "vmid|node|name|status|exitstatus|upid|type|n|t|ha|managed|tags|cpu|mem|memory|loadavg\
    |ip-addresses|inet|filename|pem|version|online|/vms|x";

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "running|stopped|lxc|UPID:n:00000001:00000001:6B01A463:t:1:u:|[0-9]{1,12}|.{0,8}"
            .prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::hash_map(KEYS, inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn calm(method: &str, path: &str, body: &[u8]) -> bool {
    let answer = Answer { from: "h:1", status: 200, reason: "OK", body };
    match decode(method, &format!("/api2/json/{path}"), answer) {
        Some(Ok(())) => true,
        Some(Err(PveError::Garbage(text))) => method == "GET" && text.chars().count() < 400,
        Some(Err(PveError::Lost(text))) => method == "POST" && text.chars().count() < 400,
        _ => false,
    }
}

proptest! {
    #[test]
    fn wrong_types_are_read_or_refused(data in json()) {
        let body = serde_json::json!({ "data": data }).to_string();
        for (method, path) in PATHS {
            prop_assert!(calm(method, path, body.as_bytes()), "{} {}: {}", method, path, body);
        }
    }

    #[test]
    fn anything_is_refused_calmly(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (method, path) in PATHS {
            prop_assert!(calm(method, path, &body), "{} {}", method, path);
        }
    }
}

#[test]
fn an_answer_cut_off_anywhere_is_garbage() {
    for exchange in recorded() {
        let Some(answer) = exchange.answer().filter(|answer| answer.status == 200) else {
            continue;
        };
        if answer.body.len() > 4000 || exchange.path.contains("UPID") {
            continue;
        }
        for length in 0..answer.body.len() {
            let cut = Answer { body: &answer.body[..length], ..answer };
            match decode(&exchange.method, &exchange.path, cut) {
                None | Some(Err(PveError::Garbage(_) | PveError::Lost(_))) => {}
                other => panic!("{} at {length}: {other:?}", exchange.name),
            }
        }
    }
}

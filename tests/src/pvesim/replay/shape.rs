//! The shape of a JSON document: keys and types, and the values that say what happened.

use serde_json::Value;

/// Values that are compared and not only their type.
const EXACT: [&str; 11] = [
    "message",
    "errors",
    "exitstatus",
    "status",
    "type",
    "lock",
    "tokenid",
    "roleid",
    "privs",
    "version",
    "tags",
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// How `ours` differs from `theirs`, in words.
/// `shape_only` compares keys and types, no values.
pub(super) fn differences(theirs: &Value, ours: &Value, shape_only: bool) -> Vec<String> {
    let mut found = Vec::new();
    compare("", theirs, ours, shape_only, &mut found);
    found
}

fn compare(at: &str, theirs: &Value, ours: &Value, shape_only: bool, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for key in b.keys().filter(|k| !a.contains_key(*k)) {
                found.push(format!("{at}.{key} is too much"));
            }
            for (key, theirs) in a {
                match b.get(key) {
                    None => found.push(format!("{at}.{key} is missing")),
                    Some(ours) if !shape_only && EXACT.contains(&key.as_str()) && theirs != ours => {
                        found.push(format!("{at}.{key} is {ours}, not {theirs}"));
                    }
                    Some(ours) => compare(&format!("{at}.{key}"), theirs, ours, shape_only, found),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => lists(at, a, b, shape_only, found),
        (a, b) if kind(a) != kind(b) => found.push(format!("{at} is {}, not {}", kind(b), kind(a))),
        _ => {}
    }
}

/// Every recorded element needs one of ours that looks like it; the order means nothing.
fn lists(at: &str, theirs: &[Value], ours: &[Value], shape_only: bool, found: &mut Vec<String>) {
    if theirs.is_empty() != ours.is_empty() {
        found.push(format!("{at}[] has {} elements, not {}", ours.len(), theirs.len()));
    }
    for (i, element) in theirs.iter().enumerate() {
        let closest = ours.iter().map(|o| differences(element, o, shape_only)).min_by_key(Vec::len);
        if let Some(differences) = closest.filter(|d| !d.is_empty()) {
            found.push(format!("{at}[{i}]: {}", differences.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_types_and_texts_count() {
        let theirs = json!({"data": [{"vmid": 1, "status": "running"}], "message": "a"});
        assert!(differences(&theirs, &theirs, false).is_empty());
        let others = [
            json!({"data": [{"vmid": "1", "status": "running"}], "message": "a"}),
            json!({"data": [{"vmid": 1, "status": "stopped"}], "message": "a"}),
            json!({"data": [{"vmid": 1, "status": "running", "x": 1}], "message": "a"}),
            json!({"data": [], "message": "a"}),
            json!({"data": [{"vmid": 1, "status": "running"}], "message": "b"}),
            json!({"message": "a"}),
        ];
        for ours in others {
            assert_eq!(differences(&theirs, &ours, false).len(), 1, "{ours}");
        }
    }
}

//! Holds the table against the official schema and the texts against recorded ones.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::{Op, endpoints};
use super::{Endpoint, Format, Param, Perm, Raw, option, verify};
use crate::pvesim::reply::Refusal;
use crate::shared;

/// Differences between the table and the schema, empty when they agree.
fn differences(endpoint: &Endpoint, declared: &Value) -> Vec<String> {
    let at = format!("{} {}", endpoint.method, endpoint.path);
    let mut found = Vec::new();
    let properties = declared["parameters"]["properties"].as_object().cloned().unwrap_or_default();
    compare_params(&at, endpoint.params, &properties, &mut found);
    let flag = |key: &str| declared[key].as_i64().unwrap_or(0) == 1;
    if flag("protected") != endpoint.protected {
        found.push(format!("{at}: protected is {}", flag("protected")));
    }
    if flag("allowtoken") != endpoint.tokens {
        found.push(format!("{at}: allowtoken is {}", flag("allowtoken")));
    }
    match (&declared["permissions"], endpoint.perm) {
        (p, Perm::User) if p["user"] == "all" || p.get("description").is_some() || p.is_null() => {}
        (p, Perm::World) if p["user"] == "world" => {}
        (p, Perm::All(path, privs) | Perm::Any(path, privs)) if simple_check(p, path, privs) => {}
        (p, Perm::Modify) if p["check"][0] == "perm-modify" => {}
        // `or` of several checks: the table keeps the one that needs a privilege.
        (p, Perm::Any(_, _)) if p["check"][0] == "or" => {}
        (p, perm) => found.push(format!("{at}: permissions are {p}, table has {perm:?}")),
    }
    found
}

fn simple_check(declared: &Value, path: &str, privs: &[&str]) -> bool {
    let check = &declared["check"];
    check[0] == "perm"
        && check[1] == path
        && check[2]
            .as_array()
            .is_some_and(|d| d.iter().map(|p| p.as_str().unwrap_or("")).eq(privs.iter().copied()))
}

fn compare_params(
    at: &str,
    ours: &[Param],
    official: &serde_json::Map<String, Value>,
    found: &mut Vec<String>,
) {
    for name in official.keys().filter(|n| !ours.iter().any(|p| p.name == n.as_str())) {
        found.push(format!("{at}: {name} is missing in the table"));
    }
    for param in ours {
        let Some(theirs) = official.get(param.name) else {
            found.push(format!("{at}: {} is not in the schema", param.name));
            continue;
        };
        compare_param(&format!("{at} {}", param.name), param, theirs, found);
    }
}

fn compare_param(at: &str, ours: &Param, theirs: &Value, found: &mut Vec<String>) {
    let mut expect = |what: &str, same: bool| {
        if !same {
            found.push(format!("{at}: {what} differs, schema has {theirs}"));
        }
    };
    let number = |key: &str| theirs[key].as_i64();
    expect("type", theirs["type"] == ours.kind.name());
    expect("optional", (number("optional") == Some(1)) == ours.optional);
    expect("minimum", number("minimum") == ours.min);
    expect("maximum", number("maximum") == ours.max);
    expect("minLength", number("minLength") == ours.min_len.map(|n| n as i64));
    expect("maxLength", number("maxLength") == ours.max_len.map(|n| n as i64));
    expect("requires", theirs["requires"].as_str() == ours.requires);
    expect("pattern", theirs.get("pattern").is_some() == ours.pattern);
    expect("default_key", (number("default_key") == Some(1)) == ours.default_key);
    let choices: Vec<&str> =
        theirs["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    expect("enum", choices == expanded(ours.choices));
    match (&theirs["format"], ours.format) {
        (Value::Null, Format::Any) => {}
        (Value::String(name), Format::Named(format)) if name == format => {}
        (Value::Object(properties), Format::Nested(nested)) => compare_params(at, nested, properties, found),
        _ => expect("format", false),
    }
}

/// Choices with the numbered families written out.
fn expanded(choices: &[&str]) -> Vec<String> {
    let numbered = |family: &str| (0..256).map(|n| format!("{family}{n}")).collect::<Vec<_>>();
    choices
        .iter()
        .flat_map(|c| c.strip_suffix("[n]").map_or_else(|| vec![(*c).to_owned()], numbered))
        .collect()
}

/// Endpoints of the table that the official excerpt does not list. HA's motions were compared with the sources
/// of pve-ha-manager (`PVE/API2/HA/Resources.pm`): parameters, privilege, protected.
fn outside_excerpt(endpoint: &Endpoint) -> bool {
    matches!(endpoint.op, Op::Index(_) | Op::HaMove(_))
}

#[test]
fn table_agrees_with_the_official_schema() {
    let Some(schema) = shared::json("pve/api-schema.json") else { return };
    let mut found = Vec::new();
    for endpoint in endpoints().filter(|e| !outside_excerpt(e)) {
        match schema["endpoints"][endpoint.path].get(endpoint.method) {
            Some(declared) => found.extend(differences(endpoint, declared)),
            None => found.push(format!("{} {} is not in the schema", endpoint.method, endpoint.path)),
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn comparison_can_fail() {
    let endpoint = endpoints().find(|e| e.op == Op::Shutdown).expect("shutdown is served");
    let declared = serde_json::json!({
        "allowtoken": 1, "protected": 1,
        "permissions": {"check": ["perm", "/vms/{vmid}", ["VM.PowerMgmt"]]},
        "parameters": {"properties": {"timeout": {"type": "integer", "minimum": 1, "optional": 1}}},
    });
    assert!(differences(endpoint, &declared).len() >= 3);
}

fn refused(declared: &[Param], name: &str, value: &str) -> Option<String> {
    let mut given: BTreeMap<String, Raw> = BTreeMap::new();
    for required in declared.iter().filter(|p| !p.optional) {
        let text = if required.name == "vmid" { "100" } else { "x1" };
        given.insert(required.name.to_owned(), Raw::Text(text.to_owned()));
    }
    given.insert(name.to_owned(), Raw::Text(value.to_owned()));
    match verify(declared, given) {
        Err(Refusal::Parameters(errors)) => errors.get(name).cloned(),
        _ => None,
    }
}

#[test]
fn texts_are_those_of_proxmox() {
    let cases = [
        ("vmid", "abc", "type check ('integer') failed - got 'abc'"),
        ("vmid", "99", "invalid format - value does not look like a valid VM ID\n"),
        ("vmid", "0104", "invalid format - value does not look like a valid VM ID\n"),
        ("onboot", "true", "type check ('boolean') failed - got 'true'"),
        ("memory", "301.5", "type check ('integer') failed - got '301.5'"),
        ("memory", "15", "value must have a minimum value of 16"),
        ("foo", "1", super::verify::tests_not_defined()),
        (
            "net0",
            "bridge=vmbr0",
            "invalid format - format error\nnet0.name: property is missing and it is not optional\n",
        ),
    ];
    for (name, value, text) in cases {
        assert_eq!(refused(option::CONFIG_PUT, name, value).as_deref(), Some(text), "{name}={value}");
    }
    assert_eq!(refused(option::CONFIG_PUT, "net12", "name=eth0,bridge=vmbr0,ip=dhcp"), None);
}

#[test]
fn a_repeated_key_is_an_array() {
    let given = BTreeMap::from([
        ("node".to_owned(), Raw::Text("pve".into())),
        ("vmid".to_owned(), Raw::Text("104".into())),
        ("memory".to_owned(), Raw::List(vec!["310".into(), "311".into()])),
    ]);
    let refusal = Refusal::parameter("memory", "type check ('integer') failed - got ARRAY");
    assert_eq!(verify(option::CONFIG_PUT, given), Err(refusal));
}

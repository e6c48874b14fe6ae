//! Holds what the endpoints answer against what the official schema says they return.

use serde_json::Value;

use super::{App, respond};
use crate::pvesim::auth::{Access, TokenSpec};
use crate::pvesim::clock::Clock;
use crate::pvesim::model::population::generate;
use crate::pvesim::model::{Storage, Work, World, WorldConfig};
use crate::pvesim::schema::table::{Op, endpoints};
use crate::pvesim::wire::http::Request;
use crate::pvesim::wire::tls;
use crate::shared;

fn app() -> App {
    app_of("root@pam!t=s")
}

/// With one token, and the grants in it.
fn app_of(token: &str) -> App {
    let names = ["a".to_owned(), "b".to_owned()];
    let config = WorldConfig {
        nodes: names.to_vec(),
        cluster: Some("lab".to_owned()),
        seed: 7,
        speed: 1.0,
        epoch_ms: 1_795_217_825_000,
        storages: vec![Storage::local(), Storage::local_lvm()],
        templates: Vec::new(),
    };
    let tokens = [TokenSpec::token(token).expect("token")];
    let mut world = World::new(&config, Access::new("k", &tokens, &[]));
    for mut spec in generate(7, 12, &names[..1], 100, true) {
        spec.pool = Some("p1".to_owned());
        world.populate(&spec).expect("container");
    }
    world.access.grant("/vms", "user", "root@pam", "PVEAuditor", true);
    let who = crate::pvesim::auth::Identity::from_auth_id("root@pam!t");
    for ms in [10, 1_000_000] {
        world.spawn(0, "vzdump", "101", &who, Work::Plain { lines: vec!["line".to_owned()], ms });
    }
    let nodes = names.map(|n| (n, "10.66.0.1".to_owned()));
    let installation = tls::installation(&nodes, "u", None).expect("certificates");
    let certificates =
        installation.nodes.iter().map(|n| vec![installation.ca.clone(), n.leaf.clone()]).collect();
    let clock = Clock::manual();
    clock.turn(20_000);
    App::new(world, clock, certificates)
}

/// A path with every placeholder filled in.
fn filled(app: &App, template: &str) -> String {
    let upid = app.world(|w| w.tasks.archive(0).next().map(|t| t.upid.clone()).unwrap_or_default());
    let values = [
        ("{node}", "a"),
        ("{vmid}", "101"),
        ("{storage}", "local-lvm"),
        ("{poolid}", "p1"),
        ("{userid}", "root@pam"),
        ("{tokenid}", "t"),
        ("{upid}", upid.as_str()),
    ];
    values.iter().fold(template.to_owned(), |path, (name, value)| path.replace(name, value))
}

fn type_fits(declared: &str, value: &Value) -> bool {
    match declared {
        "null" => value.is_null(),
        "string" => value.is_string() || value.is_number(),
        // Proxmox writes numbers as strings where Perl happened to treat them so.
        "integer" | "number" => value.is_number() || value.as_str().is_some_and(|s| s.parse::<f64>().is_ok()),
        "boolean" => value.as_i64().is_some_and(|n| n == 0 || n == 1),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn check(at: &str, declared: &Value, value: &Value, found: &mut Vec<String>) {
    if let Some(kind) = declared["type"].as_str()
        && !type_fits(kind, value)
    {
        found.push(format!("{at} should be {kind}, is {value}"));
        return;
    }
    for (i, element) in value.as_array().into_iter().flatten().enumerate() {
        check(&format!("{at}[{i}]"), &declared["items"], element, found);
    }
    for (name, property) in declared["properties"].as_object().into_iter().flatten() {
        let given = value.get(name);
        let required = property["optional"].as_i64() != Some(1);
        match given {
            Some(given) => check(&format!("{at}.{name}"), property, given, found),
            None if required => found.push(format!("{at}.{name} is missing")),
            None => {}
        }
    }
}

async fn post(app: &App, path: &str, body: &str) -> (u16, Value) {
    post_as(app, "root@pam!t=s", path, body).await
}

async fn post_as(app: &App, token: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request {
        method: "POST".to_owned(),
        target: format!("/api2/json{path}"),
        minor: 1,
        headers: vec![("authorization".to_owned(), format!("PVEAPIToken={token}"))],
        body: body.as_bytes().to_vec(),
    };
    let reply = respond(app, 0, &request).await.reply;
    (reply.status, serde_json::from_slice(&reply.body.unwrap_or_default()).unwrap_or_default())
}

#[tokio::test]
async fn a_create_takes_the_privileges_of_what_it_is_given() {
    const ALL: [(&str, &str); 8] = [
        ("VM.Allocate", ""),
        ("VM.Config.CPU", "/vms/900, VM.Config.CPU"),
        ("VM.Config.Memory", "/vms/900, VM.Config.Memory"),
        ("VM.Config.Disk", "/vms/900, VM.Config.Disk"),
        ("VM.Config.Network", "/vms/900, VM.Config.Network"),
        ("VM.Config.Options", "/vms/900, VM.Config.Options"),
        ("Datastore.AllocateSpace", "/storage/local-lvm, Datastore.AllocateSpace"),
        ("SDN.Use", "/sdn/zones/localnetwork/vmbr0/20, SDN.Use"),
    ];
    let body = "vmid=900&ostemplate=local:vztmpl/debian-12.tar.zst&hostname=a&cores=1&memory=64&swap=0&onboot=0\
                &rootfs=local-lvm:4&unprivileged=1&net0=name%3Deth0,bridge%3Dvmbr0,tag%3D20,ip%3Ddhcp";
    for (missing, why) in ALL.into_iter().chain([("", "")]) {
        let held: Vec<&str> = ALL.into_iter().map(|(name, _)| name).filter(|name| *name != missing).collect();
        let token = "ops@pve!t=s";
        let app = app_of(&format!("{token}:{}", held.join("+")));
        let (status, answer) = post_as(&app, token, "/nodes/a/lxc", body).await;
        let made = app.world(|w| w.container(900).is_some());
        assert_eq!((status, made), if missing.is_empty() { (200, true) } else { (403, false) }, "{answer}");
        assert!(answer["message"].as_str().unwrap_or_default().contains(why), "{missing}: {answer}");
    }
}

#[tokio::test]
async fn ha_is_told_where_to_take_a_service() {
    let app = app();
    for (how, service, node, status) in [
        ("migrate", "ct:108", "b", 200),
        ("relocate", "108", "a", 200),
        ("relocate", "ct:101", "b", 500),
        ("relocate", "ct:108", "nowhere", 500),
        ("elope", "ct:108", "b", 501),
    ] {
        let path = format!("/cluster/ha/resources/{service}/{how}");
        let (answered, body) = post(&app, &path, &format!("node={node}")).await;
        assert_eq!(answered, status, "{path} {node}: {body}");
        let moved = app.world(|w| w.container(108).and_then(|ct| ct.ha.clone()).and_then(|ha| ha.motion));
        match status {
            200 => {
                assert_eq!(body["data"]["requested-node"], node);
                assert_eq!(moved.map(|(how, _)| how), Some(how));
            }
            _ => assert_eq!(moved, Some(("relocate", 0)), "as it was"),
        }
    }
    assert_eq!(post(&app, "/cluster/ha/resources/ct:108/migrate", "").await.0, 400, "where to?");
}

#[tokio::test]
async fn answers_are_what_the_schema_says_they_return() {
    let Some(schema) = shared::json("pve/api-schema.json") else { return };
    let app = app();
    let mut found = Vec::new();
    for endpoint in
        endpoints().filter(|e| e.method == "GET" && !matches!(e.op, Op::Index(_) | Op::TicketIndex))
    {
        let request = Request {
            method: "GET".to_owned(),
            target: format!("/api2/json{}", filled(&app, endpoint.path)),
            minor: 1,
            headers: vec![("authorization".to_owned(), "PVEAPIToken=root@pam!t=s".to_owned())],
            body: Vec::new(),
        };
        let reply = respond(&app, 0, &request).await.reply;
        let at = endpoint.path;
        let body: Value = serde_json::from_slice(&reply.body.unwrap_or_default()).unwrap_or_default();
        if reply.status != 200 {
            found.push(format!("{at}: {} {body}", reply.status));
            continue;
        }
        if body["data"].as_array().is_some_and(Vec::is_empty) {
            found.push(format!("{at}: nothing to look at"));
        }
        check(at, &schema["endpoints"][at]["GET"]["returns"], &body["data"], &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_wrong_answer_is_noticed() {
    let declared = serde_json::json!({"type": "array", "items": {"type": "object", "properties": {
        "vmid": {"type": "integer"}, "name": {"type": "string", "optional": 1}, "status": {"type": "string"}}}});
    let mut found = Vec::new();
    check("", &declared, &serde_json::json!([{"vmid": "x", "name": []}]), &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
}

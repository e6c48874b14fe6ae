//! The whole simulator over its sockets, with a client that sees every byte.

mod client;

use std::time::{Duration, Instant};

use client::{Client, Got};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::model::Record;
use super::{Sim, SimConfig};
use crate::harness::wait::until_async;

const AUTH: &str = "Authorization: PVEAPIToken=root@pam!t=s\r\n";

async fn sim(containers: usize, speed: f64) -> Sim {
    let nodes = vec!["a".to_owned(), "b".to_owned()];
    let config = SimConfig { nodes, containers, speed, ..SimConfig::default() };
    Sim::start(config.token("root@pam!t=s").token("root@pam!few=s:PVEVMUser@/vms/101")).await.expect("starts")
}

async fn once(sim: &Sim, method: &str, path: &str) -> Option<Got> {
    Client::connect(sim, 0).await.ok()?.ask(method, path, AUTH, "").await
}

async fn node_of(sim: &Sim, vmid: u32) -> String {
    let all = sim.control().containers();
    all.into_iter().find(|c| c.vmid == vmid).map(|c| c.node).unwrap_or_default()
}

#[tokio::test]
async fn a_start_goes_from_request_to_effect() {
    let sim = sim(12, 20.0).await;
    let node = node_of(&sim, 109).await;
    let started = once(&sim, "POST", &format!("/nodes/{node}/lxc/109/status/start")).await.expect("answer");
    assert_eq!(started.line, "HTTP/1.1 200 OK");
    let upid = started.json()["data"].as_str().unwrap_or_default().to_owned();
    assert!(
        upid.starts_with(&format!("UPID:{node}:")) && upid.ends_with(":vzstart:109:root@pam!t:"),
        "{upid}"
    );
    let path = format!("/nodes/{node}/tasks/{upid}/status");
    let exit = until_async("the end of the task", async || {
        let status = once(&sim, "GET", &path).await.expect("answer").json();
        let ended = status["data"]["status"] == "stopped";
        if ended { Ok(status["data"]["exitstatus"].clone()) } else { Err(status.to_string()) }
    })
    .await;
    assert_eq!(exit, "OK");
    let again = once(&sim, "POST", &format!("/nodes/{node}/lxc/109/status/start")).await.expect("answer");
    assert_eq!(again.line, "HTTP/1.1 500 CT 109 already running");
    assert!(again.head.contains("\r\nConnection: close"));
    let effects =
        sim.ledger().into_iter().filter(|e| matches!(&e.record, Record::Effect { vmid: 109, .. })).count();
    assert_eq!(effects, 1);
}

#[tokio::test]
async fn a_lost_reply_has_its_effect_or_not() {
    let sim = sim(12, 20.0).await;
    let node = node_of(&sim, 110).await;
    let path = format!("/nodes/{node}/lxc/110/status/start");
    sim.control().add_fault("lost-before:POST:*/status/start:1").expect("fault");
    assert!(once(&sim, "POST", &path).await.is_none());
    let tasks =
        |sim: &Sim| sim.ledger().iter().filter(|e| matches!(e.record, Record::TaskStart { .. })).count();
    assert_eq!(tasks(&sim), 0);
    sim.control().add_fault("lost-after:POST:*/status/start").expect("fault");
    assert!(once(&sim, "POST", &path).await.is_none());
    assert_eq!(tasks(&sim), 1);
    let requests: Vec<(u16, bool)> = sim
        .ledger()
        .into_iter()
        .filter_map(|e| match e.record {
            Record::Request { status, answered, .. } => Some((status, answered)),
            _ => None,
        })
        .collect();
    assert_eq!(requests, [(0, false), (200, false)]);
}

#[tokio::test]
async fn answers_break_in_the_ordered_way() {
    let sim = sim(0, 1000.0).await;
    for (spec, expected) in [
        ("reset-body:GET:/version", None),
        ("595:GET:/version", Some("HTTP/1.1 595 Connection refused")),
        ("596:GET:/version", Some("HTTP/1.1 596 Connection timed out")),
        ("html:GET:/version", Some("HTTP/1.1 502 Bad Gateway")),
        ("http500:GET:/version:got no worker", Some("HTTP/1.1 500 got no worker")),
        ("truncated:GET:/version", Some("HTTP/1.1 200 OK")),
        ("wrong-types:GET:/version", Some("HTTP/1.1 200 OK")),
        ("huge:GET:/version", Some("HTTP/1.1 200 OK")),
    ] {
        sim.control().add_fault(spec).expect("fault");
        let got = once(&sim, "GET", "/version").await;
        assert_eq!(got.as_ref().map(|g| g.line.as_str()), expected, "{spec}");
        let Some(got) = got else { continue };
        match spec.split(':').next() {
            Some("truncated") => assert!(serde_json::from_slice::<Value>(&got.body).is_err()),
            Some("wrong-types") => assert!(got.json()["data"]["version"].is_number()),
            Some("huge") => assert!(got.body.len() > 10_000_000),
            _ => {}
        }
    }
    assert_eq!(sim.control().faults(), []);
    assert_eq!(once(&sim, "GET", "/version").await.expect("answer").json()["data"]["version"], "9.2.11");
}

#[tokio::test]
async fn a_connection_carries_a_hundred_requests() {
    let sim = sim(0, 1.0).await;
    let mut client = Client::connect(&sim, 0).await.expect("connects");
    for i in 1..=100 {
        let got = client.ask("GET", "/version", AUTH, "").await.expect("answer");
        assert_eq!(got.head.contains("Connection: close"), i == 100, "request {i}");
    }
    assert!(client.ask("GET", "/version", AUTH, "").await.is_none());
    assert_eq!(sim.counters().by_class["GET /version"], 100);
    assert_eq!(sim.counters().connections, 1);
}

#[tokio::test]
async fn a_wrong_secret_is_answered_late_and_without_a_body() {
    let sim = sim(0, 10.0).await;
    let start = Instant::now();
    let mut client = Client::connect(&sim, 0).await.expect("connects");
    let got = client
        .ask("GET", "/version", "Authorization: PVEAPIToken=root@pam!t=x\r\n", "")
        .await
        .expect("answer");
    assert_eq!(got.line, "HTTP/1.1 401 Authentication failed!");
    assert!(!got.head.contains("Content-Length") && !got.head.contains("Content-Type"));
    assert!(start.elapsed() >= Duration::from_millis(290));
}

#[tokio::test]
async fn a_weak_token_sees_what_it_may() {
    let sim = sim(12, 1000.0).await;
    let few = "Authorization: PVEAPIToken=root@pam!few=s\r\n";
    let ask = async |method: &str, path: String| {
        Client::connect(&sim, 0).await.expect("connects").ask(method, &path, few, "").await.expect("answer")
    };
    let all = ask("GET", "/cluster/resources?type=vm".to_owned()).await.json();
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
    let node = node_of(&sim, 102).await;
    let got = ask("POST", format!("/nodes/{node}/lxc/102/status/stop")).await;
    assert_eq!(got.line, "HTTP/1.1 403 Permission check failed (/vms/102, VM.PowerMgmt)");
    let permissions = ask("GET", "/access/permissions".to_owned()).await.json();
    assert_eq!(
        permissions["data"].as_object().map(|o| o.keys().cloned().collect()),
        Some(vec!["/vms/101".to_owned()])
    );
}

#[tokio::test]
async fn an_offline_node_is_no_route_to_host() {
    let sim = sim(12, 100.0).await;
    sim.control().node("b", "offline").expect("known");
    let got = once(&sim, "GET", "/nodes/b/lxc").await.expect("answer");
    assert_eq!(got.line, "HTTP/1.1 595 No route to host");
    assert!(Client::connect(&sim, 1).await.is_err(), "its own port is dead");
    let nodes = once(&sim, "GET", "/nodes").await.expect("answer").json();
    let states: Vec<&str> =
        nodes["data"].as_array().into_iter().flatten().filter_map(|n| n["status"].as_str()).collect();
    assert_eq!(states, ["online", "offline"]);
    sim.control().node("b", "online").expect("known");
    assert_eq!(once(&sim, "GET", "/nodes/b/lxc").await.expect("answer").line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_config_change_waits_ten_seconds_for_the_lock() {
    let sim = sim(12, 50.0).await;
    let node = node_of(&sim, 103).await;
    once(&sim, "POST", &format!("/nodes/{node}/lxc/103/status/shutdown?timeout=0")).await.expect("answer");
    until_async("the task", async || {
        let begun = sim.ledger().iter().any(|entry| matches!(entry.record, Record::TaskStart { .. }));
        if begun { Ok(()) } else { Err("not begun".to_owned()) }
    })
    .await;
    let start = Instant::now();
    let mut client = Client::connect(&sim, 0).await.expect("connects");
    let got = client
        .ask("PUT", &format!("/nodes/{node}/lxc/103/config"), AUTH, "memory=600")
        .await
        .expect("answer");
    assert_eq!(got.line, "HTTP/1.1 500 can't lock file '/run/lock/lxc/pve-config-103.lock' - got timeout");
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
}

#[tokio::test]
async fn plain_http_is_sent_to_https() {
    let sim = sim(0, 1.0).await;
    let mut stream = TcpStream::connect(sim.url().trim_start_matches("https://")).await.expect("connects");
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: pve:8006\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("answer");
    assert!(text.starts_with("HTTP/1.1 301 ") && text.contains("Location: https://pve:8006/x"), "{text}");
}

#[tokio::test]
async fn the_control_api_does_what_the_methods_do() {
    let sim = sim(12, 100.0).await;
    let ask = async |method: &str, path: &str, body: &str| -> (String, Value) {
        let mut stream =
            TcpStream::connect(sim.ready().control.trim_start_matches("http://")).await.expect("connects");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("head");
        (head[9..12].to_owned(), serde_json::from_str(body).expect("JSON"))
    };
    assert_eq!(ask("POST", "/fault", r#"{"spec":"html:GET:/version"}"#).await.0, "200");
    assert_eq!(
        ask("POST", "/fault", r#"{"spec":"nonsense"}"#).await.1["error"],
        "bad fault 'nonsense': 'nonsense' is no fault"
    );
    assert_eq!(ask("GET", "/fault", "").await.1[0]["spec"], "html:GET:/version");
    assert_eq!(ask("DELETE", "/fault", "").await.0, "200");
    assert_eq!(ask("POST", "/container", r#"{"vmid":500,"name":"new","running":true}"#).await.0, "200");
    assert_eq!(ask("POST", "/container/500", r#"{"lock":"backup","node":"b"}"#).await.0, "200");
    let view = sim.control().containers().into_iter().find(|c| c.vmid == 500).expect("added");
    assert_eq!((view.node.as_str(), view.lock.as_deref(), view.running), ("b", Some("backup"), true));
    assert_eq!(ask("DELETE", "/container/500", "").await.0, "200");
    assert_eq!(ask("DELETE", "/container/500", "").await.1["error"], "no container 500");
    let foreign = ask("POST", "/foreign", r#"{"verb":"start","vmid":110}"#).await.1;
    assert!(foreign["upid"].as_str().is_some_and(|u| u.ends_with(":vzstart:110:somebody@pam:")), "{foreign}");
    let kill = format!("/task/{}/kill", foreign["upid"].as_str().unwrap_or_default());
    assert_eq!(ask("POST", &kill, "").await.0, "200");
    assert_eq!(ask("POST", "/task/none/kill", "").await.0, "400");
    assert_eq!(ask("POST", "/clock", r#"{"skew_seconds":-30}"#).await.0, "200");
    assert_eq!(ask("POST", "/node/a/reboot", "").await.0, "200");
    assert_eq!(ask("POST", "/node/a/explode", "").await.0, "400");
    assert!(ask("GET", "/ledger?after=1", "").await.1.as_array().is_some_and(|l| l[0]["seq"] == 2));
    assert!(ask("GET", "/counters", "").await.1["total"].is_number());
    assert_eq!(ask("GET", "/nonsense", "").await.0, "404");
}

//! Replays exchanges recorded from a genuine Proxmox VE against the simulator, and compares.
//!
//! Owns the comparison. The simulator is put into the state the recording had (`arrange`); what cannot be
//! compared is listed with its reason (`listed`). Status, reason phrase, error texts and the shape of the
//! JSON (keys and types) have to be the same; times, sizes and identifiers are not compared.

mod arrange;
mod listed;
mod run;
mod shape;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shared;
use run::Replay;

/// What was recorded.
#[derive(Debug, Clone)]
struct Exchange {
    name: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    reason: String,
    answer: String,
    at: f64,
    took: f64,
    content_type: Option<String>,
}

impl Exchange {
    fn of(record: &Value) -> Self {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let headers = record["request_headers"].as_object().into_iter().flatten();
        let line = text("status_line");
        let answered = record["response_headers"].as_array().into_iter().flatten();
        Self {
            name: text("name"),
            method: text("method"),
            path: text("path"),
            headers: headers.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect(),
            body: text("request_body"),
            status: record["status"].as_u64().unwrap_or(0) as u16,
            reason: line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned(),
            answer: text("response_body"),
            at: record["time"].as_f64().unwrap_or(0.0),
            took: record["elapsed_s"].as_f64().unwrap_or(0.0),
            content_type: answered
                .filter(|h| h[0] == "Content-Type")
                .find_map(|h| h[1].as_str())
                .map(str::to_owned),
        }
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was compared is the point of this test")]
async fn exchanges_of_a_genuine_installation_are_answered_alike() {
    let Some(records) = shared::exchanges() else { return };
    let mut replay = Replay::new();
    let mut mismatches: Vec<String> = Vec::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut matched = 0;
    for (i, record) in records.iter().enumerate() {
        let exchange = Exchange::of(record);
        if let Some(reason) = listed::reason(&exchange.name) {
            *reasons.entry(reason).or_default() += 1;
            replay.skip(&exchange);
            continue;
        }
        let found = replay.compare(&exchange).await;
        if found.is_empty() {
            matched += 1;
        } else {
            mismatches.push(format!("{i} {}: {}", exchange.name, found.join("; ")));
        }
    }
    let listed: usize = reasons.values().sum();
    println!(
        "{} exchanges: {} compared, {matched} matched, {listed} listed as different",
        records.len(),
        records.len() - listed
    );
    for (reason, count) in &reasons {
        println!("  {count:3}  {reason}");
    }
    assert!(mismatches.is_empty(), "{} mismatches\n{}", mismatches.len(), mismatches.join("\n"));
    assert!(matched * 10 >= records.len() * 8, "too few exchanges are compared");
}

#[tokio::test]
async fn a_wrong_answer_is_noticed() {
    let Some(records) = shared::exchanges() else { return };
    let mut exchange =
        records.iter().map(Exchange::of).find(|e| e.name == "perm.worker.version").expect("recorded");
    assert_eq!(Replay::new().compare(&exchange).await, Vec::<String>::new());
    exchange.answer = exchange.answer.replace("\"release\":\"9.2\"", "\"release\":9");
    assert_eq!(Replay::new().compare(&exchange).await.len(), 1);
}

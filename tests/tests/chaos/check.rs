//! What must hold in the end, whatever happened. Owns the comparison of Proxmox's own ledger, the database and
//! what clients were told; must not repair anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lxc_tests::pvesim::model::Record;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use super::clients::{Story, Told};
use super::stage::client::Client;
use super::stage::{Stage, TOKEN};

/// The verdict, with what it was made from.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) wrong: Vec<String>,
    operations: usize,
    endings: BTreeMap<String, u32>,
    tasks: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endings: Vec<String> = self.endings.iter().map(|(how, times)| format!("{times} {how}")).collect();
        write!(
            f,
            "{} operations ({}), {} tasks on Proxmox, {} wrong",
            self.operations,
            endings.join(", "),
            self.tasks,
            self.wrong.len()
        )
    }
}

async fn rows(pool: &AnyPool, sql: &'static str) -> Vec<sqlx::any::AnyRow> {
    sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap()
}

pub(crate) async fn everything(stage: &Stage, told: &Told) -> Found {
    let pool = stage.database().await;
    let mut found = Found::default();
    tasks(stage, &pool, &mut found).await;
    records(&pool, told, &mut found).await;
    for (id, story) in &told.stories {
        if let Some(wrong) = incomplete(story) {
            found.wrong.push(format!("op {id} was not told as it was: {wrong}"));
        }
    }
    states(stage, &mut found).await;
    pool.close().await;
    found
}

/// Every task Proxmox has begun for our token belongs to exactly one step, and every step's task is one of them;
/// what is said to have succeeded has.
async fn tasks(stage: &Stage, pool: &AnyPool, found: &mut Found) {
    let (mut began, mut ended) = (BTreeSet::new(), BTreeMap::new());
    for entry in stage.sim.ledger() {
        match entry.record {
            Record::TaskStart { upid } if upid.split(':').nth(7) == Some(TOKEN.0) => {
                began.insert(upid);
            }
            Record::TaskEnd { upid, status } => {
                ended.insert(upid, status);
            }
            _ => {}
        }
    }
    found.tasks = began.len();
    let steps = "SELECT s.upid, o.id, o.state, o.verb FROM step s JOIN operation o ON o.id = s.operation_id \
                 WHERE s.upid IS NOT NULL";
    let mut known = BTreeSet::new();
    for row in rows(pool, steps).await {
        let (upid, id): (String, String) = (row.get("upid"), row.get("id"));
        let (state, verb): (String, String) = (row.get("state"), row.get("verb"));
        if !began.contains(&upid) {
            found.wrong.push(format!("op {id} says it made {upid}, which Proxmox never had"));
        }
        // One that was cut off may have reached its goal all the same: then the state has decided.
        let fine = |status: &String| {
            let cut_off = ["received interrupt", "unexpected status"];
            status == "OK" || status.starts_with("WARNINGS") || cut_off.contains(&status.as_str())
        };
        if state == "succeeded" && !ended.get(&upid).is_some_and(fine) {
            let status = ended.get(&upid);
            found.wrong.push(format!("{verb} {id} succeeded, and its task {upid} ended with {status:?}"));
        }
        known.insert(upid);
    }
    let mut ownerless: BTreeMap<(i64, String), Vec<&String>> = BTreeMap::new();
    for upid in began.difference(&known) {
        let mut fields = upid.split(':').skip(5);
        let (kind, vmid) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        ownerless.entry((vmid.parse().unwrap_or(0), kind.to_owned())).or_default().push(upid);
    }
    for ((vmid, kind), upids) in ownerless {
        let lost = unnamed(pool, vmid, &kind).await;
        if upids.len() > lost {
            let history = history(stage, pool, vmid).await;
            found.wrong.push(format!(
                "{upids:?}: {lost} dispatches have lost their task, so it was sent twice\n{history}"
            ));
        }
    }
}

/// How many calls of this kind were recorded whose task nobody could name in the end: its traces were rotated away
/// before they were looked for, or its node never answered. Each explains one task without an owner.
async fn unnamed(pool: &AnyPool, vmid: i64, kind: &str) -> usize {
    let step = kind.trim_start_matches("vz");
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM operation o JOIN step s ON s.operation_id = o.id \
               JOIN event e ON e.operation_id = o.id \
               WHERE o.vmid = $1 AND s.kind = $2 AND s.upid IS NULL AND e.data LIKE '%\"dispatching\"%'";
    let row = sqlx::query(sql).bind(vmid).bind(step).fetch_one(pool).await.unwrap();
    usize::try_from(row.get::<i64, _>("n")).unwrap_or(0)
}

/// What Proxmox and we have written down about one container.
async fn history(stage: &Stage, pool: &AnyPool, vmid: i64) -> String {
    let mut lines = Vec::new();
    let (path, field) = (format!("/lxc/{vmid}/"), format!(":{vmid}:"));
    for entry in stage.sim.ledger() {
        let text = format!("{:?}", entry.record);
        if text.contains(&path) || text.contains(&field) {
            lines.push(format!("    {:>8} ms  {text}", entry.at_ms));
        }
    }
    let sql = "SELECT o.id, o.verb, o.state, e.seq, e.time_us, e.type, e.data FROM operation o \
               JOIN event e ON e.operation_id = o.id WHERE o.vmid = $1 ORDER BY e.time_us, e.seq";
    for row in sqlx::query(sql).bind(vmid).fetch_all(pool).await.unwrap() {
        let (id, verb, state): (String, String, String) = (row.get("id"), row.get("verb"), row.get("state"));
        let (seq, time): (i64, i64) = (row.get("seq"), row.get("time_us"));
        let (kind, data): (String, String) = (row.get("type"), row.get("data"));
        lines.push(format!("    {} {verb} {} {state} {seq} {kind} {data}", time / 1_000, &id[28..]));
    }
    lines.join("\n")
}

/// No lock is left, no event is missing, nothing that was asked for is lost, nothing is there that was not.
async fn records(pool: &AnyPool, told: &Told, found: &mut Found) {
    for row in rows(pool, "SELECT CAST(vmid AS TEXT) AS vmid, operation_id FROM container_lock").await {
        let (vmid, id): (String, String) = (row.get("vmid"), row.get("operation_id"));
        found.wrong.push(format!("{vmid} is still locked by op {id}"));
    }
    let events = "SELECT o.id, o.state, o.last_seq, o.request_id, \
                  (SELECT COUNT(*) FROM event e WHERE e.operation_id = o.id) AS events, \
                  (SELECT COUNT(*) FROM audit a WHERE a.operation_id = o.id AND a.ended_us IS NOT NULL) AS audits \
                  FROM operation o";
    let mut requests = BTreeMap::new();
    for row in rows(pool, events).await {
        let (id, state): (String, String) = (row.get("id"), row.get("state"));
        let (last, events, audits): (i64, i64, i64) =
            (row.get("last_seq"), row.get("events"), row.get("audits"));
        if last != events {
            found.wrong.push(format!("op {id} has {events} events, and the last has the number {last}"));
        }
        if audits != 1 {
            found.wrong.push(format!("op {id} has {audits} audit records that say how it ended"));
        }
        *found.endings.entry(state).or_default() += 1;
        if let Some(other) = requests.insert(row.get::<String, _>("request_id"), id.clone()) {
            found.wrong.push(format!("one request made two operations, {other} and {id}"));
        }
        found.operations += 1;
    }
    for (request, op) in &told.requests {
        match (op, requests.get(request)) {
            (Some(op), Some(stored)) if op != stored => {
                found.wrong.push(format!("request {request} was told of op {op} and is {stored}"));
            }
            (Some(op), None) => found.wrong.push(format!("op {op} was accepted and is lost")),
            _ => {}
        }
    }
    for (request, op) in requests.iter().filter(|(request, _)| !told.requests.contains_key(*request)) {
        found.wrong.push(format!("nobody asked for op {op} (request {request})"));
    }
}

/// What is missing or double in what a client was told.
fn incomplete(story: &Story) -> Option<String> {
    let Some(result) = &story.result else { return Some("it never ended".to_owned()) };
    let mut next = 1;
    let mut skips = story.skipped.iter();
    for seq in &story.seqs {
        while next < *seq {
            match skips.next() {
                Some((from, to)) if *from == next => next = to + 1,
                _ => return Some(format!("after {} came {seq}: {:?}", next - 1, story.seqs)),
            }
        }
        if *seq != next {
            return Some(format!("{seq} came after {}: {:?}", next - 1, story.seqs));
        }
        next += 1;
    }
    (next != result.last_seq + 1)
        .then(|| format!("the last event told was {}, of {}", next - 1, result.last_seq))
}

/// Every daemon lists what Proxmox has.
async fn states(stage: &Stage, found: &mut Found) {
    let truth: BTreeMap<u32, bool> =
        stage.sim.control().containers().iter().map(|ct| (ct.vmid, ct.running)).collect();
    for (n, socket) in stage.sockets.iter().enumerate() {
        let listed = Client::new(socket).list().await;
        for (vmid, running) in &truth {
            let power = if *running { "running" } else { "stopped" };
            match listed.get(vmid) {
                Some(told) if told == power => {}
                told => {
                    found.wrong.push(format!("daemon {}: {vmid} is {power}, and it says {told:?}", n + 1))
                }
            }
        }
    }
}

//! Facts: events, audit records, and who did it.

use lxc_proto::v1 as pb;
use serde::Serialize;

use crate::ui::time::Instant;

/// One immutable fact.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Event {
    pub kind: &'static str,
    pub cursor: i64,
    pub time: Instant,
    #[serde(rename = "type")]
    pub kind_of: String,
    pub target: String,
    pub name: Option<String>,
    pub container_id: Option<String>,
    pub operation_id: Option<String>,
    pub seq: Option<i64>,
    pub actor: Option<String>,
    pub message: String,
    pub step: Option<u32>,
    pub steps: Option<u32>,
    pub percent: Option<f64>,
    pub forced_at: Option<Instant>,
    pub how: Option<String>,
}

impl From<pb::Event> for Event {
    fn from(e: pb::Event) -> Self {
        Self {
            kind: "Event",
            cursor: e.cursor,
            time: Instant(e.time_us),
            kind_of: e.r#type,
            target: e.target,
            name: e.name,
            container_id: Some(e.container_id).filter(|id| !id.is_empty()),
            operation_id: e.operation_id,
            seq: e.seq,
            actor: e.actor,
            message: e.message,
            step: e.step,
            steps: e.steps,
            percent: e.percent,
            forced_at: e.forced_at_us.map(Instant),
            how: e.how,
        }
    }
}

/// A person or program that asked for something.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Actor {
    pub name: String,
    pub uid: u32,
    pub domain: String,
    pub pid: u32,
    pub process: String,
    pub tty: Option<String>,
    pub login_uid: Option<u32>,
    pub sudo_uid: Option<u32>,
}

impl From<pb::Actor> for Actor {
    fn from(a: pb::Actor) -> Self {
        Self {
            name: a.name,
            uid: a.uid,
            domain: a.domain,
            pid: a.pid,
            process: a.process,
            tty: Some(a.tty).filter(|tty| !tty.is_empty()),
            login_uid: a.login_uid,
            sudo_uid: a.sudo_uid,
        }
    }
}

/// Who asked for what, when, and how it ended.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct AuditRecord {
    pub kind: &'static str,
    pub id: i64,
    pub time: Instant,
    pub actor: Option<Actor>,
    pub verb: String,
    pub target: String,
    pub operation_id: Option<String>,
    pub request_id: Option<String>,
    pub result: Option<String>,
    pub code: Option<String>,
    pub ended_at: Option<Instant>,
    pub detail: String,
}

impl From<pb::AuditRecord> for AuditRecord {
    fn from(a: pb::AuditRecord) -> Self {
        Self {
            kind: "AuditRecord",
            id: a.id,
            time: Instant(a.time_us),
            actor: a.actor.map(Actor::from),
            verb: a.verb,
            target: a.target,
            operation_id: a.operation_id,
            request_id: a.request_id,
            result: a.result,
            code: a.code,
            ended_at: a.ended_us.map(Instant),
            detail: a.detail,
        }
    }
}

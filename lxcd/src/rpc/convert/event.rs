//! Events and audit records.

use lxc_core::op::WAITING;
use lxc_core::record::{AuditRecord, EventRecord};
use lxc_proto::v1;

/// `open` = the reader may see Proxmox's own words, which errors and logs are made of.
pub(in crate::rpc) fn event(row: &EventRecord, open: bool) -> v1::Event {
    let data = &row.data;
    let message = match row.kind.as_str() {
        "error" | "log" | "step" if !open => String::new(),
        "progress" if !open && data.message.starts_with(WAITING) => {
            data.message.split(':').next().unwrap_or(WAITING).to_owned()
        }
        _ => data.message.clone(),
    };
    v1::Event {
        cursor: row.cursor,
        time_us: row.time,
        r#type: row.kind.clone(),
        target: row.target.clone(),
        container_id: row.container_id.clone(),
        name: row.name.clone(),
        operation_id: row.operation.map(|(id, _)| id.to_string()),
        seq: row.operation.map(|(_, seq)| seq),
        actor: row.actor.clone(),
        message,
        step: data.step.map(|(step, _)| step),
        steps: data.step.map(|(_, steps)| steps),
        percent: data.percent,
        forced_at_us: data.forced_at,
        how: data.how.clone(),
    }
}

pub(in crate::rpc) fn audit(row: &AuditRecord) -> v1::AuditRecord {
    v1::AuditRecord {
        id: row.id,
        time_us: row.time,
        actor: Some(super::actor(&row.actor)),
        verb: row.verb.clone(),
        target: row.target.clone(),
        operation_id: row.operation_id.clone(),
        request_id: row.request_id.clone(),
        result: row.result.clone(),
        code: row.code.clone(),
        ended_us: row.ended,
        detail: row.detail.clone(),
    }
}

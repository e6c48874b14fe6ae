//! The words of locks: who holds a container and how to wait for it.

use std::time::Duration;

use super::about;
use crate::error::{Code, Error, moment};
use crate::ids::Micros;
use crate::op::kind::Kind;
use crate::op::state::{Operation, Target};
use crate::text;

/// Another operation of ours holds it.
#[must_use]
pub fn locked(target: &Target, verb: &str, holder: &Operation, now: Micros) -> Error {
    let since = holder.started.unwrap_or(holder.created);
    let ago = text::span(u64::try_from((now - since).max(0) / 1_000_000).unwrap_or(0));
    let short = holder.id.short();
    let step = holder.current_step().map_or(holder.steps.len(), |i| i + 1);
    let doing = match holder.kind {
        Kind::Create { .. } => "creates it",
        Kind::Start => "starts it",
        Kind::Stop => "stops it",
        Kind::Shutdown { .. } => "shuts it down",
        Kind::Restart { .. } => "restarts it",
        Kind::Delete { .. } => "deletes it",
        Kind::Forget => "forgets it",
        Kind::Newer { .. } => "works on it",
    };
    about(Code::Locked, target, format!("{} is locked", target.label()))
        .because(format!(
            "{} {doing} since {}, {ago} ago (op {short}, step {step}/{})",
            holder.actor,
            moment(since),
            holder.steps.len()
        ))
        .operation(holder.id)
        .hint(format!("lxcctl {verb} {{target}} --wait-lock 60s"))
        .hint_noted(format!("lxcctl op watch {short}"), "or watch")
}

/// Proxmox itself holds it.
pub(in crate::op) fn pve_locked(op: &Operation, lock: &str) -> Error {
    let error =
        about(Code::PveLocked, &op.target, format!("{}: Proxmox holds the lock '{lock}'", op.target.label()))
            .because(format!("a {lock} is running, or one was interrupted and left its lock behind"));
    waited_longer(op, error).hint_noted(
        format!("pct unlock {}", op.target.vmid),
        format!("on {}, only when nothing uses it any more", op.target.node),
    )
}

/// Somebody else's script holds the container's key in Redis.
pub(in crate::op) fn foreign_locked(op: &Operation, value: &str, left: Option<Duration>) -> Error {
    let value: String = value.chars().take(80).collect();
    let error = about(Code::ForeignLocked, &op.target, format!("{} is locked in Redis", op.target.label()));
    match left {
        Some(left) => waited_longer(
            op,
            error.because(format!(
                "{value} holds it for another {} at most",
                text::span(left.as_secs().max(1))
            )),
        ),
        None => waited_longer(op, error.because(format!("{value} holds it, for ever")))
            .hint_noted("lxcctl unlock {target}", "only when nothing uses it any more"),
    }
}

/// What was waited for in vain is waited for longer the next time.
fn waited_longer(op: &Operation, error: Error) -> Error {
    let waited = op
        .lock_deadline
        .filter(|&deadline| deadline != Micros::MAX)
        // To the nearest: the deadline is set a moment after the operation.
        .map(|deadline| text::seconds_between(op.created, deadline.saturating_add(500_000)));
    let (error, longer) = match waited {
        Some(waited) => {
            (error.because(format!("waited {} for it", text::span(waited))), (waited * 4).max(600))
        }
        None => (error, 600),
    };
    error.hint(format!(
        "lxcctl {} {{target}} --wait-lock {}",
        op.kind.verb(),
        text::span(longer).replace(' ', "")
    ))
}

/// It was locked a moment ago, and the holder is gone.
#[must_use]
pub fn lock_gone(target: &Target) -> Error {
    about(Code::Locked, target, format!("{} was locked a moment ago", target.label()))
        .because("the operation that held it has just ended")
        .hint("lxcctl show {target}")
}

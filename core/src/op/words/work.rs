//! The words of work in a container that failed.

use super::about;
use crate::create::Part;
use crate::error::{Code, Error};
use crate::ids::Micros;
use crate::job::JobExit;
use crate::op::state::Operation;
use crate::op::step::Work;
use crate::ports::JobError;
use crate::text;

/// Bytes of a script's own words in an error; its log has them all.
const MOST: usize = 300;

/// It ran when it was looked at last.
pub(in crate::op) fn stopped_meanwhile(op: &Operation, node: &str) -> Error {
    about(Code::NotRunning, &op.target, format!("{} is not running any more", op.target.label()))
        .because(format!("it was stopped on {node} while it was being made"))
        .hint_noted("lxcctl start {target} --if-needed", "then")
        .hint(format!("lxcctl op retry {}", op.id.short()))
        .operation(op.id)
}

/// The node cannot be logged in to.
pub(in crate::op) fn no_access(op: &Operation, node: &str, error: &JobError) -> Error {
    let remote = &op.target.remote;
    let fault =
        about(Code::NoSsh, &op.target, format!("{node} cannot be reached by SSH")).because(error.to_string());
    match error {
        JobError::HostKeyChanged { .. } | JobError::HostKeyUnknown { .. } => fault.hint_noted(
            format!("lxcctl remote trust {remote} --rotate"),
            "after checking it with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        ),
        _ => fault.hint(format!("lxcctl remote doctor {remote}")),
    }
    .hint_noted(format!("lxcctl op retry {}", op.id.short()), "then goes on from here")
    .operation(op.id)
}

/// A job ended, and not well.
pub(in crate::op) fn work_failed(
    op: &Operation,
    step: usize,
    work: &Work,
    exit: &JobExit,
    now: Micros,
) -> Error {
    let label = op.target.label();
    let part = op.kind.part(op.steps[step].kind);
    let (code, what) = match part {
        Some(Part::Script { name, place, of, .. }) => {
            (Code::ScriptFailed, format!("script {name} ({place}/{of}) failed in {label}"))
        }
        Some(Part::Reach) => (Code::NotReady, format!("{label} runs and does not answer")),
        Some(part) => (Code::ProvisionFailed, format!("{} failed in {label}", part.name())),
        None => (Code::ProvisionFailed, format!("a piece of work failed in {label}")),
    };
    let after = text::elapsed(now.saturating_sub(work.at));
    let said = Some(&work.fault).filter(|fault| !fault.is_empty());
    let last = said.or_else(|| work.tail.iter().rev().find(|line| !line.trim().is_empty()));
    let why = last.map_or_else(
        || format!("{exit} after {after}"),
        |line| format!("{exit} after {after}: {}", text::cut(line.trim(), MOST)),
    );
    goes_on(op, about(code, &op.target, what).because(why))
}

/// A job has begun and nobody can tell how it ended.
pub(in crate::op) fn work_lost(op: &Operation, step: usize, work: &Work, why: &str) -> Error {
    let part = op.kind.step_name(op.steps[step].kind);
    let what = format!("{part} was lost on {}", work.node);
    goes_on(op, about(Code::JobLost, &op.target, what).because(why.to_owned()))
}

fn goes_on(op: &Operation, error: Error) -> Error {
    let id = op.id.short();
    error
        .hint(format!("lxcctl op log {id}"))
        .hint_noted(format!("lxcctl op retry {id}"), "then go on from this step")
        .operation(op.id)
}

//! The words of refusals and failures: one place that turns a situation into a code, what, why and
//! what to try. Pure; must not decide whether to refuse.

mod create;
mod locks;
mod work;

pub(super) use create::{NO_TRACE, NOT_LISTED, not_downloaded, stuck, vmid_taken};
pub(super) use locks::{foreign_locked, pve_locked};
pub use locks::{lock_gone, locked};
pub(super) use work::{no_access, stopped_meanwhile, work_failed, work_lost};

use super::kind::{Kind, StepKind};
use super::plan::Seen;
use super::state::{Operation, Target};
use super::step::StepState;
use crate::error::{Code, Error};
use crate::ports::PveError;
use crate::pve::{Live, Power, Refusal, RefusalKind, TaskExit};
use crate::text;

fn about(code: Code, target: &Target, message: String) -> Error {
    Error::new(code, message).about(target.path())
}

/// The goal of a first step is reached already.
pub(super) fn already(op: &Operation, live: &Live, node: &str) -> Error {
    let verb = op.kind.verb();
    let label = op.target.label();
    if live.power == Power::Running {
        let since = live.usage.uptime.map_or_else(String::new, |up| format!(", for {}", text::span(up)));
        about(Code::AlreadyRunning, &op.target, format!("{label} is already running"))
            .because(format!("on {node}{since}"))
            .hint_noted(format!("lxcctl {verb} {{target}} --if-needed"), "nothing to do is then a success")
    } else {
        about(Code::NotRunning, &op.target, format!("{label} is not running"))
            .because(format!("stopped on {node}"))
            .hint_noted(format!("lxcctl {verb} {{target}} --if-needed"), "nothing to do is then a success")
    }
}

pub(super) fn template(op: &Operation) -> Error {
    about(Code::IsTemplate, &op.target, format!("{} is a Proxmox template", op.target.label()))
        .because("a template is there to be cloned; it cannot be started")
        .hint("lxcctl show {target}")
}

pub(super) fn protected(op: &Operation) -> Error {
    about(Code::Protected, &op.target, format!("{} is protected", op.target.label()))
        .because("its config on Proxmox says protection: 1")
        .hint_noted(format!("pct set {} --protection 0", op.target.vmid), format!("on {}", op.target.node))
}

pub(super) fn ha_error(op: &Operation) -> Error {
    about(Code::HaFailed, &op.target, format!("HA has put {} into its error state", op.target.label()))
        .because("in that state the HA manager ignores every request but one")
        .hint_noted(
            format!("ha-manager set ct:{} --state disabled", op.target.vmid),
            "on a Proxmox node; then set it to started or stopped again",
        )
}

pub(super) fn ha_slow(op: &Operation) -> Error {
    about(Code::HaFailed, &op.target, format!("HA did not act on {} in time", op.target.label()))
        .because("Proxmox accepted the request, the HA manager has not carried it out")
        .hint_noted("ha-manager status", "on a Proxmox node")
}

pub(super) fn replaced(op: &Operation) -> Error {
    about(Code::Replaced, &op.target, format!("{} was replaced", op.target.path()))
        .because(format!(
            "vmid {} now belongs to another container than the one that was meant",
            op.target.vmid
        ))
        .hint("lxcctl show {target}")
}

pub(super) fn absent(op: &Operation) -> Error {
    about(Code::NoContainer, &op.target, format!("Proxmox has no container {}", op.target.label()))
        .because("it was deleted there, or the token may not see it any more")
        .hint_noted("lxcctl forget {target}", "removes our record of it")
}

pub(super) fn is_vm(op: &Operation) -> Error {
    about(Code::IsVm, &op.target, format!("{} is a virtual machine", op.target.path()))
        .because("lxcctl manages containers only")
        .hint_noted(format!("qm status {}", op.target.vmid), format!("on {}", op.target.node))
}

/// Proxmox, or the node, cannot be asked.
pub(super) fn unreachable(op: &Operation, error: &PveError) -> Error {
    let target = &op.target;
    let why = error.to_string();
    match error {
        PveError::Unauthorized(_) => {
            about(Code::PveUnauthorized, target, format!("{} does not accept our token", target.remote))
                .because(why)
                .hint(format!("lxcctl remote doctor {}", target.remote))
        }
        PveError::Untrusted { .. } => about(
            Code::CertificateChanged,
            target,
            format!("{} shows a certificate that is not trusted", target.remote),
        )
        .because(why)
        .hint_noted(
            format!("lxcctl remote trust {} --rotate", target.remote),
            "after checking it with: pvenode cert info",
        ),
        PveError::Refused(refusal) => refused(op, refusal),
        PveError::Garbage(_) => {
            about(Code::NotProxmox, target, format!("{} answers with what Proxmox never says", target.remote))
                .because(why)
                .hint(format!("lxcctl remote doctor {}", target.remote))
        }
        PveError::NotDelivered(_) | PveError::Lost(_) => {
            // 595 and up are said by the node that was asked, of the one it could not reach (docs/proxmox.md, HTTP).
            let error = if why.starts_with("59") {
                about(Code::NodeUnreachable, target, format!("{} does not answer", target.node))
                    .because(why)
                    .hint("lxcctl node ls")
            } else {
                about(Code::RemoteUnreachable, target, format!("{} does not answer", target.remote))
                    .because(why)
                    .hint(format!("lxcctl remote doctor {}", target.remote))
            };
            match op.kind {
                Kind::Delete { .. } => {
                    error.hint_noted("lxcctl forget {target}", "removes only our record of it")
                }
                _ => error,
            }
        }
    }
}

/// A refused call, or a task that failed in the same words.
pub(super) fn refused(op: &Operation, refusal: &Refusal) -> Error {
    let target = &op.target;
    let words = refusal.text.clone();
    let failed = || {
        about(Code::TaskFailed, target, format!("{} of {} failed", op.kind.verb(), target.label()))
            .because(words.clone())
            .hint(format!("lxcctl op log {}", op.id.short()))
    };
    let error = match &refusal.kind {
        RefusalKind::Locked(lock) => pve_locked(op, lock),
        RefusalKind::Busy => {
            about(Code::ConfigBusy, target, format!("{} is busy on {}", target.label(), target.node))
                .because("another Proxmox task keeps its config file locked")
                .hint(format!("lxcctl {} {{target}} --wait-lock 60s", op.kind.verb()))
        }
        RefusalKind::Protected => protected(op),
        RefusalKind::Template => template(op),
        RefusalKind::NoConfig => absent(op),
        RefusalKind::Permission { path, privilege } => {
            let what = privilege.clone().unwrap_or_else(|| "a privilege".to_owned());
            let place = path.clone().unwrap_or_else(|| format!("/vms/{}", target.vmid));
            let role = if place.starts_with("/storage") { "PVEDatastoreAdmin" } else { "PVEVMAdmin" };
            about(Code::PvePrivilege, target, format!("Proxmox does not let our token {} it", op.kind.verb()))
                .because(format!("it lacks {what} on {place}"))
                .hint_noted(
                    format!("pveum acl modify {place} --users {{user}} --roles {role}"),
                    "on a Proxmox node",
                )
        }
        RefusalKind::Parameters(_) => {
            about(Code::PveRefused, target, "Proxmox refuses the parameters".to_owned())
                .because(words.clone())
                .hint(format!("lxcctl op show {}", op.id.short()))
        }
        RefusalKind::DidNotStop => {
            about(Code::DidNotStop, target, format!("{} did not stop within its grace", target.label()))
                .because("it was asked to shut down, and nobody was to kill it (--no-force)")
                .hint_noted("lxcctl shutdown {target}", "lets Proxmox kill it after the grace")
                .hint_noted("lxcctl stop {target}", "power off now")
        }
        RefusalKind::NoNode => about(Code::NoNode, target, format!("Proxmox knows no node {}", target.node))
            .because(words.clone())
            .hint("lxcctl node ls"),
        _ => failed(),
    };
    error.operation(op.id).pve(words)
}

/// The task ended unheard, and the goal is not true.
pub(super) fn vanished(op: &Operation, node: &str, exit: &str, seen: &Seen) -> Error {
    if exit == TaskExit::NO_ANSWER {
        return about(Code::TaskVanished, &op.target, format!("the task on {node} was lost with its node"))
            .because(left_behind(op, node, seen))
            .hint("lxcctl show {target}")
            .hint("lxcctl node ls")
            .operation(op.id);
    }
    about(Code::TaskVanished, &op.target, format!("the task on {node} ended without a word"))
        .because(format!("Proxmox says: {exit}; its worker was killed, or the node went down"))
        .hint("lxcctl show {target}")
        .operation(op.id)
        .pve(exit)
}

/// A container whose node did not answer is on another one: who took it there.
pub(super) fn taken(op: &Operation, silent: &str, node: &str, live: &Live) -> String {
    let path = op.target.path();
    match &live.ha {
        Some(_) => format!("{silent} did not answer; HA recovered {path} on {node}"),
        None => format!("{silent} did not answer; {path} is on {node} now"),
    }
}

/// … and what has become of it there, or everywhere.
pub(super) fn left_behind(op: &Operation, silent: &str, seen: &Seen) -> String {
    match seen {
        Seen::There { node, live, .. } => {
            format!("{}, where it is {}", taken(op, silent, node, live), live.power.as_str())
        }
        Seen::Absent | Seen::Vm => {
            format!("{silent} did not answer; Proxmox has no container {} any more", op.target.path())
        }
    }
}

pub(super) fn lost(op: &Operation, step: StepKind) -> Error {
    about(
        Code::OutcomeUnknown,
        &op.target,
        format!("nobody knows if {} of {} happened", step.name(), op.target.label()),
    )
    .because("the answer was lost, and Proxmox lists no task for it")
    .hint("lxcctl show {target}")
    .hint_noted(
        format!("lxcctl op resolve {} --as succeeded", op.id.short()),
        "once you know; or --as failed",
    )
    .operation(op.id)
}

pub(super) fn gave_up(op: &Operation) -> Error {
    let job = op.current_step().is_some_and(|step| matches!(op.steps[step].state, StepState::Working { .. }));
    let (why, look) = if job {
        (
            "its job may have begun there, and what became of it could not be read",
            "lxcctl remote doctor {remote}",
        )
    } else {
        ("the call was sent, its outcome could not be read", "lxcctl node ls")
    };
    about(Code::OutcomeUnknown, &op.target, format!("{} has not answered for too long", op.target.node))
        .because(why)
        .hint(look.replace("{remote}", &op.target.remote))
        .hint_noted(
            format!("lxcctl op resolve {} --as succeeded", op.id.short()),
            "once you know; or --as failed",
        )
        .operation(op.id)
}

/// An earlier one of the batch failed, and --on-error is stop.
#[must_use]
pub fn batch_stopped(target: &Target) -> Error {
    about(Code::BatchStopped, target, format!("{} was not begun", target.label()))
        .because("another one of the batch failed, and --on-error is stop")
        .hint("lxcctl show {target}")
}

//! Between protobuf and core, field by field. The only place on this side that names both; must not
//! decide anything.

mod bucket;
mod container;
mod create;
mod event;
mod operation;
mod remote;
mod service;
mod template;

pub(super) use bucket::{bucket, lists, manager};
pub(super) use container::{container, node, warning};
pub(super) use create::{create_plan, create_request, survey};
pub(super) use event::{audit, event};
pub(super) use operation::{Reader, forecast, operation, reference, verb_request, watch_item};
pub(super) use remote::{certificate, new_ssh, remote, ssh_shown, ssh_trust, url_state};
pub(super) use service::service;
pub(super) use template::{change, files, sources, template};

use lxc_core::actor::Actor;
use lxc_core::error::Error;
use lxc_core::selector::Selection;
use lxc_proto::v1;

pub(super) fn error(error: &Error) -> v1::Error {
    v1::Error {
        code: error.code.to_string(),
        message: error.message.clone(),
        why: error.why.clone(),
        tries: error
            .tries
            .iter()
            .map(|hint| v1::Try { command: hint.command.clone(), note: hint.note.clone() })
            .collect(),
        target: error.target.clone().unwrap_or_default(),
        operation_id: error.operation_id.clone().unwrap_or_default(),
        pve_message: error.pve_message.clone().unwrap_or_default(),
    }
}

pub(super) fn selection(selection: Option<v1::Selection>) -> Selection {
    let selection = selection.unwrap_or_default();
    Selection {
        targets: selection.targets,
        labels: selection.labels,
        all: selection.all,
        remote: Some(selection.remote).filter(|remote| !remote.is_empty()),
    }
}

pub(super) fn actor(actor: &Actor) -> v1::Actor {
    v1::Actor {
        name: actor.name.clone(),
        uid: actor.uid,
        domain: actor.domain.clone(),
        pid: actor.pid,
        process: actor.process.clone(),
        tty: actor.tty.clone(),
        login_uid: actor.login_uid,
        sudo_uid: actor.sudo_uid,
    }
}

//! Operations, steps, requests and forecasts.

use lxc_core::actor::Actor;
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Installation;
use lxc_core::op::{Kind, Operation, Step, StepState};
use lxc_proto::v1;

use crate::service::dry_run::Forecast;
use crate::service::listing::Listed;
use crate::service::verbs::{Ref, VerbRequest};
use crate::service::watch::Item;

/// Grace of shutdown and restart where none is given, seconds.
const GRACE: u32 = 30;

/// Who reads about a remote.
pub(in crate::rpc) struct Reader {
    /// May see Proxmox's own words; others get code and class.
    pub(in crate::rpc) open: bool,
    /// The user of the remote's token, which advice may name.
    pub(in crate::rpc) token_user: String,
}

impl Reader {
    fn error(&self, error: &Error) -> v1::Error {
        let mut wire = super::error(error);
        for step in &mut wire.tries {
            step.command = step.command.replace("{user}", &self.token_user);
        }
        if !self.open {
            wire.why = vec!["Proxmox's own words are for operators and admins".to_owned()];
            wire.pve_message.clear();
        }
        wire
    }
}

pub(in crate::rpc) fn operation(op: &Operation, actor: Option<&Actor>, reader: &Reader) -> v1::Operation {
    let mut wire = in_full(op, actor);
    wire.error = op.outcome().and_then(|outcome| outcome.error.as_ref()).map(|error| reader.error(error));
    if !reader.open {
        for warning in &mut wire.warnings {
            "done with warnings".clone_into(warning);
        }
        for outcome in wire.steps.iter_mut().filter_map(|step| step.outcome.as_mut()) {
            if !matches!(outcome.as_str(), "OK" | "-") {
                "error".clone_into(outcome);
            }
        }
    }
    wire
}

fn in_full(op: &Operation, actor: Option<&Actor>) -> v1::Operation {
    let target = &op.target;
    let outcome = op.outcome();
    v1::Operation {
        id: op.id.to_string(),
        request_id: op.request_id.to_string(),
        verb: op.kind.verb().to_owned(),
        target: Some(v1::ContainerRef {
            installation: target.installation.to_string(),
            vmid: target.vmid,
            container_id: target.container_id.to_string(),
            remote: target.remote.clone(),
            name: target.name.clone().unwrap_or_default(),
            node: target.node.clone(),
            status: String::new(),
            disk_bytes: 0,
            created_us: 0,
            ha_state: None,
        }),
        state: op.state.name().to_owned(),
        result: outcome.map(|outcome| outcome.result(&op.kind).to_owned()).unwrap_or_default(),
        detail: outcome.map(|outcome| outcome.detail.clone()).unwrap_or_default(),
        how: how(op),
        changed: outcome.is_some_and(|outcome| outcome.changed),
        warnings: outcome.map(|outcome| outcome.warnings.clone()).unwrap_or_default(),
        error: None,
        steps: op.steps.iter().map(|one| step(one, &op.kind)).collect(),
        actor: Some(
            actor.map_or_else(|| v1::Actor { name: op.actor.clone(), ..v1::Actor::default() }, super::actor),
        ),
        created_us: op.created,
        started_us: op.started,
        finished_us: op.finished,
        retry_of: op.retry_of.map(|id| id.to_string()),
        cancel_requested: op.cancel,
        degraded_since_us: op.degraded_since,
        last_seq: op.last_seq,
        phase: phase(op),
    }
}

/// How the container was stopped, of whichever step stopped it.
fn how(op: &Operation) -> Option<String> {
    op.outcome().and_then(|outcome| outcome.how).map(|how| how.as_str().to_owned())
}

fn phase(op: &Operation) -> String {
    match op.current_step() {
        _ if op.outcome().is_some() => String::new(),
        None => String::new(),
        Some(step) => format!("{}{}", op.step_prefix(step), op.steps[step].state.name()),
    }
}

fn step(step: &Step, kind: &Kind) -> v1::Step {
    let outcome = match &step.state {
        StepState::Verifying { exit, .. } => Some(exit.text()),
        StepState::Done { exit, .. } | StepState::Failed { exit, .. } | StepState::Unknown { exit, .. } => {
            Some(exit.clone())
        }
        _ => None,
    };
    v1::Step {
        name: kind.step_name(step.kind),
        state: step.state.name().to_owned(),
        outcome,
        upid: step.state.upid().map(ToString::to_string),
        started_us: step.started,
        finished_us: step.finished,
    }
}

pub(in crate::rpc) fn reference(item: &Listed) -> v1::ContainerRef {
    let row = &item.entry.row;
    v1::ContainerRef {
        installation: row.installation.to_string(),
        vmid: row.vmid,
        container_id: row.id.to_string(),
        remote: item.remote.clone(),
        name: row.name.clone().unwrap_or_default(),
        node: row.node.clone(),
        status: item.status.clone(),
        disk_bytes: row
            .config
            .as_ref()
            .and_then(lxc_core::pve::Config::disk_bytes)
            .or(row.live.usage.disk_max)
            .unwrap_or(0),
        created_us: 0,
        ha_state: row.live.ha.as_ref().map(|ha| ha.state.clone()),
    }
}

/// Reads a request; everything in it came from outside.
pub(in crate::rpc) fn verb_request(request: v1::SubmitRequest) -> Result<VerbRequest> {
    let options = request.options.unwrap_or_default();
    let bad = |what: String| Error::new(Code::BadValue, what);
    let grace = options.grace_seconds.unwrap_or(GRACE);
    if grace == 0 || grace > 24 * 3600 {
        return Err(bad(format!("a grace of {grace} seconds"))
            .because("1 second to 24 hours; a grace of 0 never ends on Proxmox")
            .hint_noted("lxcctl stop {target}", "power off now"));
    }
    let force = !options.no_force;
    let kind = match request.verb.as_str() {
        "start" => Kind::Start,
        "stop" => Kind::Stop,
        "shutdown" => Kind::Shutdown { grace, force },
        "restart" => Kind::Restart { grace, force },
        "delete" => Kind::Delete { destroy_unreferenced_disks: options.destroy_unreferenced_disks },
        "forget" => Kind::Forget,
        other => {
            return Err(bad(format!("there is no verb {:?}", other.chars().take(40).collect::<String>())));
        }
    };
    let on_error_stop = match request.on_error.as_str() {
        "" | "continue" => false,
        "stop" => true,
        other => return Err(bad(format!("--on-error takes continue or stop, not {other:?}"))),
    };
    let refs = request
        .refs
        .into_iter()
        .map(|target| {
            let id = target.container_id.parse().map_err(|_| bad("a target without its id".to_owned()))?;
            Ok(Ref { installation: Installation(target.installation), vmid: target.vmid, container_id: id })
        })
        .collect::<Result<Vec<Ref>>>()?;
    Ok(VerbRequest {
        request_id: request.request_id,
        kind,
        refs,
        if_needed: options.if_needed,
        wait_lock: options.wait_lock_us.map(|wait| wait.max(0)),
        max_parallel: request.max_parallel,
        max_per_node: request.max_per_node,
        on_error_stop,
        pause: request.pause_us.max(0),
        selector_text: request.selector_text,
        retry_of: None,
        carried: Vec::new(),
    })
}

pub(in crate::rpc) fn watch_item(item: &Item, reader: impl Fn(&str) -> Reader) -> v1::WatchReply {
    use v1::watch_reply::Item as Wire;
    let wire = match item {
        Item::Snapshot(op, actor) => {
            Wire::Snapshot(operation(op, actor.as_ref(), &reader(&op.target.remote)))
        }
        Item::Event(event) => Wire::Event(super::event(event, reader(event.remote()).open)),
        Item::Skipped { id, from, to } => {
            Wire::Skipped(v1::Skipped { operation_id: id.to_string(), from: *from, to: *to })
        }
        Item::Result(op, actor) => Wire::Result(operation(op, actor.as_ref(), &reader(&op.target.remote))),
    };
    v1::WatchReply { item: Some(wire) }
}

pub(in crate::rpc) fn forecast(forecast: &Forecast, reader: &Reader) -> v1::DryRunItem {
    let outcome = forecast.outcome.as_ref();
    let error = outcome.and_then(|outcome| outcome.error.as_ref());
    let verdict = match (error, outcome) {
        (Some(_), _) => "would refuse".to_owned(),
        (None, Some(_)) => "would leave unchanged".to_owned(),
        // A shutdown is a stop to whoever reads the row.
        (None, None) => match forecast.op.kind {
            Kind::Shutdown { .. } => "would stop".to_owned(),
            _ => format!("would {}", forecast.op.kind.verb()),
        },
    };
    v1::DryRunItem {
        target: in_full(&forecast.op, None).target,
        checks: forecast
            .checks
            .iter()
            .map(|check| v1::Check {
                name: check.name.to_owned(),
                result: check.result.to_owned(),
                detail: check.detail.clone(),
            })
            .collect(),
        calls: forecast.calls.clone(),
        verdict,
        error: error.map(|error| reader.error(error)),
        changed: outcome.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lxc_core::ids::{ContainerId, OperationId, RequestId};
    use lxc_core::op::{Outcome, State, StepKind, Target};

    fn failed() -> Operation {
        let error = Error::new(Code::TaskFailed, "start of homelab/104 failed")
            .because("bridge 'vmbr9' does not exist")
            .pve("bridge 'vmbr9' does not exist");
        Operation {
            id: OperationId::generate(),
            request_id: RequestId::generate(),
            kind: Kind::Start,
            target: Target {
                installation: Installation("a".into()),
                vmid: 104,
                container_id: ContainerId::generate(),
                remote: "homelab".into(),
                name: None,
                node: "pve1".into(),
            },
            state: State::Ended(Box::new(Outcome::failed(error, false))),
            steps: vec![Step {
                kind: StepKind::Start,
                state: StepState::Failed {
                    upid: None,
                    exit: "bridge 'vmbr9' does not exist".into(),
                    error: None,
                },
                started: None,
                finished: None,
            }],
            if_needed: false,
            lock_deadline: None,
            cancel: false,
            abandon: false,
            fence: 1,
            degraded_since: None,
            created: 0,
            started: None,
            finished: Some(1),
            last_seq: 1,
            login: None,
            retry_of: None,
            actor: "ops".into(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn viewers_get_code_and_class_only() {
        let reader = |open| Reader { open, token_user: "lxcd@pve".into() };
        let open = format!("{:?}", operation(&failed(), None, &reader(true)));
        assert!(open.contains("vmbr9"));
        let closed = operation(&failed(), None, &reader(false));
        assert_eq!(closed.error.as_ref().map(|error| error.code.as_str()), Some("LXC0101"));
        assert!(!format!("{closed:?}").contains("vmbr9"));
        let advice = Error::new(Code::PvePrivilege, "no").hint("pveum acl modify / --users {user}");
        let said = reader(true).error(&advice);
        assert_eq!(said.tries[0].command, "pveum acl modify / --users lxcd@pve");
    }
}

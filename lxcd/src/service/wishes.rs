//! Wishing something for operations: cancel, retry, resolve. Owns who may; what a wish leads to is decided in core.

use lxc_core::error::{Code, Error, Result};
use lxc_core::op::{Ending, Operation, State, Step, StepKind, StepState};
use lxc_core::record::AuditRecord;

use super::access::Caller;
use super::operations::done;
use super::verbs::{Batch, Ref, VerbRequest};
use super::{Services, store_error};

impl Services {
    /// Wishes that operations end. Answers with them and what the wish will do.
    ///
    /// # Errors
    /// LXC0601 without the role; LXC0508 when none of them runs any more.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &str,
        abandon: bool,
    ) -> Result<(Vec<Operation>, Vec<String>)> {
        let ops = self.find_operations(caller, id).await?;
        let mut notes = Vec::new();
        let mut any = false;
        // All or none: a batch may lie on remotes with different roles.
        for op in &ops {
            self.may(caller, op, "cancel")?;
        }
        for op in &ops {
            let audit = self.record(caller, "cancel", op);
            let wished = op.outcome().is_none()
                && self.store.request_cancel(op.id, abandon, &audit).await.map_err(store_error)?;
            any |= wished;
            notes.push(if wished { cancel_note(op).to_owned() } else { "has ended already".to_owned() });
        }
        if !any {
            return Err(Error::new(Code::OperationState, format!("{id} has ended already"))
                .because("there is nothing left to cancel")
                .hint(format!("lxcctl op show {id}")));
        }
        for op in &ops {
            self.engine.nudge(op.id);
        }
        let mut now = Vec::new();
        for op in &ops {
            now.extend(self.store.operation(op.id).await.map_err(store_error)?);
        }
        Ok((now, notes))
    }

    /// Clears attention marks by a person's word.
    ///
    /// # Errors
    /// LXC0508 when the operation asks for none.
    pub async fn resolve_attention(
        &self,
        caller: &Caller,
        id: &str,
        succeeded: bool,
    ) -> Result<Vec<Operation>> {
        let ops = self.find_operations(caller, id).await?;
        for op in &ops {
            self.may(caller, op, "resolve")?;
            if !matches!(&op.state, State::Ended(outcome) if outcome.ending == Ending::NeedsAttention) {
                return Err(Error::new(
                    Code::OperationState,
                    format!("{} needs no attention", op.id.short()),
                )
                .because(format!("it is {}", op.state.name()))
                .hint(format!("lxcctl op show {}", op.id.short())));
            }
        }
        let verb = if succeeded { "resolve succeeded" } else { "resolve failed" };
        for op in &ops {
            let audit = self.record(caller, verb, op);
            self.store.resolve_attention(op, succeeded, &audit).await.map_err(store_error)?;
            self.bus.operation_moved(op.id);
            self.bus.container_moved(&op.target.installation, op.target.vmid);
        }
        let mut now = Vec::new();
        for op in &ops {
            now.extend(self.store.operation(op.id).await.map_err(store_error)?);
        }
        Ok(now)
    }

    /// Makes a new operation that takes an ended one up again.
    ///
    /// # Errors
    /// LXC0508 when it has not ended, or succeeded.
    pub async fn retry(&self, caller: &Caller, id: &str, request_id: String, from: &str) -> Result<Batch> {
        let ops = self.find_operations(caller, id).await?;
        let [op] = &ops[..] else {
            return Err(Error::new(Code::Usage, format!("{id} is a batch of {} operations", ops.len()))
                .because("one operation is retried at a time")
                .hint(format!("lxcctl op show {id}")));
        };
        self.may(caller, op, "retry")?;
        let request = VerbRequest {
            request_id,
            if_needed: op.if_needed,
            kind: op.kind.clone(),
            refs: vec![Ref {
                installation: op.target.installation.clone(),
                vmid: op.target.vmid,
                container_id: op.target.container_id,
            }],
            wait_lock: None,
            max_parallel: 1,
            max_per_node: 0,
            on_error_stop: false,
            pause: 0,
            selector_text: format!("retry {} {from}", op.id).trim_end().to_owned(),
            retry_of: Some(op.id),
            carried: carried(op, from)?,
        };
        if let Some(known) = self.replay(caller, &request).await? {
            return Ok(known);
        }
        let refuse = |why: &str| {
            Error::new(Code::OperationState, format!("{} cannot be retried", op.id.short()))
                .because(why.to_owned())
                .hint(format!("lxcctl op show {}", op.id.short()))
        };
        match &op.state {
            State::Queued | State::Running => return Err(refuse("it has not ended yet")),
            State::Ended(outcome) if outcome.ending == Ending::Succeeded => {
                return Err(refuse("it succeeded"));
            }
            State::Ended(_) => {}
        }
        // There is nothing to go on with, and nobody holds its number any more.
        if op.reserves() && !op.has_made() {
            return self.create_again(caller, op, &request).await;
        }
        self.submit(caller, &request).await
    }

    fn may(&self, caller: &Caller, op: &Operation, verb: &str) -> Result<()> {
        let remote = &op.target.remote;
        let owner = self.registry.get(remote).map_or_else(String::new, |remote| remote.row.owner.clone());
        // Whoever may not do a thing may not end it either.
        let needed = if super::access::needed(op.kind.verb()) > super::access::needed(verb) {
            op.kind.verb()
        } else {
            verb
        };
        self.access.require(caller, remote, needed, &op.target.label(), &owner)
    }

    fn record(&self, caller: &Caller, verb: &str, op: &Operation) -> AuditRecord {
        let (target, detail) = (op.target.path(), format!("op {}", op.id));
        done(&caller.actor, verb, target, self.now(), detail, Some(op.request_id))
    }
}

/// The steps that need not be done again: those in front of `from`, or all that are done.
fn carried(op: &Operation, from: &str) -> Result<Vec<Step>> {
    let done = op.steps.iter().take_while(|step| matches!(step.state, StepState::Done { .. })).count();
    let names: Vec<String> = op.steps.iter().map(|step| op.kind.step_name(step.kind)).collect();
    let wanted = match from {
        "" => done,
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse::<usize>().unwrap_or(0).checked_sub(1).unwrap_or(usize::MAX)
        }
        name => names.iter().position(|one| one == name).unwrap_or(usize::MAX),
    };
    if wanted > done {
        let shown: String = from.chars().take(60).collect();
        return Err(Error::new(Code::BadValue, format!("{} cannot go on from {shown}", op.id.short()))
            .because(match names.get(wanted) {
                Some(_) => format!("{} in front of it is not done", names[done]),
                None => format!("its steps are {}", names.join(", ")),
            })
            .hint(format!("lxcctl op show {}", op.id.short())));
    }
    Ok(op.steps[..wanted].to_vec())
}

/// What a wish to cancel will come to (ARCHITECTURE.md, rule 15).
fn cancel_note(op: &Operation) -> &'static str {
    match (&op.state, op.current_step().map(|step| op.steps[step].kind)) {
        (State::Queued, _) => "ends at once, nothing was begun",
        (_, Some(StepKind::Part(_))) => "what runs in the container is ended; the container stays",
        (_, Some(kind)) if kind.can_be_cut_off() => "its Proxmox task is aborted",
        _ if op.steps.len() > 1 => "ends at the next step boundary",
        _ => "cannot be cut off safely; it ends with this step",
    }
}

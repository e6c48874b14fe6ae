//! Looking at operations and wishing something for them: cancel, retry, resolve. Owns who may, and the
//! short names; what a wish leads to is decided in core.

use lxc_core::record::{AuditRecord, EventRecord, OperationFilter};
use std::collections::{HashMap, HashSet};

use lxc_core::actor::Actor;
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{Installation, Micros, RequestId};
use lxc_core::op::{Ending, Operation, State, StepState};
use lxc_core::selector::Selection;

use super::access::Caller;
use super::verbs::{Batch, Ref, VerbRequest};
use super::{Services, store_error};

/// Log lines of one operation that one call may ask for; no more are kept.
const MOST_LOG_LINES: u32 = 5_000;

/// Operations in full.
#[derive(Debug)]
pub struct ShownOperations {
    /// Of one id or batch.
    pub operations: Vec<Operation>,
    /// The last events.
    pub log: Vec<EventRecord>,
}

impl Services {
    /// The operations behind an id: one, or those of a batch. Takes full ids and last digits.
    ///
    /// # Errors
    /// LXC0303 when there is none the caller may see; LXC0202 when the digits fit several.
    pub async fn find_operations(&self, caller: &Caller, id: &str) -> Result<Vec<Operation>> {
        self.access.enter(caller)?;
        let none = || {
            let shown: String = id.chars().take(60).collect();
            Error::new(Code::NoOperation, format!("there is no operation {shown}"))
                .because("no id ends like this, or it is older than what is kept")
                .hint("lxcctl op ls")
        };
        let digits = id.to_ascii_lowercase();
        if digits.len() < 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
            return Err(none());
        }
        let found = self.store.operations_ending(&digits).await.map_err(store_error)?;
        let mut found: Vec<Vec<Operation>> = found
            .into_iter()
            .filter(|batch| {
                batch.iter().all(|op| self.access.sees(caller, &op.target.remote)) && !batch.is_empty()
            })
            .collect();
        // An id that is given in full means itself.
        if let Some(exact) =
            found.iter().position(|batch| batch.len() == 1 && batch[0].id.to_string() == digits)
        {
            return Ok(found.swap_remove(exact));
        }
        match found.len() {
            0 => Err(none()),
            1 => Ok(found.swap_remove(0)),
            many => {
                let mut error = Error::new(Code::Ambiguous, format!("{id} is the end of {many} ids"));
                for batch in &found {
                    let op = &batch[0];
                    error.why.push(format!("{}  {} {}", op.id, op.kind.verb(), op.target.label()));
                }
                Err(error.hint(format!("lxcctl op show {}", found[0][0].id)))
            }
        }
    }

    /// Operations, newest first; with targets, only those on containers they name.
    ///
    /// # Errors
    /// When the store fails, or a target cannot be resolved.
    pub async fn list_operations(
        &self,
        caller: &Caller,
        selection: &Selection,
        filter: &OperationFilter,
    ) -> Result<Vec<Operation>> {
        self.access.enter(caller)?;
        self.check_remote(caller, selection.remote.as_deref())?;
        let mut filter = OperationFilter { remotes: self.access.visible(caller), ..filter.clone() };
        filter.installation = self.installation_of(selection);
        if !selection.is_empty() {
            filter.containers = Some(self.resolve(caller, selection, "op ls", 0).await?.containers());
        }
        self.store.operations(&filter).await.map_err(store_error)
    }

    /// The installation a selection is narrowed to: a remote may have been called otherwise before.
    pub(super) fn installation_of(&self, selection: &Selection) -> Option<Installation> {
        let remote = self.registry.get(selection.remote.as_deref()?)?;
        Some(remote.row.installation.clone())
    }

    /// Who asked for these, with process and terminal; an operation by itself knows the name only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn actors<'a>(
        &self,
        ops: impl IntoIterator<Item = &'a Operation>,
    ) -> Result<HashMap<RequestId, Actor>> {
        let requests: HashSet<RequestId> = ops.into_iter().map(|op| op.request_id).collect();
        let mut actors = HashMap::new();
        for id in requests {
            let actor = self.store.request_actor(id).await.map_err(store_error)?;
            actors.extend(actor.map(|actor| (id, actor)));
        }
        Ok(actors)
    }

    /// Operations in full, with the last lines of their log.
    ///
    /// # Errors
    /// As [`Self::find_operations`].
    pub async fn show_operations(
        &self,
        caller: &Caller,
        id: &str,
        log_lines: u32,
    ) -> Result<ShownOperations> {
        let operations = self.find_operations(caller, id).await?;
        let mut log = Vec::new();
        let log_lines = log_lines.min(MOST_LOG_LINES);
        if log_lines > 0 {
            for op in &operations {
                let after = op.last_seq.saturating_sub(i64::from(log_lines)).max(0);
                let events = self.store.operation_events(op.id, after, i64::from(log_lines)).await;
                log.extend(events.map_err(store_error)?);
            }
        }
        Ok(ShownOperations { operations, log })
    }

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
    pub async fn retry(&self, caller: &Caller, id: &str, request_id: String) -> Result<Batch> {
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
            selector_text: format!("retry {}", op.id),
            retry_of: Some(op.id),
            carried: op
                .steps
                .iter()
                .take_while(|step| matches!(step.state, StepState::Done { .. }))
                .cloned()
                .collect(),
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

/// An audit record of something that is done as it is asked for.
#[must_use]
pub fn done(
    actor: &Actor,
    verb: &str,
    target: String,
    now: Micros,
    detail: String,
    request: Option<RequestId>,
) -> AuditRecord {
    AuditRecord {
        id: 0,
        time: now,
        actor: actor.clone(),
        verb: verb.to_owned(),
        target,
        operation_id: None,
        request_id: request.map(|id| id.to_string()),
        result: Some("succeeded".to_owned()),
        code: None,
        ended: Some(now),
        detail,
    }
}

/// What a wish to cancel will come to (ARCHITECTURE.md, rule 15).
fn cancel_note(op: &Operation) -> &'static str {
    match (&op.state, op.current_step().map(|step| op.steps[step].kind)) {
        (State::Queued, _) => "ends at once, nothing was begun",
        (_, Some(kind)) if kind.can_be_cut_off() => "its Proxmox task is aborted",
        _ if op.steps.len() > 1 => "ends at the next step boundary",
        _ => "cannot be cut off safely; it ends with this step",
    }
}

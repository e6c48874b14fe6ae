//! Looking at operations. Owns who may, and the short names; what is wished for them is `wishes`'.

use lxc_core::record::{AuditRecord, EventRecord, OperationFilter};
use std::collections::{HashMap, HashSet};

use lxc_core::actor::Actor;
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{Installation, Micros, RequestId};
use lxc_core::op::Operation;
use lxc_core::selector::Selection;

use super::access::Caller;
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

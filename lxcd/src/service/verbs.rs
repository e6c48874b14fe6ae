//! Submitting verbs. Owns the checks of a request as a whole, its digest for idempotency, and the queued
//! operations made from it; when they begin is the engine's.

use std::collections::HashMap;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{ContainerId, Installation, Micros, OperationId, RequestId, Vmid};
use lxc_core::op::{Kind, Operation, Step, Target};
use lxc_core::ports::{Claims, Now};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::access::Caller;
use super::listing::no_container;
use super::{Services, store_error};
use crate::store::{NewRequest, Submitted};

/// Most targets one request may have.
const MOST_TARGETS: usize = 10_000;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct VerbRequest {
    /// The caller's key; empty = a new one.
    pub request_id: String,
    /// What to do.
    pub kind: Kind,
    /// To exactly these, as resolved.
    pub refs: Vec<Ref>,
    /// Already so = success.
    pub if_needed: bool,
    /// Wait so long for locks; None = refuse at once, 0 = for ever.
    pub wait_lock: Option<Micros>,
    /// At once; 0 = the default of 8.
    pub max_parallel: u32,
    /// At once per node; 0 = unbounded.
    pub max_per_node: u32,
    /// Stop at the first failure.
    pub on_error_stop: bool,
    /// Between two admissions.
    pub pause: Micros,
    /// The selector as typed.
    pub selector_text: String,
    /// The operation that is taken up again.
    pub retry_of: Option<OperationId>,
    /// Its steps that are done and need not be done again.
    pub carried: Vec<Step>,
}

/// One target of a request.
#[derive(Debug, Clone)]
pub struct Ref {
    /// Where it lives.
    pub installation: Installation,
    /// Its number there.
    pub vmid: Vmid,
    /// The incarnation that was shown.
    pub container_id: ContainerId,
}

/// What a submit came to.
#[derive(Debug)]
pub struct Batch {
    /// Its id.
    pub request_id: RequestId,
    /// Its operations, in the order of the refs.
    pub operations: Vec<Operation>,
    /// The request was known before.
    pub replayed: bool,
}

/// What makes a repeated request the same one. Not what its targets resolve to: that changes with the world.
#[derive(Serialize)]
struct Same<'a> {
    kind: &'a Kind,
    if_needed: bool,
    wait_lock: Option<Micros>,
    max_parallel: u32,
    max_per_node: u32,
    on_error_stop: bool,
    pause: Micros,
    selector_text: &'a str,
    actor: (&'a str, &'a str),
}

impl Services {
    /// Stores a request and lets begin what may.
    ///
    /// # Errors
    /// When the request cannot be taken as a whole; what single targets come to is in their operations.
    pub async fn submit(&self, caller: &Caller, request: &VerbRequest) -> Result<Batch> {
        self.access.enter(caller)?;
        let (digest, options) = digest(caller, request);
        let new = match self.new_request(caller, request, digest.clone(), options) {
            Ok(new) => new,
            // The same request may have been taken before all this became true.
            Err(error) => return self.known(caller, &request.request_id, &digest).await?.ok_or(error),
        };
        match self.store.submit(&new, self.me).await.map_err(store_error)? {
            Submitted::New(claims) => self.begun(caller, new, claims).await,
            Submitted::Replayed(_) => self.batch(caller, new.id, true).await,
            Submitted::Reused | Submitted::Taken | Submitted::Clash(..) => Err(reused(new.id)),
        }
    }

    /// As it is to be stored, if it may be.
    fn new_request(
        &self,
        caller: &Caller,
        request: &VerbRequest,
        digest: String,
        options: String,
    ) -> Result<NewRequest> {
        self.begins()?;
        let verb = request.kind.verb();
        if request.refs.is_empty() {
            return Err(Error::new(Code::EmptySelection, format!("{verb} what?"))
                .because("no target; empty is never everything")
                .hint(format!("lxcctl {verb} --help")));
        }
        if request.refs.len() > MOST_TARGETS {
            return Err(Error::new(Code::TooMany, format!("{} targets in one request", request.refs.len()))
                .because(format!("one request takes {MOST_TARGETS} at most"))
                .hint("lxcctl help selectors"));
        }
        let id = request_id(&request.request_id)?;
        let now = self.engine.now();
        let mut operations = Vec::with_capacity(request.refs.len());
        for target in &request.refs {
            operations.push(self.queued(caller, request, target, id, now)?);
        }
        Ok(NewRequest {
            id,
            digest,
            actor: caller.actor.clone(),
            verb: verb.to_owned(),
            options,
            selector_text: request.selector_text.clone(),
            max_parallel: if request.max_parallel == 0 { 8 } else { request.max_parallel },
            max_per_node: request.max_per_node,
            on_error_stop: request.on_error_stop,
            pause: request.pause,
            created: now.wall,
            steady: now.steady,
            operations,
            made: None,
            inputs: Vec::new(),
        })
    }

    /// What the same request made before. Before anything is looked at: its targets may be gone or others by
    /// now, and it is still the same request (ARCHITECTURE.md, rule 1).
    ///
    /// # Errors
    /// LXC0211 when its id was used for something else.
    pub async fn replay(&self, caller: &Caller, request: &VerbRequest) -> Result<Option<Batch>> {
        self.known(caller, &request.request_id, &digest(caller, request).0).await
    }

    /// The batch of that request id, if it was made by a request with that digest.
    pub(super) async fn known(&self, caller: &Caller, id: &str, digest: &str) -> Result<Option<Batch>> {
        self.access.enter(caller)?;
        if id.is_empty() {
            return Ok(None);
        }
        let id = request_id(id)?;
        match self.store.request_digest(id).await.map_err(store_error)? {
            None => Ok(None),
            Some(known) if known == digest => self.batch(caller, id, true).await.map(Some),
            Some(_) => Err(reused(id)),
        }
    }

    /// What was stored is under way: whoever is concerned hears of it. Answers it as it was left there, without
    /// reading a thousand operations back.
    pub(super) async fn begun(&self, caller: &Caller, new: NewRequest, claims: Claims) -> Result<Batch> {
        for ended in &claims.ended {
            self.bus.operation_moved(*ended);
        }
        let ours = claims.ours.iter().filter(|op| op.request_id == new.id);
        let mut ours: HashMap<OperationId, Operation> = ours.map(|op| (op.id, op.clone())).collect();
        self.engine.take(claims.ours);
        self.bus.queue_moved();
        self.bus.inventory_moved();
        if new.operations.iter().any(|op| claims.ended.contains(&op.id)) {
            return self.batch(caller, new.id, false).await;
        }
        let operations = new.operations.into_iter().map(|op| ours.remove(&op.id).unwrap_or(op)).collect();
        Ok(Batch { request_id: new.id, operations, replayed: false })
    }

    pub(super) async fn batch(&self, caller: &Caller, id: RequestId, replayed: bool) -> Result<Batch> {
        let mut operations = self.store.batch(id).await.map_err(store_error)?;
        operations.retain(|op| self.access.sees(caller, &op.target.remote));
        Ok(Batch { request_id: id, operations, replayed })
    }

    /// One operation, queued, after looking whether the caller may.
    pub(super) fn queued(
        &self,
        caller: &Caller,
        request: &VerbRequest,
        target: &Ref,
        request_id: RequestId,
        now: Now,
    ) -> Result<Operation> {
        let verb = request.kind.verb();
        let picture = self.inventory.picture();
        let view = picture.values().find(|view| view.installation == target.installation);
        let text = target.vmid.to_string();
        let view = view.ok_or_else(|| no_container(&text))?;
        let path = format!("{}/{text}", view.name);
        if !self.access.sees(caller, &view.name) {
            return Err(no_container(&path));
        }
        let entry = view.containers.get(&target.vmid).ok_or_else(|| no_container(&path))?;
        if entry.row.id != target.container_id {
            return Err(Error::new(Code::Replaced, format!("{path} was replaced"))
                .about(path.clone())
                .because("its vmid now belongs to another container than the one that was meant")
                .hint(format!("lxcctl show {path}")));
        }
        let label = entry.row.name.as_ref().map_or_else(|| path.clone(), |name| format!("{path} ({name})"));
        let owner = self.registry.get(&view.name).map_or_else(String::new, |remote| remote.row.owner.clone());
        self.access.require(caller, &view.name, verb, &label, &owner)?;
        let target = Target {
            installation: target.installation.clone(),
            vmid: target.vmid,
            container_id: target.container_id,
            remote: view.name.clone(),
            name: entry.row.name.clone(),
            node: entry.row.node.clone(),
        };
        Ok(Operation {
            steps: Step::all_of(&request.kind, &request.carried),
            if_needed: request.if_needed,
            lock_deadline: request.wait_lock.map(|wait| match wait {
                0 => Micros::MAX,
                wait => now.steady.saturating_add(wait),
            }),
            retry_of: request.retry_of,
            login: self.registry.login_of(&target.installation, &caller.actor).map(|login| login.token_id),
            ..Operation::queued(request_id, request.kind.clone(), target, &caller.actor.name, now.wall)
        })
    }
}

pub(super) fn request_id(text: &str) -> Result<RequestId> {
    if text.is_empty() {
        return Ok(RequestId::generate());
    }
    text.parse().map_err(|_| {
        Error::new(Code::BadValue, "a request id is a UUID")
            .because(format!("{:?} is none", text.chars().take(60).collect::<String>()))
            .hint_noted(
                format!("{{line}} --request-id {}", RequestId::generate()),
                "the same one for every attempt at the same thing",
            )
    })
}

pub(super) fn reused(id: RequestId) -> Error {
    Error::new(Code::RequestIdReused, "this request id was used for something else")
        .because(format!("{id} belongs to a request with another verb, flags or targets"))
        .hint(format!("lxcctl op show {id}"))
}

/// What makes it the same request, and the flags for the record.
pub(super) fn digest(caller: &Caller, request: &VerbRequest) -> (String, String) {
    let same = Same {
        kind: &request.kind,
        if_needed: request.if_needed,
        wait_lock: request.wait_lock,
        max_parallel: request.max_parallel,
        max_per_node: request.max_per_node,
        on_error_stop: request.on_error_stop,
        pause: request.pause,
        selector_text: &request.selector_text,
        actor: (&caller.actor.domain, &caller.actor.name),
    };
    digest_of(&same)
}

/// A digest of what makes a request the same one, and that itself.
pub(super) fn digest_of(same: &impl Serialize) -> (String, String) {
    let text = serde_json::to_string(same).unwrap_or_default();
    (hex::encode(Sha256::digest(text.as_bytes())), text)
}

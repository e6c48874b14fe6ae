//! Making containers: which remote, what the site has, which number, and the one operation that does it. Owns the order
//! of things and the permissions; what is made of wishes and site is core's `create`.

mod choose;
mod site;
mod survey;

use lxc_core::create::{Layers, Phase, Preflight, Wish, check_wish, preflight};
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{ContainerId, Micros, OperationId, RequestId, Vmid};
use lxc_core::op::{Kind, Operation, State, Step, StepKind, StepState, Target};
use lxc_core::ports::Now;
use lxc_core::provision::choose;
use lxc_core::pve::{Live, Power};
use lxc_core::record::ContainerRecord;
use lxc_core::template::Template;

use super::access::Caller;
use super::registry::Remote;
use super::verbs::{Batch, digest_of, request_id, reused};
use super::{Services, store_error};
use crate::provision;
use crate::store::{NewRequest, Submitted};

pub use survey::{Survey, Surveyed};

/// How often another number is taken when somebody was faster.
const ATTEMPTS: usize = 50;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The caller's key; empty = a new one.
    pub request_id: String,
    /// Where; None = the default remote, or the only one.
    pub remote: Option<String>,
    /// What stands on the command line.
    pub flags: Wish,
    /// What stands in the file.
    pub file: Wish,
    /// One of that name from the same template = success.
    pub if_needed: bool,
}

/// What a dry run says.
#[derive(Debug)]
pub struct Plan {
    /// Where.
    pub target: Target,
    /// Settings, checks and the spec.
    pub preflight: Preflight,
    /// The calls it would make.
    pub calls: Vec<String>,
    /// One of that name and template is there.
    pub unchanged: bool,
}

/// Everything that was looked up for one create.
struct Prepared {
    remote: std::sync::Arc<Remote>,
    preflight: Preflight,
    node: String,
    vmid: Vmid,
    /// The container that is there already, and is what was wished.
    there: Option<ContainerRecord>,
    /// What each piece of work reads.
    inputs: Vec<Vec<u8>>,
}

impl Prepared {
    /// … by the step it is of.
    fn inputs(&self, op: &Operation) -> Vec<(usize, Vec<u8>)> {
        let step = |(step, one): (usize, &Step)| match one.kind {
            StepKind::Part(at) => Some((step, self.inputs.get(usize::from(at))?.clone())),
            _ => None,
        };
        op.steps.iter().enumerate().filter_map(step).collect()
    }
}

impl Services {
    /// Makes a container, once everything that can be known beforehand is fine.
    ///
    /// # Errors
    /// The first check that fails; LXC0601 for who is no admin there.
    pub async fn create(&self, caller: &Caller, request: &CreateRequest) -> Result<Batch> {
        let (digest, options) = digest(caller, request);
        if let Some(known) = self.known(caller, &request.request_id, &digest).await? {
            return Ok(known);
        }
        self.begins()?;
        let mut prepared = self.prepare(caller, request).await?;
        if prepared.there.is_none()
            && let Some(error) = prepared.preflight.refusal()
        {
            return Err(error.clone());
        }
        let id = request_id(&request.request_id)?;
        for _ in 0..ATTEMPTS {
            let now = self.engine.now();
            let op = self.making(caller, request, &prepared, id, now);
            let made = prepared.there.is_none().then(|| unmade(&op, now.wall));
            let new = NewRequest {
                id,
                digest: digest.clone(),
                actor: caller.actor.clone(),
                verb: op.kind.verb().to_owned(),
                options: options.clone(),
                selector_text: prepared.preflight.spec.name.clone(),
                max_parallel: 1,
                max_per_node: 0,
                on_error_stop: false,
                pause: 0,
                created: now.wall,
                steady: now.steady,
                inputs: prepared.inputs(&op),
                operations: vec![op],
                made: made.clone(),
            };
            match self.store.submit(&new, self.me).await.map_err(store_error)? {
                Submitted::New(claims) => {
                    // Before anything is sent: a poll must not take it for somebody else's.
                    made.into_iter().for_each(|row| self.inventory.made(row));
                    self.begun(claims);
                    return self.batch(caller, id, false).await;
                }
                Submitted::Replayed(_) => return self.batch(caller, id, true).await,
                Submitted::Reused => return Err(reused(id)),
                Submitted::Taken if prepared.preflight.spec.any_vmid => {
                    prepared.vmid = self.free_vmid(&prepared.remote, prepared.vmid + 1).await?;
                }
                Submitted::Taken => break,
            }
        }
        let vmid = prepared.vmid;
        Err(Error::new(Code::VmidTaken, format!("vmid {vmid} is taken"))
            .because("another create holds it")
            .hint_noted("{line} --vmid auto", "takes the first free one"))
    }

    /// Looks at everything a create would look at, and makes nothing.
    ///
    /// # Errors
    /// What makes the question itself impossible: an unknown remote or template, a value that cannot be.
    pub async fn plan_create(&self, caller: &Caller, request: &CreateRequest) -> Result<Plan> {
        let prepared = self.prepare(caller, request).await?;
        let op = self.making(caller, request, &prepared, RequestId::generate(), self.engine.now());
        let vmid = op.target.vmid;
        let calls = op.kind.steps().into_iter().map(|step| {
            let call = step.call(&op.kind, vmid, false);
            call.map_or_else(
                || {
                    op.kind.part(step).map_or_else(String::new, |part| {
                        format!("run {} on the node (over SSH)", part.name())
                    })
                },
                |call| call.describe(vmid),
            )
        });
        let unchanged = prepared.there.is_some();
        let calls = if unchanged { Vec::new() } else { calls.collect() };
        Ok(Plan { calls, target: op.target, preflight: prepared.preflight, unchanged })
    }

    async fn prepare(&self, caller: &Caller, request: &CreateRequest) -> Result<Prepared> {
        let remote = self.remote_for(caller, request.remote.as_deref())?;
        let name = request.flags.name.as_ref().or(request.file.name.as_ref());
        let what = name.map_or_else(|| "a container".to_owned(), Clone::clone);
        self.access.require(caller, &remote.row.name, "create", &what, &remote.row.owner)?;
        let mut layers = Layers { flags: &request.flags, file: &request.file, template: None };
        check_wish(&layers)?;
        if name.is_none() {
            return Err(Error::new(Code::Usage, "create wants a name")
                .because("neither the command line nor the file says one")
                .hint("lxcctl create --help"));
        }
        let template = self.wished_template(&layers).await?;
        layers.template = template.as_ref();
        let without = layers.said(|wish| wish.without.clone()).unwrap_or_default();
        let chosen = template.as_ref().map(|template| choose(template, &without)).transpose()?;
        let inputs = chosen.as_ref().map(provision::inputs).transpose()?.unwrap_or_default();
        let parts = chosen.map(|chosen| chosen.parts).unwrap_or_default();
        let view = self.fresh_view(&remote).await?;
        let last = layers.said(|wish| wish.stop_after).unwrap_or(Phase::Discover);
        let inside = parts.iter().any(|part| part.phase() <= last);
        let site = self.site(&remote, &view, &layers, inside).await?;
        let (node, vmid) = (site.node.clone(), site.vmid);
        let preflight = preflight(&layers, &site, parts);
        let there = request.if_needed.then(|| same(&view, &preflight)).flatten();
        Ok(Prepared { remote, preflight, node, vmid, there, inputs })
    }

    async fn wished_template(&self, layers: &Layers<'_>) -> Result<Option<Template>> {
        match layers.said(|wish| wish.template.clone()) {
            Some(name) => Ok(Some(self.named(&name).await?.template)),
            None => Ok(None),
        }
    }

    /// The operation, queued.
    fn making(
        &self,
        caller: &Caller,
        request: &CreateRequest,
        prepared: &Prepared,
        request_id: RequestId,
        now: Now,
    ) -> Operation {
        let id = OperationId::generate();
        let installation = prepared.remote.row.installation.clone();
        let spec = Box::new(prepared.preflight.spec.clone());
        let there = prepared.there.as_ref();
        // Of one that is there already nothing is marked as ours.
        let marker = if there.is_some() { OperationId(request_id.0) } else { id };
        let kind = Kind::Create { marker, spec };
        let step = |kind| Step { kind, state: StepState::NEW, started: None, finished: None };
        let steps = kind.steps().into_iter().map(step).collect();
        Operation {
            id,
            request_id,
            target: Target {
                vmid: there.map_or(prepared.vmid, |row| row.vmid),
                container_id: there.map_or_else(ContainerId::generate, |row| row.id),
                remote: prepared.remote.row.name.clone(),
                name: Some(prepared.preflight.spec.name.clone()),
                node: there.map_or_else(|| prepared.node.clone(), |row| row.node.clone()),
                installation: installation.clone(),
            },
            kind,
            state: State::Queued,
            steps,
            if_needed: request.if_needed,
            lock_deadline: None,
            cancel: false,
            abandon: false,
            fence: 0,
            degraded_since: None,
            created: now.wall,
            started: None,
            finished: None,
            last_seq: 1,
            retry_of: None,
            login: self.registry.login_of(&installation, &caller.actor).map(|login| login.token_id),
            actor: caller.actor.name.clone(),
            warnings: Vec::new(),
        }
    }
}

/// What makes it the same request, and the wishes for the record.
fn digest(caller: &Caller, request: &CreateRequest) -> (String, String) {
    let actor = (&caller.actor.domain, &caller.actor.name);
    digest_of(&(actor, &request.remote, &request.flags, &request.file, request.if_needed))
}

/// The container of that name, when it was made from the same template.
fn same(view: &lxc_core::picture::RemoteView, preflight: &Preflight) -> Option<ContainerRecord> {
    let spec = &preflight.spec;
    let named = |row: &ContainerRecord| row.name.as_ref() == Some(&spec.name) && row.gone_since.is_none();
    let found = view.containers.values().map(|entry| &entry.row).find(|row| named(row))?;
    (found.template == spec.template && found.lifecycle == "ready").then(|| found.clone())
}

/// A container as it is before Proxmox knows it.
fn unmade(op: &Operation, now: Micros) -> ContainerRecord {
    let target = &op.target;
    let template = match &op.kind {
        Kind::Create { spec, .. } => spec.template.clone(),
        _ => None,
    };
    ContainerRecord {
        id: target.container_id,
        name: target.name.clone(),
        power: None,
        lifecycle: "creating".to_owned(),
        marker: Some(op.id.to_string()),
        template,
        ..ContainerRecord::seen(
            &target.installation,
            &target.node,
            Live::bare(target.vmid, Power::Stopped),
            now,
        )
    }
}

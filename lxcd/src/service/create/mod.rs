//! Making containers: which remote, what the site has, which number, and the one operation that does it. Owns the order
//! of things and the permissions; what is made of wishes and site is core's `create`.

mod again;
mod already;
mod choose;
mod making;
mod site;
mod survey;

use std::sync::Arc;

use lxc_core::create::{Clash, Layers, Phase, Preflight, Wish, bare_parts, check_wish, clash, preflight};
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{RequestId, Vmid};
use lxc_core::op::{Operation, Step, StepKind, Target};
use lxc_core::provision::choose;
use lxc_core::record::ContainerRecord;
use lxc_core::template::Template;

use super::Services;
use super::access::Caller;
use super::registry::Remote;
use super::verbs::{Batch, digest_of, request_id};
use crate::provision;
use crate::pve::PveClient;
use crate::store::NewRequest;
use already::Already;
use making::{Making, clashes, unmade};
use site::Asked;

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
    /// One of that name that is what is wished = success.
    pub if_needed: bool,
}

impl CreateRequest {
    fn layers<'a>(&'a self, template: Option<&'a Template>) -> Layers<'a> {
        Layers { flags: &self.flags, file: &self.file, template }
    }
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
    /// One of that name is there, and is what is wished.
    pub unchanged: bool,
}

/// Everything that was looked up for one create.
struct Prepared {
    remote: Arc<Remote>,
    /// The API as the caller has it, as the operation will, too.
    client: Arc<PveClient>,
    template: Option<Template>,
    preflight: Preflight,
    node: String,
    vmid: Vmid,
    /// The container that is there already, and is what was wished.
    there: Option<ContainerRecord>,
    /// The request whose operation is making it.
    joins: Option<RequestId>,
    /// What each piece of work reads.
    inputs: Vec<Vec<u8>>,
}

impl Prepared {
    /// What was found of a container of that name.
    fn take(&mut self, already: Already) {
        match already {
            Already::Made(row) => {
                let whose = format!("{}/{}", self.remote.row.name, row.vmid);
                self.preflight.is_there(format!("{whose} is there, as it is wished"));
                self.there = Some(*row);
            }
            Already::Making(request) => {
                self.preflight.is_there("it is being made, as it is wished");
                self.joins = Some(request);
            }
            Already::Other(error) => self.preflight.refuse_name(*error),
        }
    }

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
        let id = request_id(&request.request_id)?;
        for _ in 0..ATTEMPTS {
            // Somebody makes just this: it is waited for, and ends for both alike.
            if let Some(request) = prepared.joins {
                return self.batch(caller, request, true).await;
            }
            if let Some(error) = prepared.preflight.refusal() {
                return Err(error.clone());
            }
            let now = self.engine.now();
            let op = self.making(caller, request, &prepared, id, now);
            let made = prepared.there.is_none().then(|| unmade(&op, now.wall));
            let inputs = prepared.inputs(&op);
            let of = (digest.clone(), options.clone());
            let name = prepared.preflight.spec.name.clone();
            let mut new = NewRequest::alone(of, caller.actor.clone(), name, now, op);
            (new.made, new.inputs) = (made, inputs);
            match self.submit_making(caller, new).await? {
                Making::Is(batch) => return Ok(batch),
                Making::Taken if prepared.preflight.spec.any_vmid => {
                    prepared.vmid =
                        self.free_vmid(&prepared.remote, &prepared.client, prepared.vmid + 1).await?;
                }
                Making::Taken => break,
                // It came since the pre-flight looked.
                Making::Clash(Clash::Name, other) if request.if_needed => {
                    let layers = request.layers(prepared.template.as_ref());
                    let (remote, client) = (&prepared.remote, &prepared.client);
                    let spec = &prepared.preflight.spec;
                    let already = self.already(remote, client, &layers, spec, &other).await?;
                    prepared.take(already);
                }
                Making::Clash(clash, other) => {
                    return Err(clashes(clash, &prepared.preflight.spec, &prepared.remote, &other));
                }
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
        let unchanged = prepared.there.is_some() || prepared.joins.is_some();
        let calls = if unchanged { Vec::new() } else { calls.collect() };
        Ok(Plan { calls, target: op.target, preflight: prepared.preflight, unchanged })
    }

    async fn prepare(&self, caller: &Caller, request: &CreateRequest) -> Result<Prepared> {
        let remote = self.remote_for(caller, request.remote.as_deref())?;
        let name = request.flags.name.as_ref().or(request.file.name.as_ref());
        let what = name.map_or_else(|| "a container".to_owned(), Clone::clone);
        self.access.require(caller, &remote.row.name, "create", &what, &remote.row.owner)?;
        let mut layers = request.layers(None);
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
        let parts = chosen.as_ref().map_or_else(bare_parts, |chosen| chosen.parts.clone());
        let client = self.registry.client_of(&remote, &caller.actor);
        let view = self.fresh_view(&remote).await?;
        let last = layers.said(|wish| wish.stop_after).unwrap_or(Phase::Discover);
        let inside = parts.iter().any(|part| part.phase() <= last);
        let site =
            self.site(Asked { remote: &remote, client: &client, view: &view }, &layers, inside).await?;
        let (node, vmid) = (site.node.clone(), site.vmid);
        let preflight = preflight(&layers, &site, parts);
        let inputs = match &chosen {
            Some(chosen) => provision::inputs(chosen)?,
            None => provision::bare_inputs(&preflight.spec.parts)?,
        };
        let named = site.others.iter().find(|other| clash(&preflight.spec, &other.row) == Some(Clash::Name));
        let already = match named.filter(|_| request.if_needed) {
            Some(other) => Some(self.already(&remote, &client, &layers, &preflight.spec, &other.row).await?),
            None => None,
        };
        let (there, joins) = (None, None);
        let mut prepared = Prepared { remote, client, template, preflight, node, vmid, there, joins, inputs };
        already.into_iter().for_each(|already| prepared.take(already));
        Ok(prepared)
    }

    async fn wished_template(&self, layers: &Layers<'_>) -> Result<Option<Template>> {
        match layers.said(|wish| wish.template.clone()) {
            Some(name) => Ok(Some(self.named(&name).await?.template)),
            None => Ok(None),
        }
    }
}

/// What makes it the same request, and the wishes for the record.
fn digest(caller: &Caller, request: &CreateRequest) -> (String, String) {
    let actor = (&caller.actor.domain, &caller.actor.name);
    digest_of(&(actor, &request.remote, &request.flags, &request.file, request.if_needed))
}

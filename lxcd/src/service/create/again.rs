//! A create that is taken up again though it never came to a container: its OS image did not come, or there was no room. It is
//! the same container that is made, of the same inputs, but number, name and addresses have to be reserved anew.

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{ContainerId, OperationId};
use lxc_core::op::{Kind, Operation, Step, Target};

use super::ATTEMPTS;
use super::making::{Making, clashes, unmade};
use crate::service::Services;
use crate::service::access::{Caller, no_remote};
use crate::service::verbs::{Batch, VerbRequest, digest, request_id};
use crate::store::NewRequest;

impl Services {
    /// Makes a new operation that does the whole of `before`, but for the steps that are carried over.
    ///
    /// # Errors
    /// When somebody has its name, its number or its address by now.
    pub(in crate::service) async fn create_again(
        &self,
        caller: &Caller,
        before: &Operation,
        request: &VerbRequest,
    ) -> Result<Batch> {
        self.begins()?;
        let Target { remote, installation, .. } = &before.target;
        let known = self.registry.get(remote).filter(|known| known.row.installation == *installation);
        let remote = known.ok_or_else(|| no_remote(remote))?;
        let client = self.registry.client_of(&remote, &caller.actor);
        let Kind::Create { spec, .. } = &before.kind else { return self.submit(caller, request).await };
        let (request_id, now) = (request_id(&request.request_id)?, self.engine.now());
        let (digest, options) = digest(caller, request);
        let mut vmid = before.target.vmid;
        for _ in 0..ATTEMPTS {
            if spec.any_vmid {
                vmid = self.free_vmid(&remote, &client, vmid).await?;
            }
            let id = OperationId::generate();
            let kind = Kind::Create { spec: spec.clone(), marker: id };
            let target = Target { vmid, container_id: ContainerId::generate(), ..before.target.clone() };
            let op = Operation {
                id,
                steps: Step::all_of(&kind, &request.carried),
                if_needed: before.if_needed,
                retry_of: Some(before.id),
                login: self.registry.login_of(installation, &caller.actor).map(|login| login.token_id),
                warnings: before.warnings.clone(),
                ..Operation::queued(request_id, kind, target, &caller.actor.name, now.wall)
            };
            let made = unmade(&op, now.wall);
            let of = (digest.clone(), options.clone());
            // What the pieces of work read is carried over with the rest.
            let mut new = NewRequest::alone(of, caller.actor.clone(), request.selector_text.clone(), now, op);
            new.made = Some(made);
            match self.submit_making(caller, new).await? {
                Making::Is(batch) => return Ok(batch),
                Making::Taken if spec.any_vmid => vmid += 1,
                Making::Taken => break,
                Making::Clash(clash, other) => return Err(clashes(clash, spec, &remote, &other)),
            }
        }
        Err(Error::new(Code::VmidTaken, format!("vmid {vmid} is taken"))
            .because("another container has it by now")
            .hint(format!("lxcctl show {}/{vmid}", remote.row.name))
            .hint_noted("lxcctl create --help", "--vmid auto takes the first free number"))
    }
}

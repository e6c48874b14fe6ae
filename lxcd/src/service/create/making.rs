//! A create as it is stored: its operation, queued, the record of its container before Proxmox knows it, and what storing
//! both comes to.

use lxc_core::create::{Clash, Spec};
use lxc_core::error::{Error, Result};
use lxc_core::ids::{ContainerId, Micros, OperationId, RequestId};
use lxc_core::op::{Kind, Operation, Target};
use lxc_core::ports::Now;
use lxc_core::pve::{Live, Power};
use lxc_core::record::ContainerRecord;

use super::{CreateRequest, Prepared};
use crate::service::access::Caller;
use crate::service::registry::Remote;
use crate::service::verbs::{Batch, reused};
use crate::service::{Services, store_error};
use crate::store::{NewRequest, Submitted};

impl Services {
    /// The operation, queued.
    pub(super) fn making(
        &self,
        caller: &Caller,
        request: &CreateRequest,
        prepared: &Prepared,
        request_id: RequestId,
        now: Now,
    ) -> Operation {
        let id = OperationId::generate();
        let installation = prepared.remote.row.installation.clone();
        let mut spec = Box::new(prepared.preflight.spec.clone());
        let there = prepared.there.as_ref();
        if there.is_some() {
            // It was made from its image long ago.
            spec.download = None;
        }
        // Of one that is there already nothing is marked as ours.
        let marker = if there.is_some() { OperationId(request_id.0) } else { id };
        let kind = Kind::Create { marker, spec };
        let target = Target {
            vmid: there.map_or(prepared.vmid, |row| row.vmid),
            container_id: there.map_or_else(ContainerId::generate, |row| row.id),
            remote: prepared.remote.row.name.clone(),
            name: Some(prepared.preflight.spec.name.clone()),
            node: there.map_or_else(|| prepared.node.clone(), |row| row.node.clone()),
            installation: installation.clone(),
        };
        Operation {
            id,
            if_needed: request.if_needed,
            login: self.registry.login_of(&installation, &caller.actor).map(|login| login.token_id),
            warnings: prepared.preflight.warnings.clone(),
            ..Operation::queued(request_id, kind, target, &caller.actor.name, now.wall)
        }
    }
}

/// What came of the submit of one that is to be made.
pub(super) enum Making {
    /// It is under way, or was before.
    Is(Batch),
    /// Somebody has its number.
    Taken,
    /// That container has its name or an address of it.
    Clash(Clash, Box<ContainerRecord>),
}

impl Services {
    /// Stores it, and lets it begin if it may.
    pub(super) async fn submit_making(&self, caller: &Caller, new: NewRequest) -> Result<Making> {
        let batch = match self.store.submit(&new, self.me).await.map_err(store_error)? {
            Submitted::New(claims) => {
                // Before anything is sent: a poll must not take it for somebody else's.
                new.made.clone().into_iter().for_each(|row| self.inventory.made(row));
                self.begun(caller, new, claims).await?
            }
            Submitted::Replayed(id) => self.batch(caller, id, true).await?,
            Submitted::Reused => return Err(reused(new.id)),
            Submitted::Taken => return Ok(Making::Taken),
            Submitted::Clash(clash, other) => return Ok(Making::Clash(clash, other)),
        };
        Ok(Making::Is(batch))
    }
}

/// Why it is not made.
pub(super) fn clashes(clash: Clash, spec: &Spec, remote: &Remote, other: &ContainerRecord) -> Error {
    let remote = &remote.row.name;
    clash.error(&spec.name, remote, &format!("{remote}/{}", other.vmid))
}

/// A container as it is before Proxmox knows it. Its name and its addresses are nobody else's from now on.
pub(super) fn unmade(op: &Operation, now: Micros) -> ContainerRecord {
    let target = &op.target;
    let spec = match &op.kind {
        Kind::Create { spec, .. } => Some(spec),
        _ => None,
    };
    let addresses = spec.map(|spec| spec.network.fixed()).unwrap_or_default();
    ContainerRecord {
        id: target.container_id,
        name: target.name.clone(),
        power: None,
        lifecycle: ContainerRecord::CREATING.to_owned(),
        marker: Some(op.id.to_string()),
        template: spec.and_then(|spec| spec.template.clone()),
        ips: addresses.iter().map(ToString::to_string).collect(),
        ..ContainerRecord::seen(
            &target.installation,
            &target.node,
            Live::bare(target.vmid, Power::Stopped),
            now,
        )
    }
}

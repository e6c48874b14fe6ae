//! A create as it is stored: its operation, queued, and the record of its container before Proxmox knows it.

use lxc_core::ids::{ContainerId, Micros, OperationId, RequestId};
use lxc_core::op::{Kind, Operation, Target};
use lxc_core::ports::Now;
use lxc_core::pve::{Live, Power};
use lxc_core::record::ContainerRecord;

use super::{CreateRequest, Prepared};
use crate::service::Services;
use crate::service::access::Caller;

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

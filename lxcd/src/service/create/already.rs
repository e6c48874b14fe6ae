//! One of that name that is there already, asked for with --if-needed: whether it is what is wished. Owns where what is
//! known of it comes from; what counts as a difference is core's (`create::difference`).

use lxc_core::create::{Layers, Spec, There, difference, differs};
use lxc_core::error::{Error, Result};
use lxc_core::ids::{OperationId, RequestId};
use lxc_core::op::{Kind, Operation};
use lxc_core::ports::PveApi;
use lxc_core::pve::Config;
use lxc_core::record::ContainerRecord;

use crate::pve::PveClient;
use crate::service::registry::Remote;
use crate::service::remotes::fault;
use crate::service::{Services, store_error};

/// What a container of that name is.
pub(super) enum Already {
    /// What is wished.
    Made(Box<ContainerRecord>),
    /// What is wished, once the operation of that request has made it.
    Making(RequestId),
    /// Something else.
    Other(Box<Error>),
}

impl Services {
    /// Compares a container of the wished name with the wishes.
    ///
    /// # Errors
    /// When the database fails, or nobody can say what it is.
    pub(super) async fn already(
        &self,
        remote: &Remote,
        client: &PveClient,
        layers: &Layers<'_>,
        spec: &Spec,
        row: &ContainerRecord,
    ) -> Result<Already> {
        let whose = format!("{}/{}", remote.row.name, row.vmid);
        let other =
            |why: String| Already::Other(Box::new(differs(&spec.name, &remote.row.name, &whose, &why)));
        let there = |config, image| There {
            node: &row.node,
            vmid: row.vmid,
            template: row.template.as_deref(),
            pool: row.pool.as_deref(),
            image,
            config,
        };
        if row.is_being_made() {
            let Some((request, made, marker)) = self.maker(row).await? else {
                return Ok(other("it is being made, and nobody knows as what".to_owned()));
            };
            let config = Config { values: made.parameters(row.vmid, marker).into_iter().collect() };
            return Ok(match difference(layers, spec, &there(&config, Some(&made.image))) {
                Some(why) => other(why),
                None => Already::Making(request),
            });
        }
        let Some(marker) = &row.marker else {
            return Ok(other("it was not made by lxcd".to_owned()));
        };
        if row.lifecycle != "ready" {
            return Ok(other(format!("it is marked {}", row.lifecycle)));
        }
        // Read now: what is remembered may be older than what somebody has set since.
        let config = match (client.config(&row.node, row.vmid).await, &row.config) {
            (Ok(config), _) => config,
            (Err(_), Some(config)) => config.clone(),
            (Err(error), None) => return Err(fault(remote, &error)),
        };
        let made = match marker.parse::<OperationId>() {
            Ok(id) => self.store.operation(id).await.map_err(store_error)?,
            Err(_) => None,
        };
        let image = made.as_ref().and_then(made_from).map(|(spec, _)| spec.image.as_str());
        Ok(match difference(layers, spec, &there(&config, image)) {
            Some(why) => other(why),
            None => Already::Made(Box::new(row.clone())),
        })
    }

    /// The create that makes a container at this moment: its request, what it makes and its marker.
    async fn maker(&self, row: &ContainerRecord) -> Result<Option<(RequestId, Spec, OperationId)>> {
        let locks = self.store.held_locks().await.map_err(store_error)?;
        let mut here = locks.into_iter().filter(|lock| lock.0 == row.installation && lock.1 == row.vmid);
        let Some(id) = here.next().and_then(|lock| lock.2.parse().ok()) else { return Ok(None) };
        let op = self.store.operation(id).await.map_err(store_error)?;
        let op = op.filter(|op| op.target.container_id == row.id);
        Ok(op.and_then(|op| made_from(&op).map(|(spec, marker)| (op.request_id, spec.clone(), marker))))
    }
}

fn made_from(op: &Operation) -> Option<(&Spec, OperationId)> {
    match &op.kind {
        Kind::Create { spec, marker } => Some((spec, *marker)),
        _ => None,
    }
}

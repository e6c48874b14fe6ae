//! `lxc.v1.Services`.

use lxc_proto::v1::services_server::Services;
use lxc_proto::v1::{RevealReply, RevealRequest, Secret, ShowServicesReply, ShowServicesRequest};
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::{Api, convert};

#[tonic::async_trait]
impl Services for Api {
    async fn show(
        &self,
        request: Request<ShowServicesRequest>,
    ) -> Result<Response<ShowServicesReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let (selection, refresh) = (convert::selection(request.selection), request.refresh);
        let services = self.services.clone();
        // A look that was begun is worth keeping, whoever waits for it.
        let shown = to_the_end(async move { services.services(&caller, &selection, refresh).await }).await?;
        let found = &shown.looked.services;
        let own = found.services.iter().map(|service| convert::service(service, false));
        Ok(Response::new(ShowServicesReply {
            target: shown.item.target(),
            name: shown.item.entry.row.name.clone(),
            services: own.chain(found.system.iter().map(|service| convert::service(service, true))).collect(),
            checked_us: shown.looked.checked,
            others: found.others.keys().cloned().collect(),
            warnings: shown.warnings.iter().map(convert::warning).collect(),
        }))
    }

    async fn reveal(&self, request: Request<RevealRequest>) -> Result<Response<RevealReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = request.into_inner();
        let (selection, service) = (convert::selection(request.selection), request.service);
        let actor = caller.actor.name.clone();
        let (services, named) = (self.services.clone(), service.clone());
        let revealed = to_the_end(async move { services.reveal(&caller, &selection, &named).await }).await?;
        let secrets = revealed.secrets.into_iter();
        let secret =
            |secret: lxc_core::services::Secret| Some(Secret { key: secret.key, value: secret.value? });
        Ok(Response::new(RevealReply {
            target: revealed.item.target(),
            name: revealed.item.entry.row.name.clone(),
            service,
            secrets: secrets.filter_map(secret).collect(),
            actor,
        }))
    }
}

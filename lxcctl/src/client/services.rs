//! Calls about what runs in containers.

use lxc_core::error::Result;
use lxc_core::selector::Selection;
use lxc_proto::v1 as pb;
use pb::services_client::ServicesClient;

use super::operations::sudo_uid;
use super::view::{Revealed, ServicesFound};
use super::{Client, selection_to_wire};

impl Client {
    fn services_client(&self) -> ServicesClient<tonic::transport::Channel> {
        ServicesClient::new(self.channel.clone())
    }

    /// What runs in one container; looked for now with `refresh`.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn services(&self, selection: &Selection, refresh: bool) -> Result<ServicesFound> {
        let message = pb::ShowServicesRequest { selection: Some(selection_to_wire(selection)), refresh };
        let answer = self.services_client().show(Self::unary(message)).await;
        self.settle(answer).await.map(ServicesFound::from)
    }

    /// The secrets of one service, which is noted in the audit.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn reveal(&self, selection: &Selection, service: &str) -> Result<Revealed> {
        let message = pb::RevealRequest {
            selection: Some(selection_to_wire(selection)),
            service: service.to_owned(),
            sudo_uid: sudo_uid(),
        };
        let answer = self.services_client().reveal(Self::unary(message)).await;
        self.settle(answer).await.map(Revealed::from)
    }
}

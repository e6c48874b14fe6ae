//! Calls about making containers.

use lxc_core::create::Wish;
use lxc_core::error::Result;
use lxc_proto::v1 as pb;
use pb::creates_client::CreatesClient;

use super::operations::{Submitted, sudo_uid};
use super::view::{CreatePlan, Survey};
use super::{Client, status};

/// A container to be made, with everything that was said about it.
#[derive(Debug, Clone, Default)]
pub struct CreateOrder {
    /// The caller's own key.
    pub request_id: String,
    /// Where; empty = the default remote, or the only one.
    pub remote: String,
    /// What stands on the command line.
    pub flags: Wish,
    /// What stands in the file.
    pub file: Wish,
    /// One of that name from the same template is a success.
    pub if_needed: bool,
}

impl CreateOrder {
    fn wire(&self) -> pb::CreateRequest {
        pb::CreateRequest {
            request_id: self.request_id.clone(),
            remote: self.remote.clone(),
            flags: Some(wire(&self.flags)),
            file: Some(wire(&self.file)),
            if_needed: self.if_needed,
            sudo_uid: sudo_uid(),
        }
    }
}

fn wire(wish: &Wish) -> pb::Wish {
    let wish = wish.clone();
    let words = |items: Option<Vec<String>>| items.map(|items| pb::Words { items });
    pb::Wish {
        name: wish.name,
        template: wish.template,
        image: wish.image,
        download: wish.download,
        node: wish.node,
        vmid: wish.vmid,
        cores: wish.cores,
        memory_mb: wish.memory_mb,
        swap_mb: wish.swap_mb,
        storage: wish.storage,
        disk_gb: wish.disk_gb,
        unprivileged: wish.unprivileged,
        nesting: wish.nesting,
        keyctl: wish.keyctl,
        fuse: wish.fuse,
        bridge: wish.bridge,
        vlan: wish.vlan.map(u32::from),
        ip: wish.ip,
        gateway: wish.gateway.map(|gateway| gateway.to_string()),
        ip6: wish.ip6,
        gateway6: wish.gateway6.map(|gateway| gateway.to_string()),
        nameserver: wish.nameserver,
        searchdomain: wish.searchdomain,
        tags: words(wish.tags),
        pool: wish.pool,
        onboot: wish.onboot,
        start_order: wish.start_order,
        description: wish.description,
        ssh_keys: words(wish.ssh_keys),
        without: words(wish.without),
        stop_after: wish.stop_after.map(|phase| phase.name().to_owned()),
        on_failure: wish.on_failure.map(|what| what.name().to_owned()),
    }
}

impl Client {
    fn creates_client(&self) -> CreatesClient<tonic::transport::Channel> {
        CreatesClient::new(self.channel.clone())
    }

    /// Makes a container; asked once more when the answer was lost, which the request id makes harmless.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn create(&self, order: &CreateOrder) -> Result<Submitted> {
        match self.creates_client().submit(Self::unary(order.wire())).await {
            Err(status) if status::is_lost(&status) => {
                let again = self.reconnect().await?;
                let answer = again.creates_client().submit(Self::unary(order.wire())).await;
                again.settle(answer).await.map(Submitted::from)
            }
            answer => self.settle(answer).await.map(Submitted::from),
        }
    }

    /// What it would come to.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn plan_create(&self, order: &CreateOrder) -> Result<CreatePlan> {
        let answer = self.creates_client().plan(Self::unary(order.wire())).await;
        Ok(self.settle(answer).await?.into())
    }

    /// What there is to choose from on a remote; empty = the default one, or the only one.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn survey(&self, remote: &str) -> Result<Survey> {
        let message = pb::SurveyRequest { remote: remote.to_owned(), sudo_uid: sudo_uid() };
        let answer = self.creates_client().survey(Self::unary(message)).await;
        Ok(self.settle(answer).await?.into())
    }
}

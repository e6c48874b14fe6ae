//! `lxc.v1.Containers`.

use std::pin::Pin;

use futures::Stream;
use futures::stream;
use lxc_proto::v1::containers_server::Containers;
use lxc_proto::v1::{
    ChangesReply, ChangesRequest, ListContainersReply, ListContainersRequest, ListNodesReply,
    ListNodesRequest, Node, ResolveReply, ResolveRequest, ShowContainerReply, ShowContainerRequest,
    SummaryReply, SummaryRequest, UnlockReply, UnlockRequest,
};
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Rows in one message: small enough to flow, large enough not to cost.
const CHUNK: usize = 500;

#[tonic::async_trait]
impl Containers for Api {
    type ListStream = Streamed<ListContainersReply>;
    type ChangesStream = Streamed<ChangesReply>;

    async fn list(
        &self,
        request: Request<ListContainersRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let selection = convert::selection(request.selection);
        let listing =
            self.services.list(&caller, &selection, request.fresh).await.map_err(|error| status(&error))?;
        let chunks = listing.items.len().div_ceil(CHUNK).max(1);
        let replies = (0..chunks).map(move |index| {
            let last = index + 1 == chunks;
            let items = listing.items.iter().skip(index * CHUNK).take(CHUNK);
            Ok(ListContainersReply {
                items: items.map(|item| convert::container(item, false)).collect(),
                warnings: listing.warnings.iter().filter(|_| last).map(convert::warning).collect(),
                remotes: if last { listing.remotes } else { 0 },
            })
        });
        Ok(Response::new(Box::pin(stream::iter(replies))))
    }

    async fn show(
        &self,
        request: Request<ShowContainerRequest>,
    ) -> Result<Response<ShowContainerReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let selection = convert::selection(request.into_inner().selection);
        let shown = self.services.show(&caller, &selection).await.map_err(|error| status(&error))?;
        Ok(Response::new(ShowContainerReply {
            container: Some(convert::container(&shown.item, true)),
            events: shown
                .events
                .iter()
                .map(|event| convert::event(event, self.may_read_words(&caller, event.remote())))
                .collect(),
            warnings: shown.warnings.iter().map(convert::warning).collect(),
            services: shown.services.iter().map(|service| convert::service(service, false)).collect(),
        }))
    }

    async fn unlock(&self, request: Request<UnlockRequest>) -> Result<Response<UnlockReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let selection = convert::selection(request.into_inner().selection);
        let services = self.services.clone();
        let unlocked = to_the_end(async move { services.unlock(&caller, &selection).await }).await?;
        Ok(Response::new(UnlockReply {
            target: unlocked.item.target(),
            name: unlocked.item.entry.row.name.clone(),
            holder: unlocked.holder,
        }))
    }

    async fn summary(&self, request: Request<SummaryRequest>) -> Result<Response<SummaryReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let selection = convert::selection(request.into_inner().selection);
        let listing = self.services.list(&caller, &selection, false).await.map_err(|error| status(&error))?;
        let count = |word: &str| {
            let many = listing.items.iter().filter(|item| item.status == word).count();
            u32::try_from(many).unwrap_or(u32::MAX)
        };
        Ok(Response::new(SummaryReply {
            total: u32::try_from(listing.items.len()).unwrap_or(u32::MAX),
            running: count("running"),
            stopped: count("stopped"),
            creating: count("creating"),
            deleting: count("deleting"),
            error: count("error"),
            unknown: count("unknown"),
            warnings: listing.warnings.iter().map(convert::warning).collect(),
        }))
    }

    async fn resolve(&self, request: Request<ResolveRequest>) -> Result<Response<ResolveReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let selection = convert::selection(request.selection);
        let resolved = self
            .services
            .resolve(&caller, &selection, &request.verb, request.at_most)
            .await
            .map_err(|error| status(&error))?;
        Ok(Response::new(ResolveReply {
            refs: resolved.refs.iter().map(|(item, _)| convert::reference(item)).collect(),
            by_pattern: resolved.by_pattern,
            typed: resolved.refs.into_iter().map(|(_, typed)| typed).collect(),
        }))
    }

    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let remote = Some(request.remote.as_str()).filter(|remote| !remote.is_empty());
        let nodes =
            self.services.nodes(&caller, remote, request.fresh).await.map_err(|error| status(&error))?;
        let versions = self.services.node_versions(&nodes).await;
        let items =
            nodes.items.iter().zip(versions).map(|((view, node, containers, running), pve_version)| Node {
                pve_version,
                ..convert::node(view, node, *containers, *running)
            });
        Ok(Response::new(ListNodesReply {
            items: items.collect(),
            warnings: nodes.warnings.iter().map(convert::warning).collect(),
        }))
    }

    async fn changes(
        &self,
        request: Request<ChangesRequest>,
    ) -> Result<Response<Self::ChangesStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let changes = self.services.changes(&caller).map_err(|error| status(&error))?;
        let replies = stream::unfold(changes, |mut changes| async move {
            changes.changed().await.ok().map(|()| (Ok(ChangesReply {}), changes))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}

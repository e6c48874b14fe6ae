//! Reading calls: containers, nodes, events, audit, the daemon.

use lxc_core::error::Result;
use lxc_core::ids::Micros;
use lxc_core::selector::Selection;
use lxc_proto::v1 as pb;
use pb::containers_client::ContainersClient;
use pb::daemon_client::DaemonClient;
use pb::events_client::EventsClient;
use tonic::Streaming;

use super::view::{
    AuditRecord, Container, ContainerRef, Daemon, DaemonStatus, Event, Node, Shown, Summary, Unlocked,
    Warning, WhoAmI,
};
use super::{Client, selection_to_wire};

/// Lists of ten thousand containers come in chunks, but one chunk may still be large.
const LARGEST_MESSAGE: usize = 64 << 20;

/// A listing on its way.
pub struct ContainerStream {
    client: Client,
    stream: Streaming<pb::ListContainersReply>,
}

/// A part of a listing.
pub struct ContainerChunk {
    /// Containers of this part.
    pub items: Vec<Container>,
    /// What could not be done; with the last part.
    pub warnings: Vec<Warning>,
    /// How many remotes are known; with the last part.
    pub remotes: u32,
}

impl ContainerStream {
    /// The next part, `None` at the end.
    ///
    /// # Errors
    /// What the daemon says, or that it went away.
    pub async fn next(&mut self) -> Result<Option<ContainerChunk>> {
        match self.stream.message().await {
            Ok(None) => Ok(None),
            Ok(Some(reply)) => Ok(Some(ContainerChunk {
                items: reply.items.into_iter().map(Container::from).collect(),
                warnings: reply.warnings.into_iter().map(Warning::from).collect(),
                remotes: reply.remotes,
            })),
            Err(status) => Err(self.client.explain(&status).await),
        }
    }
}

/// What a person typed, turned into containers.
pub struct Resolved {
    /// The containers, in order.
    pub refs: Vec<ContainerRef>,
    /// A glob, a selector or --all picked them.
    pub by_pattern: bool,
}

/// Which events to read.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of these containers.
    pub selection: Selection,
    /// Go on with those to come.
    pub follow: bool,
    /// Only after this cursor.
    pub after: Option<i64>,
    /// Only since then.
    pub since: Option<Micros>,
    /// Only of these types.
    pub types: Vec<String>,
    /// Only by this person.
    pub actor: String,
    /// At most so many of the past.
    pub limit: u32,
}

impl Client {
    fn containers(&self) -> ContainersClient<tonic::transport::Channel> {
        ContainersClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    fn daemon(&self) -> DaemonClient<tonic::transport::Channel> {
        DaemonClient::new(self.channel.clone())
    }

    fn events_client(&self) -> EventsClient<tonic::transport::Channel> {
        EventsClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// The merged listing.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn list(&self, selection: &Selection, fresh: bool) -> Result<ContainerStream> {
        let message = pb::ListContainersRequest { selection: Some(selection_to_wire(selection)), fresh };
        let answer = self.containers().list(Self::streaming(message)).await;
        Ok(ContainerStream { client: self.clone(), stream: self.settle(answer).await? })
    }

    /// One container with everything.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn show(&self, selection: &Selection) -> Result<Shown> {
        let message = pb::ShowContainerRequest { selection: Some(selection_to_wire(selection)) };
        let answer = self.containers().show(Self::unary(message)).await;
        self.settle(answer).await.map(Shown::from)
    }

    /// Removes the key of somebody else's script in Redis.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn unlock(&self, selection: &Selection) -> Result<Unlocked> {
        let message = pb::UnlockRequest { selection: Some(selection_to_wire(selection)) };
        let answer = self.containers().unlock(Self::unary(message)).await;
        self.settle(answer).await.map(Unlocked::from)
    }

    /// How many of each status.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn summary(&self, selection: &Selection) -> Result<Summary> {
        let message = pb::SummaryRequest { selection: Some(selection_to_wire(selection)) };
        let answer = self.containers().summary(Self::unary(message)).await;
        self.settle(answer).await.map(Summary::from)
    }

    /// Names into containers.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn resolve(&self, selection: &Selection, verb: &str, at_most: u32) -> Result<Resolved> {
        let message = pb::ResolveRequest {
            selection: Some(selection_to_wire(selection)),
            verb: verb.to_owned(),
            at_most,
        };
        let answer = self.containers().resolve(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        let mut typed = reply.typed.into_iter();
        let refs = reply.refs.into_iter().map(|wire| ContainerRef::new(wire, typed.next())).collect();
        Ok(Resolved { refs, by_pattern: reply.by_pattern })
    }

    /// The nodes of one remote or all.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn nodes(&self, remote: &str, fresh: bool) -> Result<(Vec<Node>, Vec<Warning>)> {
        let message = pb::ListNodesRequest { remote: remote.to_owned(), fresh };
        let answer = self.containers().list_nodes(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok((
            reply.items.into_iter().map(Node::from).collect(),
            reply.warnings.into_iter().map(Warning::from).collect(),
        ))
    }

    /// One answer whenever the listing may have changed.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn changes(&self) -> Result<Stream<pb::ChangesReply, ()>> {
        let answer = self.containers().changes(Self::streaming(pb::ChangesRequest {})).await;
        Ok(Stream { client: self.clone(), stream: self.settle(answer).await?, convert: |_| vec![()] })
    }

    /// Events, the past ones first.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn events(&self, filter: &EventFilter) -> Result<Stream<pb::ListEventsReply, Event>> {
        let message = pb::ListEventsRequest {
            selection: Some(selection_to_wire(&filter.selection)),
            follow: filter.follow,
            after: filter.after,
            since_us: filter.since,
            types: filter.types.clone(),
            actor: filter.actor.clone(),
            limit: filter.limit,
            detailed: false,
        };
        let answer = self.events_client().list(Self::streaming(message)).await;
        let convert = |reply: pb::ListEventsReply| reply.items.into_iter().map(Event::from).collect();
        Ok(Stream { client: self.clone(), stream: self.settle(answer).await?, convert })
    }

    /// The audit, oldest first.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditRecord>> {
        let message = pb::ListAuditRequest {
            target: filter.target,
            actor: filter.actor,
            verb: filter.verb,
            since_us: filter.since,
            failed: filter.failed,
            limit: filter.limit,
        };
        let answer = self.events_client().list_audit(Self::streaming(message)).await;
        let convert = |reply: pb::ListAuditReply| reply.items.into_iter().map(AuditRecord::from).collect();
        Stream { client: self.clone(), stream: self.settle(answer).await?, convert }.collect().await
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn daemon_status(&self) -> Result<DaemonStatus> {
        let answer = self.daemon().status(Self::unary(pb::StatusRequest {})).await;
        self.settle(answer).await.map(DaemonStatus::from)
    }

    /// Who the daemon takes us for.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn whoami(&self) -> Result<WhoAmI> {
        let answer = self.daemon().who_am_i(Self::unary(pb::WhoAmIRequest {})).await;
        self.settle(answer).await.map(WhoAmI::from)
    }

    /// Every lxcd of its database.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn daemons(&self) -> Result<Vec<Daemon>> {
        let answer = self.daemon().list(Self::unary(pb::ListDaemonsRequest {})).await;
        Ok(self.settle(answer).await?.items.into_iter().map(Daemon::from).collect())
    }

    /// Has one hand over; empty = the one that is asked. Answers with it, and how many others go on.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn drain_daemon(&self, id: &str) -> Result<(Daemon, u32)> {
        let answer = self.daemon().drain(Self::unary(pb::DrainRequest { id: id.to_owned() })).await;
        let reply = self.settle(answer).await?;
        Ok((Daemon::from(reply.daemon.unwrap_or_default()), reply.others))
    }
}

/// Which audit records to read.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only of this container.
    pub target: String,
    /// Only by this person.
    pub actor: String,
    /// Only this verb.
    pub verb: String,
    /// Only since then.
    pub since: Option<Micros>,
    /// Only what did not succeed.
    pub failed: bool,
    /// At most so many.
    pub limit: u32,
}

/// A stream of plain things.
pub struct Stream<M, T> {
    pub(super) client: Client,
    pub(super) stream: Streaming<M>,
    pub(super) convert: fn(M) -> Vec<T>,
}

impl<M, T> Stream<M, T> {
    /// The next ones, `None` at the end.
    ///
    /// # Errors
    /// What the daemon says, or that it went away.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>> {
        match self.stream.message().await {
            Ok(message) => Ok(message.map(self.convert)),
            Err(status) => Err(self.client.explain(&status).await),
        }
    }

    /// All of them.
    ///
    /// # Errors
    /// What the daemon says, or that it went away.
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(mut some) = self.next().await? {
            all.append(&mut some);
        }
        Ok(all)
    }
}

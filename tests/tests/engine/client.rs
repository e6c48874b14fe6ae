//! What the tests say to lxcd, over its own socket. Owns the calls and the one patience everything has;
//! must not judge answers.

use std::path::Path;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lxc_proto::v1 as pb;
use pb::containers_client::ContainersClient;
use pb::creates_client::CreatesClient;
use pb::events_client::EventsClient;
use pb::operations_client::OperationsClient;
use pb::remotes_client::RemotesClient;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Status, Streaming};

/// Longer than anything may take here; only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to one lxcd.
#[derive(Clone)]
pub(crate) struct Client(Channel);

/// A verb with what was said about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    pub(crate) verb: &'static str,
    pub(crate) vmid: u32,
    pub(crate) grace: Option<u32>,
    pub(crate) wait_lock_us: Option<i64>,
    pub(crate) if_needed: bool,
}

impl Order {
    pub(crate) fn new(verb: &'static str, vmid: u32) -> Self {
        Self { verb, vmid, ..Self::default() }
    }
}

/// Everything a watch told until it ended.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<pb::Event>,
    pub(crate) result: Option<pb::Operation>,
    /// The stream broke off before the result.
    pub(crate) broken: bool,
}

impl Story {
    /// Numbers of the events, in the order they were told.
    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.events.iter().filter_map(|event| event.seq).collect()
    }
}

impl Client {
    /// Connects when first used, and again by itself.
    pub(crate) fn new(socket: &Path) -> Self {
        let path = socket.to_owned();
        let connector = tower::service_fn(move |_: Uri| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
        });
        Self(Endpoint::from_static("http://lxcd").connect_with_connector_lazy(connector))
    }

    fn operations(&self) -> OperationsClient<Channel> {
        OperationsClient::new(self.0.clone())
    }

    pub(crate) async fn add_remote(&self, new: pb::AddRemoteRequest) {
        RemotesClient::new(self.0.clone()).add(new).await.unwrap();
    }

    /// The ref of a container, as a person's `104` resolves.
    pub(crate) async fn reference(&self, verb: &str, vmid: u32) -> Result<pb::ContainerRef, Status> {
        let selection = pb::Selection { targets: vec![vmid.to_string()], ..Default::default() };
        let request = pb::ResolveRequest { selection: Some(selection), verb: verb.to_owned(), at_most: 0 };
        let reply = ContainersClient::new(self.0.clone()).resolve(request).await?.into_inner();
        Ok(reply.refs.into_iter().next().unwrap())
    }

    pub(crate) async fn submit(
        &self,
        order: &Order,
        reference: pb::ContainerRef,
        request_id: &str,
    ) -> Result<pb::Operation, Status> {
        let request = pb::SubmitRequest {
            request_id: request_id.to_owned(),
            verb: order.verb.to_owned(),
            refs: vec![reference],
            options: Some(pb::VerbOptions {
                if_needed: order.if_needed,
                grace_seconds: order.grace,
                wait_lock_us: order.wait_lock_us,
                ..Default::default()
            }),
            selector_text: order.vmid.to_string(),
            on_error: "continue".to_owned(),
            ..Default::default()
        };
        let reply = self.operations().submit(request).await?.into_inner();
        Ok(reply.operations.into_iter().next().unwrap())
    }

    /// Makes a container of that name and number, to its start.
    pub(crate) async fn create(
        &self,
        name: &str,
        vmid: u32,
        request_id: &str,
    ) -> Result<pb::Operation, Status> {
        let image = Some("debian-12".to_owned());
        self.create_of(pb::Wish { image, ..Default::default() }, name, vmid, request_id).await
    }

    /// The same of another wish.
    pub(crate) async fn create_of(
        &self,
        wish: pb::Wish,
        name: &str,
        vmid: u32,
        request_id: &str,
    ) -> Result<pb::Operation, Status> {
        let flags = pb::Wish { name: Some(name.to_owned()), vmid: Some(vmid.to_string()), ..wish };
        let request =
            pb::CreateRequest { request_id: request_id.to_owned(), flags: Some(flags), ..Default::default() };
        let reply = CreatesClient::new(self.0.clone()).submit(request).await?.into_inner();
        Ok(reply.operations.into_iter().next().unwrap())
    }

    /// Resolves and submits under a new request id.
    pub(crate) async fn order(&self, order: &Order) -> pb::Operation {
        let reference = self.reference(order.verb, order.vmid).await.unwrap();
        self.submit(order, reference, &uuid::Uuid::now_v7().to_string()).await.unwrap()
    }

    /// Orders and follows to the end.
    pub(crate) async fn run(&self, order: &Order) -> Story {
        let op = self.order(order).await;
        self.story(&op.id, 0).await
    }

    pub(crate) async fn get(&self, id: &str) -> pb::Operation {
        self.find(id).await.unwrap()
    }

    /// The operation of an id, or of a batch of one.
    pub(crate) async fn find(&self, id: &str) -> Result<pb::Operation, Status> {
        let request = pb::GetOperationRequest { id: id.to_owned(), log_lines: 0 };
        let reply = self.operations().get(request).await?.into_inner();
        Ok(reply.operations.into_iter().next().unwrap())
    }

    pub(crate) async fn cancel(&self, id: &str, abandon: bool) {
        self.operations().cancel(pb::CancelRequest { id: id.to_owned(), abandon }).await.unwrap();
    }

    /// A person has looked.
    pub(crate) async fn resolve(&self, id: &str, succeeded: bool) {
        let r#as = if succeeded { "succeeded" } else { "failed" }.to_owned();
        let request = pb::ResolveAttentionRequest { id: id.to_owned(), r#as };
        self.operations().resolve_attention(request).await.unwrap();
    }

    /// The same, whatever comes of it.
    pub(crate) async fn try_cancel(&self, id: &str) {
        let _ = self.operations().cancel(pb::CancelRequest { id: id.to_owned(), abandon: false }).await;
    }

    /// Power by number, asked for now.
    pub(crate) async fn list(&self) -> std::collections::BTreeMap<u32, String> {
        let request = pb::ListContainersRequest { fresh: true, ..Default::default() };
        let mut stream = ContainersClient::new(self.0.clone()).list(request).await.unwrap().into_inner();
        let mut all = std::collections::BTreeMap::new();
        while let Some(reply) = stream.message().await.unwrap() {
            all.extend(reply.items.into_iter().map(|item| (item.vmid, item.power.unwrap_or_default())));
        }
        all
    }

    pub(crate) async fn watch(&self, id: &str, after: i64) -> Result<Streaming<pb::WatchReply>, Status> {
        let request = pb::WatchRequest { ids: vec![id.to_owned()], after_seq: vec![after] };
        Ok(self.operations().watch(request).await?.into_inner())
    }

    /// Watches until the end, or until the stream breaks.
    pub(crate) async fn story(&self, id: &str, after: i64) -> Story {
        let told = async {
            let mut story = Story::default();
            let Ok(mut stream) = self.watch(id, after).await else {
                return Story { broken: true, ..story };
            };
            loop {
                match stream.message().await {
                    Ok(Some(reply)) => match reply.item {
                        Some(pb::watch_reply::Item::Event(event)) => story.events.push(event),
                        Some(pb::watch_reply::Item::Result(op)) => story.result = Some(op),
                        Some(pb::watch_reply::Item::Skipped(skip)) => {
                            panic!("nothing is trimmed here: {skip:?}")
                        }
                        _ => {}
                    },
                    Ok(None) => break,
                    Err(_) => {
                        story.broken = true;
                        break;
                    }
                }
            }
            story
        };
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(story) => story,
            Err(_) => panic!("{id} does not end: {:#?}", self.get(id).await),
        }
    }

    /// Asks until the operation is as wanted, and says how it was when it never is.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&pb::Operation) -> bool) -> pb::Operation {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let op = self.get(id).await;
            if wanted(&op) {
                return op;
            }
            assert!(tokio::time::Instant::now() < end, "never as wanted: {op:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The audit record of an operation.
    pub(crate) async fn audit(&self, id: &str) -> pb::AuditRecord {
        let request = pb::ListAuditRequest { limit: 1000, ..Default::default() };
        let mut stream = EventsClient::new(self.0.clone()).list_audit(request).await.unwrap().into_inner();
        while let Some(reply) = stream.message().await.unwrap() {
            if let Some(found) = reply.items.into_iter().find(|row| row.operation_id.as_deref() == Some(id)) {
                return found;
            }
        }
        panic!("no audit record of {id}")
    }
}

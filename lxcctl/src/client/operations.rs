//! Calls about operations: submit, dry run, watch, and what can be done to one later.

use lxc_core::error::Result;
use lxc_core::ids::Micros;
use lxc_core::selector::Selection;
use lxc_proto::v1 as pb;
use pb::operations_client::OperationsClient;
use tonic::Streaming;

use super::calls::Stream;
use super::status;
use super::view::{ContainerRef, DryRun, Event, Operation};
use super::{Client, selection_to_wire};

/// A verb with everything that was said about it.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The caller's own key.
    pub request_id: String,
    /// start stop shutdown restart delete forget
    pub verb: &'static str,
    /// Exactly the containers that were shown.
    pub refs: Vec<ContainerRef>,
    /// Already so is a success.
    pub if_needed: bool,
    /// Seconds until Proxmox kills it.
    pub grace_seconds: Option<u32>,
    /// Never kill.
    pub no_force: bool,
    /// Delete disks nobody refers to as well.
    pub destroy_unreferenced_disks: bool,
    /// Wait so long for locks; 0 = for ever.
    pub wait_lock: Option<Micros>,
    /// At once, altogether.
    pub max_parallel: u32,
    /// At once on one node; 0 = no bound of its own.
    pub max_per_node: u32,
    /// End the batch at the first failure.
    pub stop_on_error: bool,
    /// Between two admissions.
    pub pause: Micros,
    /// The selection as typed.
    pub selector_text: String,
}

impl Order {
    fn wire(&self) -> pb::SubmitRequest {
        pb::SubmitRequest {
            request_id: self.request_id.clone(),
            verb: self.verb.to_owned(),
            refs: self.refs.iter().map(ContainerRef::wire).collect(),
            options: Some(pb::VerbOptions {
                if_needed: self.if_needed,
                grace_seconds: self.grace_seconds,
                no_force: self.no_force,
                destroy_unreferenced_disks: self.destroy_unreferenced_disks,
                wait_lock_us: self.wait_lock,
            }),
            max_parallel: self.max_parallel,
            max_per_node: self.max_per_node,
            on_error: if self.stop_on_error { "stop" } else { "continue" }.to_owned(),
            selector_text: self.selector_text.clone(),
            pause_us: self.pause,
            sudo_uid: sudo_uid(),
            via: String::new(),
        }
    }
}

/// A claim of the environment; the daemon keeps it beside what the kernel says.
pub(super) fn sudo_uid() -> Option<u32> {
    std::env::var("SUDO_UID").ok()?.parse().ok()
}

/// What a submit made.
pub struct Submitted {
    /// The batch.
    pub request_id: String,
    /// One per ref, in order.
    pub operations: Vec<Operation>,
}

impl From<pb::SubmitReply> for Submitted {
    fn from(reply: pb::SubmitReply) -> Self {
        Self {
            request_id: reply.request_id,
            operations: reply.operations.into_iter().map(Operation::from).collect(),
        }
    }
}

/// One thing a watcher sees.
#[derive(Debug, Clone)]
pub enum WatchItem {
    /// How things stand when the watch begins.
    Snapshot(Box<Operation>),
    /// Something happened.
    Event(Box<Event>),
    /// Log lines that are no longer kept.
    Skipped {
        /// Of this operation.
        operation_id: String,
        /// The last of them.
        to: i64,
    },
    /// The end of one operation.
    Ended(Box<Operation>),
}

/// Events and ends on their way.
pub struct WatchStream {
    client: Client,
    stream: Streaming<pb::WatchReply>,
}

/// Why a watch gave nothing more.
pub enum WatchEnd {
    /// Every operation has ended.
    Complete,
    /// The connection went away; the operations go on.
    Lost(lxc_core::error::Error),
    /// The daemon refuses the watch.
    Refused(lxc_core::error::Error),
}

impl WatchStream {
    /// The next item, or why there is none.
    ///
    /// # Errors
    /// [`WatchEnd`]: completion, a lost connection or a refusal.
    pub async fn next(&mut self) -> std::result::Result<WatchItem, WatchEnd> {
        loop {
            let reply = match self.stream.message().await {
                Ok(Some(reply)) => reply,
                Ok(None) => return Err(WatchEnd::Complete),
                Err(status) if status::is_lost(&status) => {
                    return Err(WatchEnd::Lost(self.client.explain(&status).await));
                }
                Err(status) => return Err(WatchEnd::Refused(status::error_from_status(&status))),
            };
            use pb::watch_reply::Item;
            return Ok(match reply.item {
                Some(Item::Event(event)) => WatchItem::Event(Box::new(event.into())),
                Some(Item::Result(operation)) => WatchItem::Ended(Box::new(operation.into())),
                Some(Item::Snapshot(operation)) => WatchItem::Snapshot(Box::new(operation.into())),
                Some(Item::Skipped(skipped)) => {
                    WatchItem::Skipped { operation_id: skipped.operation_id, to: skipped.to }
                }
                // Something a newer daemon says; what it means is not ours to guess.
                None => continue,
            });
        }
    }
}

/// Which operations to list.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// Only on these containers.
    pub selection: Selection,
    /// Only in these states.
    pub states: Vec<String>,
    /// Only this verb.
    pub verb: String,
    /// Only by this person.
    pub actor: String,
    /// Only since then.
    pub since: Option<Micros>,
    /// At most so many.
    pub limit: u32,
}

impl Client {
    fn operations_client(&self) -> OperationsClient<tonic::transport::Channel> {
        OperationsClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    /// Hands the order in; from then on it runs by itself. Repeated with the same request id it returns
    /// what it made the first time.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn submit(&self, order: &Order) -> Result<Submitted> {
        let answer = self.operations_client().submit(Self::unary(order.wire())).await;
        match answer {
            Err(status) if status::is_lost(&status) => {
                // Whether it arrived is not known; the request id makes asking again harmless.
                let again = self.reconnect().await?;
                let answer = again.operations_client().submit(Self::unary(order.wire())).await;
                again.settle(answer).await.map(Submitted::from)
            }
            answer => self.settle(answer).await.map(Submitted::from),
        }
    }

    /// What the same order made before, whatever its targets are by now; None when its request id is new.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn replay(&self, order: &Order) -> Result<Option<Submitted>> {
        let answer = self.operations_client().replay(Self::unary(order.wire())).await;
        let reply = self.settle(answer).await?;
        Ok((!reply.request_id.is_empty()).then(|| reply.into()))
    }

    /// What the order would lead to; nothing is called.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn dry_run(&self, order: &Order) -> Result<Vec<DryRun>> {
        let answer = self.operations_client().dry_run(Self::unary(order.wire())).await;
        Ok(self.settle(answer).await?.items.into_iter().map(DryRun::from).collect())
    }

    /// Follows operations from where each was left.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn watch(&self, ids: Vec<String>, after_seq: Vec<i64>) -> Result<WatchStream> {
        let message = pb::WatchRequest { ids, after_seq };
        let answer = self.operations_client().watch(Self::streaming(message)).await;
        Ok(WatchStream { client: self.clone(), stream: self.settle(answer).await? })
    }

    /// One operation, or all of a batch, with the last log lines.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn operation(&self, id: &str, log_lines: u32) -> Result<(Vec<Operation>, Vec<Event>)> {
        let message = pb::GetOperationRequest { id: id.to_owned(), log_lines };
        let answer = self.operations_client().get(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok((
            reply.operations.into_iter().map(Operation::from).collect(),
            reply.log.into_iter().map(Event::from).collect(),
        ))
    }

    /// Operations, newest first.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Operation>> {
        let message = pb::ListOperationsRequest {
            selection: Some(selection_to_wire(&filter.selection)),
            states: filter.states.clone(),
            verb: filter.verb.clone(),
            actor: filter.actor.clone(),
            since_us: filter.since,
            limit: filter.limit,
        };
        let answer = self.operations_client().list(Self::streaming(message)).await;
        let convert = |reply: pb::ListOperationsReply| reply.items.into_iter().map(Operation::from).collect();
        Stream { client: self.clone(), stream: self.settle(answer).await?, convert }.collect().await
    }

    /// Asks for an end; what came of it stands in the notes.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn cancel(&self, id: &str, abandon: bool) -> Result<(Vec<Operation>, Vec<String>)> {
        let message = pb::CancelRequest { id: id.to_owned(), abandon };
        let answer = self.operations_client().cancel(Self::unary(message)).await;
        self.settle(answer).await.map(noted)
    }

    /// A new operation that goes on where an old one failed.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn retry(&self, id: &str, request_id: &str, from: &str) -> Result<Submitted> {
        let message = pb::RetryRequest {
            id: id.to_owned(),
            request_id: request_id.to_owned(),
            sudo_uid: sudo_uid(),
            from: from.to_owned(),
        };
        let answer = self.operations_client().retry(Self::unary(message)).await;
        self.settle(answer).await.map(Submitted::from)
    }

    /// Clears an attention mark by a person's word.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn resolve_attention(&self, id: &str, outcome: &str) -> Result<(Vec<Operation>, Vec<String>)> {
        let message = pb::ResolveAttentionRequest { id: id.to_owned(), r#as: outcome.to_owned() };
        let answer = self.operations_client().resolve_attention(Self::unary(message)).await;
        self.settle(answer).await.map(noted)
    }
}

fn noted(reply: pb::OperationsReply) -> (Vec<Operation>, Vec<String>) {
    (reply.operations.into_iter().map(Operation::from).collect(), reply.notes)
}

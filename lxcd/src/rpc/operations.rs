//! `lxc.v1.Operations`.

use std::pin::Pin;

use futures::stream;
use futures::{Stream, StreamExt};
use lxc_core::actor::Actor;
use lxc_core::op::Operation;
use lxc_proto::v1::operations_server::Operations;
use lxc_proto::v1::{
    CancelRequest, DryRunReply, GetOperationReply, GetOperationRequest, ListOperationsReply,
    ListOperationsRequest, OperationsReply, ResolveAttentionRequest, RetryRequest, SubmitReply,
    SubmitRequest, WatchReply, WatchRequest,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};
use crate::service::access::Caller;
use crate::service::verbs::Batch;
use crate::store::OperationFilter;

/// Rows one call may ask for.
const MOST: u32 = 10_000;

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Api {
    fn operation(&self, caller: &Caller, op: &Operation, actor: Option<&Actor>) -> lxc_proto::v1::Operation {
        convert::operation(op, actor, self.may_read_words(caller, &op.target.remote))
    }

    fn submitted(&self, caller: &Caller, batch: &Batch) -> SubmitReply {
        SubmitReply {
            request_id: batch.request_id.to_string(),
            operations: batch.operations.iter().map(|op| self.operation(caller, op, None)).collect(),
            replayed: batch.replayed,
        }
    }
}

#[tonic::async_trait]
impl Operations for Api {
    type WatchStream = Streamed<WatchReply>;
    type ListStream = Streamed<ListOperationsReply>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::verb_request(request.into_inner()).map_err(|error| status(&error))?;
        let (services, who) = (self.services.clone(), caller.clone());
        let batch = to_the_end(async move { services.submit(&who, &request).await }).await?;
        Ok(Response::new(self.submitted(&caller, &batch)))
    }

    async fn replay(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::verb_request(request.into_inner()).map_err(|error| status(&error))?;
        let known = self.services.replay(&caller, &request).await.map_err(|error| status(&error))?;
        Ok(Response::new(known.map(|batch| self.submitted(&caller, &batch)).unwrap_or_default()))
    }

    async fn dry_run(&self, request: Request<SubmitRequest>) -> Result<Response<DryRunReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::verb_request(request.into_inner()).map_err(|error| status(&error))?;
        let forecasts = self.services.dry_run(&caller, &request).await.map_err(|error| status(&error))?;
        Ok(Response::new(DryRunReply { items: forecasts.iter().map(convert::forecast).collect() }))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let items = self.services.watch(&caller, &request.ids, &request.after_seq).await;
        let items = ReceiverStream::new(items.map_err(|error| status(&error))?);
        let api = self.clone();
        let open = move |remote: &str| api.may_read_words(&caller, remote);
        Ok(Response::new(Box::pin(items.map(move |item| match item {
            Ok(item) => Ok(convert::watch_item(&item, &open)),
            Err(error) => Err(status(&error)),
        }))))
    }

    async fn get(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<GetOperationReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let shown = self.services.show_operations(&caller, &request.id, request.log_lines).await;
        let shown = shown.map_err(|error| status(&error))?;
        Ok(Response::new(GetOperationReply {
            operations: shown
                .operations
                .iter()
                .map(|op| self.operation(&caller, op, shown.actor.as_ref()))
                .collect(),
            log: shown
                .log
                .iter()
                .map(|event| convert::event(event, self.may_read_words(&caller, event.remote())))
                .collect(),
        }))
    }

    async fn list(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let filter = OperationFilter {
            states: request.states,
            verb: request.verb,
            actor: request.actor,
            since: request.since_us,
            limit: i64::from(match request.limit {
                0 => 50,
                limit => limit.min(MOST),
            }),
            ..OperationFilter::default()
        };
        let selection = convert::selection(request.selection);
        let ops = self
            .services
            .list_operations(&caller, &selection, &filter)
            .await
            .map_err(|error| status(&error))?;
        let pages: Vec<Result<ListOperationsReply, Status>> = ops
            .chunks(200)
            .map(|page| {
                Ok(ListOperationsReply {
                    items: page.iter().map(|op| self.operation(&caller, op, None)).collect(),
                })
            })
            .collect();
        Ok(Response::new(Box::pin(stream::iter(pages))))
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Result<Response<OperationsReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let (services, who) = (self.services.clone(), caller.clone());
        let (ops, notes) =
            to_the_end(async move { services.cancel(&who, &request.id, request.abandon).await }).await?;
        Ok(Response::new(OperationsReply {
            operations: ops.iter().map(|op| self.operation(&caller, op, None)).collect(),
            notes,
        }))
    }

    async fn retry(&self, request: Request<RetryRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = request.into_inner();
        let (services, who) = (self.services.clone(), caller.clone());
        let batch =
            to_the_end(async move { services.retry(&who, &request.id, request.request_id).await }).await?;
        Ok(Response::new(self.submitted(&caller, &batch)))
    }

    async fn resolve_attention(
        &self,
        request: Request<ResolveAttentionRequest>,
    ) -> Result<Response<OperationsReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let succeeded = match request.r#as.as_str() {
            "succeeded" => true,
            "failed" => false,
            other => {
                return Err(Status::invalid_argument(format!(
                    "--as takes succeeded or failed, not {other:?}"
                )));
            }
        };
        let (services, who) = (self.services.clone(), caller.clone());
        let ops =
            to_the_end(async move { services.resolve_attention(&who, &request.id, succeeded).await }).await?;
        Ok(Response::new(OperationsReply {
            operations: ops.iter().map(|op| self.operation(&caller, op, None)).collect(),
            notes: Vec::new(),
        }))
    }
}

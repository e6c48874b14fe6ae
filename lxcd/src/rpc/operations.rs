//! `lxc.v1.Operations`.

use lxc_core::record::OperationFilter;
use std::pin::Pin;

use futures::stream;
use futures::{Stream, StreamExt};
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
use crate::service::dry_run::Forecast;
use crate::service::verbs::Batch;

/// Rows one call may ask for.
const MOST: u32 = 10_000;

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Api {
    /// Each with who asked for it, as far as the caller may read it.
    async fn told(
        &self,
        caller: &Caller,
        ops: &[Operation],
    ) -> Result<Vec<lxc_proto::v1::Operation>, Status> {
        let actors = self.services.actors(ops).await.map_err(|error| status(&error))?;
        let told = |op: &Operation| {
            convert::operation(op, actors.get(&op.request_id), &self.reader(caller, &op.target.remote))
        };
        Ok(ops.iter().map(told).collect())
    }

    fn reader(&self, caller: &Caller, remote: &str) -> convert::Reader {
        convert::Reader {
            open: self.may_read_words(caller, remote),
            token_user: self.services.token_user(remote),
        }
    }

    pub(super) async fn submitted(
        &self,
        caller: &Caller,
        batch: &Batch,
    ) -> Result<Response<SubmitReply>, Status> {
        Ok(Response::new(SubmitReply {
            request_id: batch.request_id.to_string(),
            operations: self.told(caller, &batch.operations).await?,
            replayed: batch.replayed,
        }))
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
        self.submitted(&caller, &batch).await
    }

    async fn replay(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::verb_request(request.into_inner()).map_err(|error| status(&error))?;
        let known = self.services.replay(&caller, &request).await.map_err(|error| status(&error))?;
        match known {
            Some(batch) => self.submitted(&caller, &batch).await,
            None => Ok(Response::new(SubmitReply::default())),
        }
    }

    async fn dry_run(&self, request: Request<SubmitRequest>) -> Result<Response<DryRunReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::verb_request(request.into_inner()).map_err(|error| status(&error))?;
        let forecasts = self.services.dry_run(&caller, &request).await.map_err(|error| status(&error))?;
        let told = |forecast: &Forecast| {
            convert::forecast(forecast, &self.reader(&caller, &forecast.op.target.remote))
        };
        Ok(Response::new(DryRunReply { items: forecasts.iter().map(told).collect() }))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let items = self.services.watch(&caller, &request.ids, &request.after_seq).await;
        let items = ReceiverStream::new(items.map_err(|error| status(&error))?);
        let api = self.clone();
        let reader = move |remote: &str| api.reader(&caller, remote);
        Ok(Response::new(Box::pin(items.map(move |item| match item {
            Ok(item) => Ok(convert::watch_item(&item, &reader)),
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
            operations: self.told(&caller, &shown.operations).await?,
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
        let told = self.told(&caller, &ops).await?;
        let pages: Vec<Result<ListOperationsReply, Status>> =
            told.chunks(200).map(|page| Ok(ListOperationsReply { items: page.to_vec() })).collect();
        Ok(Response::new(Box::pin(stream::iter(pages))))
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Result<Response<OperationsReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let (services, who) = (self.services.clone(), caller.clone());
        let (ops, notes) =
            to_the_end(async move { services.cancel(&who, &request.id, request.abandon).await }).await?;
        Ok(Response::new(OperationsReply { operations: self.told(&caller, &ops).await?, notes }))
    }

    async fn retry(&self, request: Request<RetryRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = request.into_inner();
        let (services, who) = (self.services.clone(), caller.clone());
        let batch =
            to_the_end(
                async move { services.retry(&who, &request.id, request.request_id, &request.from).await },
            )
            .await?;
        self.submitted(&caller, &batch).await
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
        Ok(Response::new(OperationsReply { operations: self.told(&caller, &ops).await?, notes: Vec::new() }))
    }
}

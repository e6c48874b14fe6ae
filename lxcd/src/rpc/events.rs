//! `lxc.v1.Events`.

use lxc_core::record::{AuditFilter, EventRecord};
use std::pin::Pin;

use futures::stream;
use futures::{Stream, StreamExt};
use lxc_proto::v1::events_server::Events;
use lxc_proto::v1::{ListAuditReply, ListAuditRequest, ListEventsReply, ListEventsRequest};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Api, convert};
use crate::service::journal::EventQuery;

/// Rows one call may ask for.
const MOST: u32 = 10_000;

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Events for Api {
    type ListStream = Streamed<ListEventsReply>;
    type ListAuditStream = Streamed<ListAuditReply>;

    async fn list(&self, request: Request<ListEventsRequest>) -> Result<Response<Self::ListStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let query = EventQuery {
            selection: convert::selection(request.selection),
            follow: request.follow,
            after: request.after,
            since: request.since_us,
            kinds: request.types,
            actor: request.actor,
            detailed: request.detailed,
            limit: request.limit,
        };
        let events = self.services.events(&caller, query).await.map_err(|error| status(&error))?;
        let api = self.clone();
        let replies = ReceiverStream::new(events).map(move |page| match page {
            Ok(page) => {
                let open = |event: &EventRecord| api.may_read_words(&caller, event.remote());
                Ok(ListEventsReply { items: page.iter().map(|row| convert::event(row, open(row))).collect() })
            }
            Err(error) => Err(status(&error)),
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn list_audit(
        &self,
        request: Request<ListAuditRequest>,
    ) -> Result<Response<Self::ListAuditStream>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let filter = AuditFilter {
            target: request.target,
            actor: request.actor,
            verb: request.verb,
            since: request.since_us,
            failed: request.failed,
            limit: i64::from(match request.limit {
                0 => 50,
                limit => limit.min(MOST),
            }),
            ..AuditFilter::default()
        };
        let rows = self.services.audit(&caller, &filter).await.map_err(|error| status(&error))?;
        let pages: Vec<Result<ListAuditReply, Status>> = rows
            .chunks(500)
            .map(|page| Ok(ListAuditReply { items: page.iter().map(convert::audit).collect() }))
            .collect();
        Ok(Response::new(Box::pin(stream::iter(pages))))
    }
}

//! `lxc.v1.Buckets`.

use lxc_core::error::Error;
use lxc_proto::v1::buckets_server::Buckets;
use lxc_proto::v1::{
    ChangeBucketRequest, DeleteBucketReply, DeleteBucketRequest, ListBucketsReply, ListBucketsRequest,
    SaveBucketReply, SaveBucketRequest,
};
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};
use crate::service::buckets::{Saved, Wanted};

#[tonic::async_trait]
impl Buckets for Api {
    async fn list(&self, request: Request<ListBucketsRequest>) -> Result<Response<ListBucketsReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = request.into_inner().name;
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        let records = self.services.buckets(&caller, name).await.map_err(refused)?;
        Ok(Response::new(ListBucketsReply { items: records.iter().map(convert::bucket).collect() }))
    }

    async fn save(&self, request: Request<SaveBucketRequest>) -> Result<Response<SaveBucketReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let SaveBucketRequest { name, packages, revision } = request.into_inner();
        let lists = convert::lists(&name, packages).map_err(refused)?;
        let services = self.services.clone();
        let wanted = Wanted::Whole(lists, revision);
        let saved = to_the_end(async move { services.change_bucket(&caller, &name, &wanted).await }).await?;
        Ok(Response::new(reply(&saved)))
    }

    async fn change(
        &self,
        request: Request<ChangeBucketRequest>,
    ) -> Result<Response<SaveBucketReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let ChangeBucketRequest { name, manager, items, remove } = request.into_inner();
        let manager = convert::manager(&manager).map_err(refused)?;
        let wanted = if remove { Wanted::Without(manager, items) } else { Wanted::With(manager, items) };
        let services = self.services.clone();
        let saved = to_the_end(async move { services.change_bucket(&caller, &name, &wanted).await }).await?;
        Ok(Response::new(reply(&saved)))
    }

    async fn delete(
        &self,
        request: Request<DeleteBucketRequest>,
    ) -> Result<Response<DeleteBucketReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let DeleteBucketRequest { name, dry_run } = request.into_inner();
        let services = self.services.clone();
        let record = to_the_end(async move { services.delete_bucket(&caller, &name, dry_run).await }).await?;
        Ok(Response::new(DeleteBucketReply { bucket: Some(convert::bucket(&record)) }))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn refused(error: Error) -> Status {
    status(&error)
}

fn reply(saved: &Saved) -> SaveBucketReply {
    SaveBucketReply {
        bucket: Some(convert::bucket(&saved.record)),
        result: saved.result.to_owned(),
        changes: saved.changes.iter().map(convert::change).collect(),
    }
}

//! Calls about buckets.

use lxc_core::error::{Code, Error, Result};
use lxc_core::template::PackageList;
use lxc_proto::v1 as pb;
use pb::buckets_client::BucketsClient;

use super::Client;
use super::view::{Bucket, SavedBucket, TemplateChange};

impl Client {
    fn buckets_client(&self) -> BucketsClient<tonic::transport::Channel> {
        BucketsClient::new(self.channel.clone())
    }

    /// The buckets, or the one of that name; empty = all.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn buckets(&self, name: &str) -> Result<Vec<Bucket>> {
        let message = pb::ListBucketsRequest { name: name.to_owned() };
        let answer = self.buckets_client().list(Self::unary(message)).await;
        Ok(self.settle(answer).await?.items.into_iter().map(Bucket::from).collect())
    }

    /// Saves a bucket in the place of that revision; 0 = there is none yet.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn save_bucket(
        &self,
        name: &str,
        lists: Vec<PackageList>,
        revision: i64,
    ) -> Result<SavedBucket> {
        let packages =
            |list: PackageList| pb::BucketPackages { manager: list.manager.to_string(), items: list.items };
        let packages = lists.into_iter().map(packages).collect();
        let message = pb::SaveBucketRequest { name: name.to_owned(), packages, revision };
        let answer = self.buckets_client().save(Self::unary(message)).await;
        saved(self.settle(answer).await?)
    }

    /// Adds packages to a bucket, or takes them from it.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn change_bucket(
        &self,
        name: &str,
        manager: &str,
        items: Vec<String>,
        remove: bool,
    ) -> Result<SavedBucket> {
        let (name, manager) = (name.to_owned(), manager.to_owned());
        let message = pb::ChangeBucketRequest { name, manager, items, remove };
        let answer = self.buckets_client().change(Self::unary(message)).await;
        saved(self.settle(answer).await?)
    }

    /// Deletes a bucket, or only looks at what would go.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn delete_bucket(&self, name: &str, dry_run: bool) -> Result<Bucket> {
        let message = pb::DeleteBucketRequest { name: name.to_owned(), dry_run };
        let answer = self.buckets_client().delete(Self::unary(message)).await;
        bucket(self.settle(answer).await?.bucket)
    }
}

fn saved(reply: pb::SaveBucketReply) -> Result<SavedBucket> {
    Ok(SavedBucket {
        kind: "SavedBucket",
        changed: reply.result != "unchanged",
        result: reply.result,
        changes: reply.changes.into_iter().map(TemplateChange::from).collect(),
        bucket: bucket(reply.bucket)?,
    })
}

fn bucket(wire: Option<pb::Bucket>) -> Result<Bucket> {
    wire.map(Bucket::from)
        .ok_or_else(|| Error::new(Code::Internal, "lxcd's answer has no bucket").hint("lxcctl daemon status"))
}

//! Buckets.

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::TemplateChange;
use crate::ui::time::Instant;

/// Named packages, to be chosen for templates.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Bucket {
    pub kind: &'static str,
    pub name: String,
    pub packages: Vec<BucketPackages>,
    pub revision: i64,
    pub author: String,
    pub created_at: Instant,
    pub changed_at: Instant,
}

/// Packages of one manager.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct BucketPackages {
    pub manager: String,
    pub items: Vec<String>,
}

/// What became of a bucket.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct SavedBucket {
    pub kind: &'static str,
    pub result: String,
    pub changed: bool,
    pub changes: Vec<TemplateChange>,
    pub bucket: Bucket,
}

impl Bucket {
    /// In all of its lists.
    #[must_use]
    pub fn count(&self) -> usize {
        self.packages.iter().map(|list| list.items.len()).sum()
    }

    /// `24 packages`
    #[must_use]
    pub fn parts(&self) -> String {
        lxc_core::text::counted(self.count() as u64, "package")
    }
}

impl From<pb::Bucket> for Bucket {
    fn from(b: pb::Bucket) -> Self {
        let list = |p: pb::BucketPackages| BucketPackages { manager: p.manager, items: p.items };
        Self {
            kind: "Bucket",
            name: b.name,
            packages: b.packages.into_iter().map(list).collect(),
            revision: b.revision,
            author: b.author,
            created_at: Instant(b.created_us),
            changed_at: Instant(b.changed_us),
        }
    }
}

//! Buckets: looking, saving, adding to them and taking from them, deleting. Owns who may, and that a change that changes
//! nothing writes nothing; what a package is, is core's.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::BucketRecord;
use lxc_core::template::{self, Change, LARGEST_LIST, Manager, PackageList, bucket, list_changes};
use lxc_core::text::counted;

use super::access::Caller;
use super::operations::done;
use super::templates::unchanged_since;
use super::{Services, store_error};

/// How often a change is begun anew when others change the same bucket meanwhile.
const ATTEMPTS: usize = 5;

/// How a change went.
#[derive(Debug)]
pub struct Saved {
    /// As it is now.
    pub record: BucketRecord,
    /// `created`, `changed` or `unchanged`.
    pub result: &'static str,
    /// Against what was there.
    pub changes: Vec<Change>,
}

/// What is to become of a bucket.
#[derive(Debug)]
pub enum Wanted {
    /// These lists, in the place of that revision; 0 = there is none yet.
    Whole(Vec<PackageList>, i64),
    /// These packages are in it.
    With(Manager, Vec<String>),
    /// They are not.
    Without(Manager, Vec<String>),
}

impl Services {
    /// The buckets by name, or the one of that name.
    ///
    /// # Errors
    /// LXC0310 when the named one is not there.
    pub async fn buckets(&self, caller: &Caller, name: Option<&str>) -> Result<Vec<BucketRecord>> {
        self.access.require_anywhere(caller, "bucket ls")?;
        match name {
            Some(name) => Ok(vec![self.bucket(name).await?]),
            None => self.store.buckets(None).await.map_err(store_error),
        }
    }

    /// Makes or changes a bucket. Packages can be added to one and taken from one that is there.
    ///
    /// # Errors
    /// LXC0601 for who is no admin, LXC0216 for what is no package, LXC0310 when it is not there, LXC0406 when it is not
    /// the revision that was to be replaced.
    pub async fn change_bucket(&self, caller: &Caller, name: &str, wanted: &Wanted) -> Result<Saved> {
        let verb = match wanted {
            Wanted::Whole(_, 0) => "bucket create",
            Wanted::Whole(..) => "bucket edit",
            Wanted::With(..) => "bucket add",
            Wanted::Without(..) => "bucket remove",
        };
        self.access.require_anywhere(caller, verb)?;
        if let Wanted::With(_, items) | Wanted::Without(_, items) = wanted {
            // More than any list may hold is not compared with one.
            let bytes: u64 = items.iter().map(|item| item.len() as u64 + 1).sum();
            if bytes > LARGEST_LIST {
                return Err(template::refused(&[template::too_large(name, bytes, LARGEST_LIST)], ""));
            }
        }
        for _ in 0..ATTEMPTS {
            let before = self.found(name).await?;
            let there = before.as_ref().map(|before| (before.revision, before.author.as_str()));
            let held = |before: &Option<BucketRecord>| match before {
                Some(before) => Ok(before.lists.clone()),
                None => Err(no_bucket(name)),
            };
            let lists = match wanted {
                Wanted::Whole(lists, revision) => {
                    unchanged_since(Some(*revision), there, "bucket", name)?;
                    lists.clone()
                }
                Wanted::With(manager, items) => bucket::with(&held(&before)?, name, *manager, items),
                Wanted::Without(manager, items) => bucket::without(&held(&before)?, *manager, items),
            };
            let lists = bucket::checked(name, &lists).map_err(|faults| template::refused(&faults, ""))?;
            let changes =
                list_changes(before.as_ref().map_or(&[][..], |before| before.lists.as_slice()), &lists);
            let result = match &before {
                None => "created",
                Some(_) if changes.is_empty() => "unchanged",
                Some(_) => "changed",
            };
            let now = self.now();
            let record = match before {
                Some(before) if changes.is_empty() => before,
                before => BucketRecord {
                    name: name.to_owned(),
                    lists,
                    revision: before.as_ref().map_or(1, |before| before.revision + 1),
                    author: caller.actor.name.clone(),
                    created: before.map_or(now, |before| before.created),
                    changed: now,
                },
            };
            if result != "unchanged" {
                let packages: usize = record.lists.iter().map(|list| list.items.len()).sum();
                let said = counted(packages as u64, "package");
                let audit = done(&caller.actor, verb, name.to_owned(), now, said, None);
                if !self.store.put_bucket(&record, &audit).await.map_err(store_error)? {
                    continue;
                }
            }
            return Ok(Saved { record, result, changes });
        }
        Err(Error::new(Code::StoreFailed, format!("{name} is changed by others all the time"))
            .because("each time it was to be written, it was another one")
            .hint("{line}"))
    }

    /// Removes a bucket; what was copied from it stays where it is. Answers what it was.
    ///
    /// # Errors
    /// LXC0601 for who is no admin, LXC0310 when it is not there.
    pub async fn delete_bucket(&self, caller: &Caller, name: &str, dry_run: bool) -> Result<BucketRecord> {
        const VERB: &str = "bucket delete";
        self.access.require_anywhere(caller, VERB)?;
        let record = self.bucket(name).await?;
        if dry_run {
            return Ok(record);
        }
        let said = format!("revision {}", record.revision);
        let audit = done(&caller.actor, VERB, name.to_owned(), self.now(), said, None);
        match self.store.remove_bucket(name, &audit).await.map_err(store_error)? {
            true => Ok(record),
            false => Err(no_bucket(name)),
        }
    }

    async fn found(&self, name: &str) -> Result<Option<BucketRecord>> {
        // To the store an empty name means all.
        if name.is_empty() {
            return Ok(None);
        }
        let found = self.store.buckets(Some(name)).await.map_err(store_error)?;
        Ok(found.into_iter().next())
    }

    pub(super) async fn bucket(&self, name: &str) -> Result<BucketRecord> {
        self.found(name).await?.ok_or_else(|| no_bucket(name))
    }
}

fn no_bucket(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::new(Code::NoBucket, format!("there is no bucket {shown}"))
        .because("none of that name was made, or it was deleted")
        .hint("lxcctl bucket ls")
}

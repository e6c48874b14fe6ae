//! Buckets on the wire.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::BucketRecord;
use lxc_core::template::{Manager, PackageList};
use lxc_proto::v1;

pub(in crate::rpc) fn bucket(record: &BucketRecord) -> v1::Bucket {
    let packages = record
        .lists
        .iter()
        .map(|list| v1::BucketPackages { manager: list.manager.to_string(), items: list.items.clone() });
    v1::Bucket {
        name: record.name.clone(),
        packages: packages.collect(),
        revision: record.revision,
        author: record.author.clone(),
        created_us: record.created,
        changed_us: record.changed,
    }
}

/// # Errors
/// LXC0214 for a manager there is not.
pub(in crate::rpc) fn lists(name: &str, packages: Vec<v1::BucketPackages>) -> Result<Vec<PackageList>> {
    let list = |one: v1::BucketPackages| {
        Ok(PackageList { name: name.to_owned(), manager: manager(&one.manager)?, items: one.items })
    };
    packages.into_iter().map(list).collect()
}

/// # Errors
/// LXC0214 for one there is not.
pub(in crate::rpc) fn manager(text: &str) -> Result<Manager> {
    text.parse().map_err(|unknown: lxc_core::template::Unknown| {
        let known: Vec<&str> = Manager::ALL.iter().map(|manager| manager.as_str()).collect();
        Error::new(Code::BadValue, unknown.to_string())
            .because(format!("managers: {}", known.join(" ")))
            .hint("lxcctl bucket add --help")
    })
}

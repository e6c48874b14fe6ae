//! An OS image that is not on its node: which one Proxmox would download for it, and where to. Pure; whether somebody
//! wished that is `settle`'s.

use serde::{Deserialize, Serialize};

use super::site::{Site, Storage};
use super::{image, privileges};

/// An OS image that Proxmox is to download before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// The storage it goes to.
    pub storage: String,
    /// Its file name, as Proxmox's list of images (`aplinfo`) has it.
    pub file: String,
}

impl Download {
    /// The volume it becomes: `local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst`.
    #[must_use]
    pub fn volume(&self) -> String {
        format!("{}:vztmpl/{}", self.storage, self.file)
    }
}

/// The newest image of Proxmox's list that is what was wished, and the first storage of the node that takes images and
/// that we may put one on; the one that was named where a whole volume was wished.
pub(super) fn offered(wanted: &str, site: &Site) -> Option<Download> {
    let (named, wanted) = match wanted.split_once(":vztmpl/") {
        Some((storage, file)) => (Some(storage), file),
        None => (None, wanted),
    };
    let file = image::resolve(wanted, &site.downloads)?;
    let fits = |storage: &&Storage| named.is_none_or(|named| storage.name == named);
    let may = |storage: &&Storage| {
        site.permissions.as_ref().is_none_or(|held| privileges::may_download(held, &storage.name))
    };
    // Where we may not, the check of the privileges says so.
    let storage = taking(site).filter(fits).min_by_key(|storage| !may(storage))?;
    Some(Download { storage: storage.name.clone(), file: file.to_owned() })
}

/// The storages of the node that take images.
pub(super) fn taking(site: &Site) -> impl Iterator<Item = &Storage> {
    site.storages.iter().filter(|storage| storage.takes_images())
}

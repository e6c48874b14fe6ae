//! An OS image that is not on its node: which one Proxmox would download for it, and where to. Pure; whether somebody
//! wished that is `settle`'s.

use super::image;
use super::site::{Site, Storage};
use super::spec::Download;

/// The newest image of Proxmox's list that is what was wished, and the first storage of the node that takes images; the
/// one that was named where a whole volume was wished.
pub(super) fn offered(wanted: &str, site: &Site) -> Option<Download> {
    let (named, wanted) = match wanted.split_once(":vztmpl/") {
        Some((storage, file)) => (Some(storage), file),
        None => (None, wanted),
    };
    let file = image::resolve(wanted, &site.downloads)?;
    let fits = |storage: &&Storage| named.is_none_or(|named| storage.name == named);
    let storage = taking(site).find(fits)?;
    Some(Download { storage: storage.name.clone(), file: file.to_owned() })
}

/// The storages of the node that take images.
pub(super) fn taking(site: &Site) -> impl Iterator<Item = &Storage> {
    site.storages.iter().filter(|storage| storage.takes_images())
}

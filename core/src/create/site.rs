//! What a site has and allows, as far as a container to be made is concerned. Plain data; must not judge.

use std::sync::Arc;

use crate::error::Error;
use crate::ids::Vmid;
use crate::picture::Entry;
use crate::pve::Permissions;

/// The kind of content that OS images are.
pub(super) const IMAGES: &str = "vztmpl";

/// A storage, as one node has it (`/nodes/N/storage`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    /// Its name.
    pub name: String,
    /// What it takes: `rootdir`, `vztmpl`, …
    pub content: Vec<String>,
    /// It is there and switched on.
    pub active: bool,
    /// Bytes free; None = it does not say.
    pub available: Option<u64>,
}

impl Storage {
    /// Whether it takes content of that kind.
    #[must_use]
    pub fn takes(&self, content: &str) -> bool {
        self.content.iter().any(|one| one == content)
    }

    /// Whether OS images can be put there now.
    #[must_use]
    pub fn takes_images(&self) -> bool {
        self.active && self.takes(IMAGES)
    }
}

/// The site as it is for one container to be made.
#[derive(Debug, Clone)]
pub struct Site {
    /// The remote.
    pub remote: String,
    /// The node it is to be on.
    pub node: String,
    /// Why this one, when it was chosen.
    pub node_chosen: Option<String>,
    /// Why that node cannot be asked.
    pub node_trouble: Option<Error>,
    /// Its number.
    pub vmid: Vmid,
    /// Who has that number, when it was asked for by name.
    pub vmid_taken: Option<String>,
    /// Every image there is on the node.
    pub volumes: Vec<String>,
    /// Images that could be downloaded (`aplinfo`), by file name.
    pub downloads: Vec<String>,
    /// Its storages.
    pub storages: Vec<Storage>,
    /// Its bridges; None = they may not be seen.
    pub bridges: Option<Vec<String>>,
    /// The pools our token may see; None = they cannot be told. Asked only for what is to be in one.
    pub pools: Option<Vec<String>>,
    /// Using a bridge takes a privilege: since Proxmox VE 8.
    pub bridges_guarded: bool,
    /// What our token may do; None = it cannot be told.
    pub permissions: Option<Permissions>,
    /// We come as root@pam itself, not with a token.
    pub root: bool,
    /// The containers of this remote.
    pub others: Vec<Arc<Entry>>,
    /// Why the node cannot be reached by SSH; None = it can. Asked only for what needs it.
    pub ssh_trouble: Option<Error>,
}

//! The picture of what is out there: plain data, replaced as a whole, read without locks. How it comes about is
//! lxcd's `inventory`.

mod rights;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::ids::{Installation, Micros, Vmid};
use crate::pve::Node;
use crate::record::ContainerRecord;

pub use rights::Rights;

/// How far a row can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Proxmox said so at the last poll.
    Live,
    /// From before the last start of lxcd or an older poll; nothing speaks against it.
    Cached,
    /// Its node or remote could not be asked.
    Stale,
}

impl Freshness {
    /// Its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Cached => "cached",
            Self::Stale => "stale",
        }
    }
}

/// Why something cannot be asked, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is to the person who lists.
    pub code: Code,
    /// Since when.
    pub since: Micros,
    /// Proxmox's words, or the connection's.
    pub why: String,
}

/// How one URL of a remote does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlState {
    /// The URL.
    pub url: String,
    /// The node behind it, where that is known.
    pub node: Option<String>,
    /// Since when it is not reached, and why.
    pub down: Option<(Micros, String)>,
}

/// One container.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As stored.
    pub row: ContainerRecord,
    /// How far to believe it.
    pub freshness: Freshness,
    /// Its config has to be read (again).
    pub wants_config: bool,
    /// When its config was read, in this run of lxcd.
    pub config_read: Option<Micros>,
    /// When its addresses were asked for, in this run of it.
    pub addresses_read: Option<Micros>,
    /// The rights it was last seen with.
    pub seen_with: Option<u64>,
    /// Proxmox answered without it, and that may be because the token must not see it.
    pub hidden: bool,
}

impl Entry {
    /// One that nothing has been asked about yet.
    #[must_use]
    pub fn new(row: ContainerRecord, freshness: Freshness) -> Self {
        let wants_config = row.config.is_none();
        Self {
            row,
            freshness,
            wants_config,
            config_read: None,
            addresses_read: None,
            seen_with: None,
            hidden: false,
        }
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// As `/nodes` says.
    pub node: Node,
    /// When.
    pub observed: Micros,
    /// Why it cannot be asked.
    pub trouble: Option<Trouble>,
}

/// One remote.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub installation: Installation,
    /// Its nodes.
    pub nodes: BTreeMap<String, NodeView>,
    /// Its containers, gone ones included.
    pub containers: BTreeMap<Vmid, Arc<Entry>>,
    /// Numbers of its virtual machines, so that a target that is one can be told.
    pub vms: Vec<Vmid>,
    /// Last complete answer to "what is there".
    pub polled: Option<Micros>,
    /// Why it cannot be asked at all.
    pub trouble: Option<Trouble>,
    /// What in its lists could not be read, while the rest could: by node, the list of all guests under "".
    pub unread: BTreeMap<String, Trouble>,
    /// What the token may do; None = it could not be asked.
    pub rights: Option<Arc<Rights>>,
}

impl RemoteView {
    /// A remote nobody has asked yet.
    #[must_use]
    pub fn new(name: &str, installation: &Installation) -> Self {
        Self {
            name: name.to_owned(),
            installation: installation.clone(),
            nodes: BTreeMap::new(),
            containers: BTreeMap::new(),
            vms: Vec::new(),
            polled: None,
            trouble: None,
            unread: BTreeMap::new(),
            rights: None,
        }
    }
}

/// Everything, by remote name.
pub type Picture = BTreeMap<String, Arc<RemoteView>>;

//! What the poller of an installation saw in a round, for the daemons that do not poll it. The containers' own
//! rows stand beside it; here is what they leave out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{ContainerId, Micros, Vmid};
use crate::picture::{Entry, Freshness, NodeView, RemoteView, Rights, Trouble};
use crate::pve::{Permissions, Usage};

/// Everything a listing needs beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Round {
    /// Last complete answer.
    pub polled: Option<Micros>,
    /// Why the remote cannot be asked at all.
    pub trouble: Option<Trouble>,
    /// What in its lists could not be read.
    pub unread: BTreeMap<String, Trouble>,
    /// Its nodes, with their troubles.
    pub nodes: BTreeMap<String, NodeView>,
    /// Its virtual machines.
    pub vms: Vec<Vmid>,
    /// What the token may do.
    pub rights: Option<Permissions>,
    /// The containers.
    pub seen: Vec<Seen>,
}

/// One container in a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number.
    pub vmid: Vmid,
    /// Incarnation.
    pub id: ContainerId,
    /// When.
    pub observed: Micros,
    /// How far to believe it.
    pub freshness: Freshness,
    /// Its figures.
    pub usage: Usage,
    /// The rights it was seen with.
    pub seen_with: Option<u64>,
    /// Perhaps only out of sight.
    pub hidden: bool,
}

impl Round {
    /// What there is to tell of a remote.
    #[must_use]
    pub fn of(view: &RemoteView) -> Self {
        let seen = |entry: &Arc<Entry>| Seen {
            vmid: entry.row.vmid,
            id: entry.row.id,
            observed: entry.row.observed,
            freshness: entry.freshness,
            usage: entry.row.live.usage.clone(),
            seen_with: entry.seen_with,
            hidden: entry.hidden,
        };
        Self {
            polled: view.polled,
            trouble: view.trouble.clone(),
            unread: view.unread.clone(),
            nodes: view.nodes.clone(),
            vms: view.vms.clone(),
            rights: view.rights.as_ref().map(|rights| rights.permissions().clone()),
            seen: view.containers.values().map(seen).collect(),
        }
    }

    /// Shows it in a view whose rows are up to date. A row that was observed later, by an operation, keeps
    /// what that one saw.
    pub fn show(self, view: &mut RemoteView) {
        view.polled = self.polled;
        view.trouble = self.trouble;
        view.unread = self.unread;
        view.nodes = self.nodes;
        view.vms = self.vms;
        view.rights = self.rights.map(|permissions| Arc::new(Rights::new(permissions)));
        for seen in self.seen {
            let known = view.containers.get_mut(&seen.vmid).filter(|entry| entry.row.id == seen.id);
            let Some(entry) = known.map(Arc::make_mut) else { continue };
            (entry.hidden, entry.seen_with) = (seen.hidden, seen.seen_with);
            if seen.observed >= entry.row.observed {
                entry.row.observed = seen.observed;
                entry.row.live.usage = seen.usage;
                entry.freshness = seen.freshness;
            } else {
                entry.freshness = Freshness::Live;
            }
        }
    }
}

//! What a listing could not do: remotes and nodes that cannot be asked, rows that cannot be read. Owns which of
//! that touches a query; what Proxmox could not be asked is worded by lxcctl.

use std::sync::Arc;

use lxc_core::error::Code;
use lxc_core::ids::Micros;
use lxc_core::picture::{Entry, RemoteView, Trouble};
use lxc_core::selector::Query;

use super::facts;

/// Something the listing could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its code.
    pub code: Code,
    /// Why, in Proxmox's words where it has some.
    pub message: String,
    /// remote, or remote/node.
    pub target: String,
    /// Since when.
    pub since: Option<Micros>,
    /// Containers asked for whose state is unknown because of it.
    pub unknown: u32,
}

/// What could not be asked of a remote, as far as it touches what the query picks.
pub(super) fn warnings(view: &RemoteView, query: &Query) -> Vec<Warning> {
    let belongs = |entry: &&Arc<Entry>| {
        entry.row.gone_since.is_none() && query.matches_whatever_state(&facts(&view.name, &entry.row))
    };
    if let Some(trouble) = &view.trouble {
        return vec![warning(&view.name, trouble, view.containers.values().filter(belongs).count())];
    }
    let blind = view.rights.as_ref().filter(|rights| rights.blind()).map(|_| Warning {
        code: Code::LacksPrivilege,
        message: format!("the token of {} lacks VM.Audit, so Proxmox shows it no container", view.name),
        target: view.name.clone(),
        since: None,
        unknown: 0,
    });
    let down = view.nodes.iter().filter_map(|(name, node)| {
        let trouble = node.trouble.as_ref()?;
        let on_it = view.containers.values().filter(|entry| entry.row.node == *name);
        let unknown = on_it.filter(belongs).count();
        // Which containers a silent node has is known from its cluster: with none of them picked, nothing is
        // missing.
        (unknown > 0 || query.is_everything())
            .then(|| warning(&format!("{}/{name}", view.name), trouble, unknown))
    });
    // Whose rows they were may be unknown, so that nobody can say that the query does not mean them.
    let unread = view.unread.iter().map(|(node, trouble)| {
        let target = if node.is_empty() { view.name.clone() } else { format!("{}/{node}", view.name) };
        warning(&target, trouble, 0)
    });
    blind.into_iter().chain(down).chain(unread).collect()
}

/// The store does not answer, and the list is what this lxcd remembers.
pub(super) fn from_memory(why: String) -> Warning {
    Warning {
        code: Code::StoreFailed,
        message: format!(
            "lxcd's database does not answer ({why}): this is what lxcd remembers, and may be out of date"
        ),
        target: "lxcd".to_owned(),
        since: None,
        unknown: 0,
    }
}

fn warning(target: &str, trouble: &Trouble, unknown: usize) -> Warning {
    Warning {
        code: trouble.code,
        message: trouble.why.clone(),
        target: target.to_owned(),
        since: Some(trouble.since),
        unknown: u32::try_from(unknown).unwrap_or(u32::MAX),
    }
}

//! One round of questions to a remote: who is there, and every online node's list, side by side. Owns the
//! asking; what the answers mean is `merge`'s.

use std::collections::BTreeMap;

use futures::future::join_all;
use lxc_core::ids::Micros;
use lxc_core::ports::PveError;
use lxc_core::pve::{Live, Node, Resource};

use crate::pve::{PveClient, Rows};

/// The answers of one round.
#[derive(Debug)]
pub(super) struct Sample {
    /// When the round began: no answer is older.
    pub(super) at: Micros,
    /// `/nodes`
    pub(super) nodes: Result<Vec<Node>, PveError>,
    /// `/cluster/resources`: existence and placement, also of what is on an offline node.
    pub(super) resources: Result<Rows<Resource>, PveError>,
    /// `/nodes/N/lxc` of every online node.
    pub(super) lists: BTreeMap<String, Result<Rows<Live>, PveError>>,
}

/// Asks.
pub(super) async fn take(client: &PveClient, at: Micros) -> Sample {
    let (nodes, resources) = tokio::join!(client.nodes(), client.resources());
    let online: Vec<String> = match &nodes {
        Ok(nodes) => nodes.iter().filter(|node| node.online).map(|node| node.name.clone()).collect(),
        Err(_) => Vec::new(),
    };
    let lists = join_all(online.into_iter().map(|name| async move {
        let list = client.list_lxc(&name).await;
        (name, list)
    }))
    .await;
    Sample { at, nodes, resources, lists: lists.into_iter().collect() }
}

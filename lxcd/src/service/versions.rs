//! Which Proxmox each node runs. Asked when somebody looks at the nodes, for it changes once in months; must
//! not keep a list waiting for a node that is slow.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time::timeout;

use super::Services;
use super::listing::NodeListing;
use super::registry::Remote;

/// So many nodes are asked at once.
const AT_ONCE: usize = 16;
/// A node that says nothing for so long stays without a version.
const PATIENCE: Duration = Duration::from_millis(1500);

impl Services {
    /// The version of each node of a list, in its order; None where it cannot be asked, or may not.
    pub async fn node_versions(&self, nodes: &NodeListing) -> Vec<Option<String>> {
        let mut asked = Vec::with_capacity(nodes.items.len());
        for (view, node, ..) in &nodes.items {
            let answers = node.trouble.is_none() && view.trouble.is_none() && node.node.online;
            let remote = self.registry.get(&view.name).filter(|_| answers);
            asked.push((remote, node.node.name.clone()));
        }
        let ask = |(remote, node): (Option<Arc<Remote>>, String)| async move {
            let status = timeout(PATIENCE, remote?.client.node_status(&node)).await.ok()?.ok()?;
            // `pve-manager/9.2.11/8a32d2fd`
            status.pve_version?.split('/').nth(1).map(str::to_owned)
        };
        stream::iter(asked).map(ask).buffered(AT_ONCE).collect().await
    }
}

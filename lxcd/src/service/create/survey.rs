//! What a remote has to choose from, for somebody who has not wished anything yet: nodes with their images, storages and
//! bridges, and the names that are taken. Owns what is looked at; must not judge or choose.

use std::collections::HashSet;

use futures::future::join_all;
use lxc_core::create::{Storage, image_file};
use lxc_core::error::Result;

use super::site::{Asked, Offer, node_trouble};
use crate::service::Services;
use crate::service::access::Caller;

/// What a remote has to offer.
#[derive(Debug)]
pub struct Survey {
    /// Its name.
    pub remote: String,
    /// Its nodes, those that answer.
    pub nodes: Vec<Surveyed>,
    /// Host names that are taken there.
    pub names: Vec<String>,
}

/// What one node has to offer.
#[derive(Debug)]
pub struct Surveyed {
    /// Its name.
    pub name: String,
    /// Bytes of memory nobody uses; None = it may not be seen.
    pub free: Option<u64>,
    /// Its OS images, as volumes.
    pub images: Vec<String>,
    /// Storages that take root disks.
    pub storages: Vec<Storage>,
    /// Its bridges; none also where they may not be seen.
    pub bridges: Vec<String>,
    /// File names of the OS images that it has not, and that could be downloaded to it.
    pub downloads: Vec<String>,
}

impl Services {
    /// Looks at what there is to choose from; None = the default remote, or the only one.
    ///
    /// # Errors
    /// LXC0601 for who may not create there; when there is no such remote, or it does not answer.
    pub async fn survey(&self, caller: &Caller, remote: Option<&str>) -> Result<Survey> {
        let remote = self.remote_for(caller, remote)?;
        self.access.require(caller, &remote.row.name, "create", "a container", &remote.row.owner)?;
        let view = self.fresh_view(&remote).await?;
        let client = self.registry.client_of(&remote, &caller.actor);
        let asked = Asked { remote: &remote, client: &client, view: &view };
        let answering = view.nodes.iter().filter(|(name, _)| node_trouble(&view, name).is_none());
        let nodes = join_all(answering.map(|(name, node)| {
            async move {
                let (offer, bridges, listed) = tokio::join!(
                    self.offer(asked, name),
                    asked.client.bridges(name),
                    asked.client.downloads(name)
                );
                // What one node does not tell is no reason to ask nothing at all.
                let offer = offer.unwrap_or_default();
                let downloads = downloadable(&offer, listed.unwrap_or_default());
                let fit = |storage: &Storage| storage.active && storage.takes("rootdir");
                Surveyed {
                    name: name.clone(),
                    free: node
                        .node
                        .memory_max
                        .zip(node.node.memory)
                        .and_then(|(all, used)| all.checked_sub(used)),
                    images: offer.volumes,
                    storages: offer.storages.into_iter().filter(fit).collect(),
                    bridges: bridges.unwrap_or_default(),
                    downloads,
                }
            }
        }))
        .await;
        let rows = view.containers.values().map(|entry| &entry.row);
        let names = rows.filter(|row| row.gone_since.is_none()).filter_map(|row| row.name.clone()).collect();
        Ok(Survey { remote: view.name.clone(), nodes, names })
    }
}

/// What of Proxmox's list a node has not, where a storage of it takes images.
fn downloadable(offer: &Offer, mut listed: Vec<String>) -> Vec<String> {
    if !offer.storages.iter().any(Storage::takes_images) {
        return Vec::new();
    }
    let there: HashSet<&str> = offer.volumes.iter().map(|volume| image_file(volume)).collect();
    listed.retain(|file| !there.contains(file.as_str()));
    listed
}

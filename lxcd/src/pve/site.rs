//! What a node offers to a container that is to be made: storages, images, bridges, pools. Owns their paths and shapes; must
//! not judge what fits (core's `create`).

use lxc_core::create::Storage;
use lxc_core::ports::PveError;
use serde::Deserialize;

use super::answer::Answer;
use super::client::{PveClient, segment};
use super::metrics::Class;
use super::scalar::Scalar;
use super::transport::{LIST, Request};

impl PveClient {
    /// `/nodes/N/storage`, by name: those the token may see.
    ///
    /// # Errors
    /// As any question.
    pub async fn storages(&self, node: &str) -> Result<Vec<Storage>, PveError> {
        let path = format!("/nodes/{}/storage", segment(node));
        let request = Request { class: Class::Nodes, node, path: &path, limit: LIST };
        storages(self.transport.get(request).await?.answer())
    }

    /// As `PveApi::images`.
    ///
    /// # Errors
    /// `Refused(Permission)` without Datastore.Audit; else as any question.
    pub(super) async fn images_on(&self, node: &str, storage: &str) -> Result<Vec<String>, PveError> {
        let path = format!("/nodes/{}/storage/{}/content?content=vztmpl", segment(node), segment(storage));
        let request = Request { class: Class::Nodes, node, path: &path, limit: LIST };
        words(self.transport.get(request).await?.answer(), |row: Volume| row.volid)
    }

    /// File names of the images Proxmox could download (`aplinfo`).
    ///
    /// # Errors
    /// As any question.
    pub async fn downloads(&self, node: &str) -> Result<Vec<String>, PveError> {
        let path = format!("/nodes/{}/aplinfo", segment(node));
        let request = Request { class: Class::Nodes, node, path: &path, limit: LIST };
        words(self.transport.get(request).await?.answer(), |row: Appliance| row.template)
    }

    /// The bridges of a node, SDN's virtual networks among them.
    ///
    /// # Errors
    /// As any question; a token without SDN.Use sees none.
    pub async fn bridges(&self, node: &str) -> Result<Vec<String>, PveError> {
        let path = format!("/nodes/{}/network?type=any_bridge", segment(node));
        let request = Request { class: Class::Nodes, node, path: &path, limit: LIST };
        words(self.transport.get(request).await?.answer(), |row: Interface| row.iface)
    }

    /// `/pools`: those the token may look into.
    ///
    /// # Errors
    /// As any question.
    pub async fn pools(&self) -> Result<Vec<String>, PveError> {
        let request = Request { class: Class::Resources, node: "", path: "/pools", limit: LIST };
        words(self.transport.get(request).await?.answer(), |row: Pool| row.poolid)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pool {
    poolid: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StorageRow {
    storage: Scalar,
    content: Scalar,
    active: Scalar,
    enabled: Scalar,
    avail: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Volume {
    volid: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Appliance {
    template: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interface {
    iface: Scalar,
}

pub(super) fn storages(answer: Answer<'_>) -> Result<Vec<Storage>, PveError> {
    let rows: Vec<StorageRow> = answer.rows()?;
    let one = |row: StorageRow| {
        let content = row.content.text().unwrap_or_default();
        Some(Storage {
            name: row.storage.word()?,
            content: content
                .split(',')
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty())
                .collect(),
            active: row.active.flag() && row.enabled.flag(),
            available: row.avail.amount(),
        })
    };
    let mut all: Vec<Storage> = rows.into_iter().filter_map(one).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn words<T: serde::de::DeserializeOwned>(
    answer: Answer<'_>,
    word: impl Fn(T) -> Scalar,
) -> Result<Vec<String>, PveError> {
    let rows: Vec<T> = answer.rows()?;
    let mut all: Vec<String> = rows.into_iter().filter_map(|row| word(row).word()).collect();
    all.sort();
    Ok(all)
}

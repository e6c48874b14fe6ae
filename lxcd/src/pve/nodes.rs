//! Nodes, the cluster and everything on it: the calls of the inventory and of `remote`. Owns their
//! paths; shapes are read in `shapes`. Must not merge or remember anything.

mod shapes;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use lxc_core::ids::{Installation, Vmid};
use lxc_core::ports::PveError;
use lxc_core::pve::{ClusterStatus, Live, Node, NodeStatus, Permissions, Resource, Version};

use super::answer::Rows;
use super::certificates;
use super::client::{PveClient, segment};
use super::exchange::Received;
use super::lxc;
use super::metrics::Class;
use super::transport::{LIST, Request, SMALL};
use shapes::managed;
pub(super) use shapes::{cluster, node_status, nodes, permissions, placement, resources, version};

impl PveClient {
    /// `/version`; any token may ask.
    ///
    /// # Errors
    /// As any question.
    pub async fn version(&self) -> Result<Version, PveError> {
        let received = self.small(Class::Version, "", "/version").await?;
        version(received.answer())
    }

    /// `/version`, asked of each URL by itself, in order.
    ///
    /// # Errors
    /// As any question, for each.
    pub async fn versions(&self) -> Vec<(Duration, Result<Version, PveError>)> {
        let request = Request { class: Class::Version, node: "", path: "/version", limit: SMALL };
        let one = |way| async move {
            let began = Instant::now();
            let answer = self.transport.get_at(way, request).await;
            let read = answer.and_then(|received| version(received.answer()));
            (began.elapsed(), read)
        };
        futures::future::join_all(self.transport.ways().iter().map(one)).await
    }

    /// The installation behind each URL, asked of each by itself, in order.
    ///
    /// # Errors
    /// As any question, for each.
    pub async fn installations(&self) -> Vec<Result<Installation, PveError>> {
        // Whoever is asked is to answer: no other node has to be up.
        let path = "/nodes/localhost/certificates/info";
        let request = Request { class: Class::Certificates, node: "", path, limit: SMALL };
        let one = |way| async move {
            let received = self.transport.get_at(way, request).await?;
            certificates::read(received.answer()).map(|found| found.installation)
        };
        futures::future::join_all(self.transport.ways().iter().map(one)).await
    }

    /// `/nodes`, by name: exact names, who is online, which certificate each serves.
    ///
    /// # Errors
    /// As any question.
    pub async fn nodes(&self) -> Result<Vec<Node>, PveError> {
        nodes(self.small(Class::Nodes, "", "/nodes").await?.answer())
    }

    /// `/cluster/status`.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit on `/`; else as any question.
    pub async fn cluster_status(&self) -> Result<ClusterStatus, PveError> {
        cluster(self.small(Class::Nodes, "", "/cluster/status").await?.answer())
    }

    /// `/nodes/N/lxc`, by vmid: the truth about every container of one node that the token may see.
    ///
    /// # Errors
    /// As any question; an answer of which no row can be read is `Garbage`.
    pub async fn list_lxc(&self, node: &str) -> Result<Rows<Live>, PveError> {
        let path = format!("/nodes/{}/lxc", segment(node));
        let request = Request { class: Class::List, node, path: &path, limit: LIST };
        lxc::list(self.transport.get(request).await?.answer())
    }

    /// `/cluster/resources?type=vm`, by vmid: every guest of the installation the token may see, also
    /// on offline nodes.
    ///
    /// # Errors
    /// As any question; an answer of which no row can be read is `Garbage`.
    pub async fn resources(&self) -> Result<Rows<Resource>, PveError> {
        let request =
            Request { class: Class::Resources, node: "", path: "/cluster/resources?type=vm", limit: LIST };
        resources(self.transport.get(request).await?.answer())
    }

    /// The containers HA manages, from `/cluster/ha/resources`; none on a node that stands alone.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit on `/`; else as any question.
    pub(super) async fn ha_managed(&self) -> Result<HashSet<Vmid>, PveError> {
        managed(self.small(Class::Nodes, "", "/cluster/ha/resources").await?.answer())
    }

    /// `/nodes/N/status`.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit; else as any question.
    pub async fn node_status(&self, node: &str) -> Result<NodeStatus, PveError> {
        let path = format!("/nodes/{}/status", segment(node));
        node_status(self.small(Class::Nodes, node, &path).await?.answer())
    }

    /// `/access/permissions`: what this token may do.
    ///
    /// # Errors
    /// As any question.
    pub async fn permissions(&self) -> Result<Permissions, PveError> {
        permissions(self.small(Class::Permissions, "", "/access/permissions").await?.answer())
    }

    async fn small(&self, class: Class, node: &str, path: &str) -> Result<Received, PveError> {
        self.transport.get(Request { class, node, path, limit: SMALL }).await
    }
}

//! Rows and views for the tests of this module. Owns plausible values; must not do anything.

use lxc_core::picture::{Entry, Freshness, NodeView, RemoteView};
use lxc_core::record::{ContainerRecord, RemoteRecord};
use std::path::Path;
use std::sync::Arc;

use lxc_core::ids::{DaemonId, Installation, Vmid};
use lxc_core::pve::{Live, Node, Power};
use lxc_core::timing::Timing;

use super::poller::Inventory;
use crate::clock::SystemClock;
use crate::store::Store;

pub(super) fn installation() -> Installation {
    Installation("ab".repeat(32))
}

/// A stopped container on pve1, seen at 0.
pub(super) fn row(vmid: Vmid) -> ContainerRecord {
    let live = Live { name: Some(format!("ct{vmid}")), ..Live::bare(vmid, Power::Stopped) };
    ContainerRecord::seen(&installation(), "pve1", live, 0)
}

/// A store in a directory of its own, and an inventory of the remote `lab` that polls nothing.
pub(super) async fn inventory(dir: &Path, timing: Timing) -> Arc<Inventory> {
    let store = Store::open_sqlite(&dir.join("lxcd.db")).await.unwrap();
    let lab = RemoteRecord {
        name: "lab".to_owned(),
        installation: installation(),
        urls: Vec::new(),
        token_id: String::new(),
        token_secret: String::new(),
        ca_pem: None,
        owner: String::new(),
        people: Default::default(),
        is_default: true,
        pve_version: None,
        cluster: None,
        created: 0,
        pins: Vec::new(),
        ssh: None,
    };
    let me = DaemonId::generate();
    let inventory =
        Inventory::load(store, Arc::default(), Arc::new(SystemClock), timing, &[lab], me).await.unwrap();
    assert!(inventory.hold(&installation(), false).await);
    inventory
}

/// A remote `lab` with a node pve1 and these containers.
pub(super) fn view(rows: Vec<ContainerRecord>) -> RemoteView {
    let mut view = RemoteView::new("lab", &installation());
    let node = Node {
        name: "pve1".to_owned(),
        online: true,
        fingerprint: None,
        cpu: None,
        cpus: None,
        memory: None,
        memory_max: None,
        disk: None,
        disk_max: None,
        uptime: None,
    };
    view.nodes.insert("pve1".to_owned(), NodeView { node, observed: 0, trouble: None });
    for row in rows {
        view.containers.insert(row.vmid, Arc::new(Entry::new(row, Freshness::Live)));
    }
    view
}

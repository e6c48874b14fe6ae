//! Where a container goes when nobody says: the remote, the node, the number.

use std::sync::Arc;

use lxc_core::create::{Nearness, Placing, place};
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Vmid;
use lxc_core::ports::PveApi;

use super::site::Asked;
use crate::pve::PveClient;
use crate::service::access::{Caller, no_remote};
use crate::service::registry::Remote;
use crate::service::{Services, store_error};

/// The first number Proxmox gives to guests.
const FIRST: Vmid = 100;
/// The last one (api-schema: vmid).
const LAST: Vmid = 999_999_999;
/// How many numbers are asked about before it is given up.
const ASKED: usize = 200;

impl Services {
    /// The remote that is meant: the one that was said, the default, or the only one there is.
    pub(super) fn remote_for(&self, caller: &Caller, wanted: Option<&str>) -> Result<Arc<Remote>> {
        self.access.enter(caller)?;
        self.check_remote(caller, wanted)?;
        let default = self.registry.default_name().filter(|name| self.access.sees(caller, name));
        if let Some(name) = wanted.map(str::to_owned).or(default) {
            return self.registry.get(&name).ok_or_else(|| no_remote(&name));
        }
        let mut all = self.registry.all();
        all.retain(|remote| self.access.sees(caller, &remote.row.name));
        match all.len() {
            0 => Err(Error::new(Code::NoRemote, "no Proxmox is known here yet")
                .because("a container needs a remote to be made on")
                .hint("lxcctl remote add --help")),
            1 => Ok(all.swap_remove(0)),
            many => {
                let names: Vec<&str> = all.iter().map(|remote| remote.row.name.as_str()).collect();
                Err(Error::new(Code::Usage, format!("there are {many} remotes"))
                    .because(names.join(", "))
                    .hint(format!("{{line}} --remote {}", names[0]))
                    .hint_noted(format!("lxcctl remote set {} --default", names[0]), "for the next time"))
            }
        }
    }

    /// The node with most room, and why.
    pub(super) async fn place(
        &self,
        asked: Asked<'_>,
        images: &[(String, Nearness)],
        memory: u64,
        inside: bool,
    ) -> Result<Option<(String, String)>> {
        let Asked { remote, view, .. } = asked;
        let pinned = |node: &str| {
            remote.row.ssh.as_ref().is_some_and(|ssh| ssh.hosts.iter().any(|host| host.node == node))
        };
        let making = self.store.making(&view.installation).await.map_err(store_error)?;
        let placing = |(name, image): &(String, Nearness)| {
            let node = view.nodes.get(name);
            let free = node.and_then(|node| node.node.memory_max?.checked_sub(node.node.memory?));
            Placing {
                name: name.clone(),
                online: node.is_some_and(|node| node.trouble.is_none()),
                free,
                making: making.get(name).copied().unwrap_or(0),
                image: *image,
                workable: !inside || pinned(name),
            }
        };
        Ok(place(&images.iter().map(placing).collect::<Vec<_>>(), memory))
    }

    /// The first number from `from` on that neither Proxmox nor any lxcd has given to anybody. Holds nothing.
    pub(super) async fn free_vmid(&self, remote: &Remote, client: &PveClient, from: Vmid) -> Result<Vmid> {
        let picture = self.inventory.picture();
        let view = picture.get(&remote.row.name);
        let held = self.store.held_locks().await.map_err(store_error)?;
        let known = |vmid: &Vmid| {
            let seen = view.is_some_and(|view| view.containers.contains_key(vmid) || view.vms.contains(vmid));
            seen || held.iter().any(|(at, number, ..)| *at == remote.row.installation && number == vmid)
        };
        for vmid in (from.max(FIRST)..=LAST).filter(|vmid| !known(vmid)).take(ASKED) {
            match client.vmid_free(vmid).await {
                Ok(true) => return Ok(vmid),
                Ok(false) => {}
                Err(error) => return Err(crate::service::remotes::fault(remote, &error)),
            }
        }
        Err(Error::new(Code::VmidTaken, "there is no free number")
            .because(format!("{ASKED} numbers from {from} on belong to guests the token may not see"))
            .hint("{line} --vmid 200000"))
    }
}

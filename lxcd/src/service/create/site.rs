//! Asks a site for what a container to be made needs to know of it. Owns what is asked of whom; what it means is core's.

use futures::future::join_all;
use lxc_core::create::{DEFAULT_MEMORY_MB, Layers, Nearness, Site, Storage, resolve_image};
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Vmid;
use lxc_core::job::Node;
use lxc_core::picture::RemoteView;
use lxc_core::ports::{JobError, PveApi, PveError};
use lxc_core::pve::RefusalKind;

use crate::pve::PveClient;
use crate::service::registry::Remote;
use crate::service::remotes::fault;
use crate::service::{Services, store_error};

/// Who is asked, and as whom.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) remote: &'a Remote,
    /// The API with the token of whoever wants the container, which is to make it, too.
    pub(super) client: &'a PveClient,
    pub(super) view: &'a RemoteView,
}

/// What one node has.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) storages: Vec<Storage>,
    pub(super) volumes: Vec<String>,
}

impl Services {
    /// What is known of a remote, looked at just now: a name that was given a minute ago counts.
    pub(super) async fn fresh_view(&self, remote: &Remote) -> Result<RemoteView> {
        self.inventory.poll_now(&remote.row.name).await.map_err(store_error)?;
        let picture = self.inventory.picture();
        let view = picture.get(&remote.row.name).cloned();
        let view = view.ok_or_else(|| crate::service::access::no_remote(&remote.row.name))?;
        match &view.trouble {
            Some(trouble) => Err(Error::new(trouble.code, format!("{} does not answer", remote.row.name))
                .because(trouble.why.clone())
                .hint(format!("lxcctl remote doctor {}", remote.row.name))),
            None => Ok((*view).clone()),
        }
    }

    /// The site, for these wishes; `inside` = something is to be done in the container.
    pub(super) async fn site(&self, asked: Asked<'_>, layers: &Layers<'_>, inside: bool) -> Result<Site> {
        let Asked { remote, client, view } = asked;
        let wanted = layers.said(|wish| wish.node.clone()).filter(|node| node != "auto");
        let (node, chosen, offer) = match wanted {
            Some(node) => {
                let offer = self.offer(asked, &node).await?;
                (node, None, offer)
            }
            None => self.chosen(asked, layers, inside).await?,
        };
        let trouble = node_trouble(view, &node);
        let missing = resolve_image(&layers.image().0, &offer.volumes).is_none();
        let pooled = layers.said(|wish| wish.pool.clone()).is_some();
        let (bridges, permissions, pools, downloads) = tokio::join!(
            client.bridges(&node),
            client.permissions(),
            async { if pooled { client.pools().await.ok() } else { None } },
            async {
                if missing && trouble.is_none() {
                    client.downloads(&node).await.unwrap_or_default()
                } else {
                    Vec::new()
                }
            }
        );
        let ssh_trouble =
            if inside && trouble.is_none() { self.ssh_trouble(remote, &node).await } else { None };
        let (vmid, vmid_taken) = self.number(asked, layers).await?;
        Ok(Site {
            remote: view.name.clone(),
            node,
            node_chosen: chosen,
            node_trouble: trouble,
            vmid,
            vmid_taken,
            volumes: offer.volumes,
            downloads,
            storages: offer.storages,
            // Whoever may see none cannot tell that there are none.
            bridges: bridges.ok().filter(|bridges| !bridges.is_empty()),
            bridges_guarded: are_bridges_guarded(remote.row.pve_version.as_deref()),
            permissions: permissions.ok(),
            pools,
            root: client.identity() == "root@pam",
            others: view.containers.values().cloned().collect(),
            ssh_trouble,
        })
    }

    /// Why nothing can be done in containers of that node.
    async fn ssh_trouble(&self, remote: &Remote, node: &str) -> Option<Error> {
        let name = &remote.row.name;
        let at = Node { installation: remote.row.installation.clone(), name: node.to_owned() };
        let (why, pinned) = match self.jobs.check(&at, &["lxc-attach"]).await {
            Ok(missing) if missing.is_empty() => return None,
            Ok(missing) => (missing.join("; "), true),
            Err(error) => (
                error.to_string(),
                !matches!(error, JobError::HostKeyChanged { .. } | JobError::HostKeyUnknown { .. }),
            ),
        };
        let mend = if pinned {
            (format!("lxcctl remote set {name} --ssh root --ssh-key ~/.ssh/id_ed25519"), "sets it up")
        } else {
            (format!("lxcctl remote trust {name} --rotate"), "if that key is the node's own")
        };
        Some(
            Error::new(Code::NoSsh, format!("{name}/{node} cannot be worked on by SSH"))
                .because(why)
                .hint_noted(mend.0, mend.1)
                .hint_noted("{line} --stop-after start", "makes and starts it, and no more"),
        )
    }

    /// The node with most room among those that have the image, else among those that can get it.
    async fn chosen(
        &self,
        asked: Asked<'_>,
        layers: &Layers<'_>,
        inside: bool,
    ) -> Result<(String, Option<String>, Offer)> {
        let view = asked.view;
        let names =
            view.nodes.iter().filter(|(_, node)| node.trouble.is_none()).map(|(name, _)| name.clone());
        let offers = join_all(names.map(|name| async move {
            let offer = self.offer(asked, &name).await.unwrap_or_default();
            (name, offer)
        }))
        .await;
        let image = layers.image().0;
        let may = layers.said(|wish| wish.download) == Some(true);
        let near = |(name, offer): &(String, Offer)| {
            let near = match resolve_image(&image, &offer.volumes) {
                Some(_) => Nearness::There,
                None if may && offer.storages.iter().any(Storage::takes_images) => Nearness::Download,
                None => Nearness::Away,
            };
            (name.clone(), near)
        };
        let images: Vec<(String, Nearness)> = offers.iter().map(near).collect();
        let (memory, _) =
            layers.pick(|wish| wish.memory_mb, |t| Some(u64::from(t.settings.ram_mb)), || DEFAULT_MEMORY_MB);
        let Some((node, why)) = self.place(asked, &images, memory << 20, inside).await? else {
            return Err(Error::new(Code::NodeUnreachable, format!("no node of {} answers", view.name))
                .because("a container needs one to be made on")
                .hint("lxcctl node ls"));
        };
        let offer = offers.into_iter().find(|(name, _)| *name == node).map(|(_, offer)| offer);
        Ok((node, Some(why), offer.unwrap_or_default()))
    }

    /// What a node has; nothing when it does not answer.
    pub(super) async fn offer(&self, asked: Asked<'_>, node: &str) -> Result<Offer> {
        let Asked { remote, client, view } = asked;
        if node_trouble(view, node).is_some() {
            return Ok(Offer::default());
        }
        let storages = client.storages(node).await.map_err(|error| fault(remote, &error))?;
        let with_images = storages.iter().filter(|storage| storage.takes_images());
        let lists = join_all(with_images.map(|storage| client.images(node, &storage.name))).await;
        let mut volumes = Vec::new();
        for list in lists {
            match list {
                Ok(images) => volumes.extend(images),
                Err(PveError::Refused(refusal)) if matches!(refusal.kind, RefusalKind::Permission { .. }) => {
                }
                Err(error) => return Err(fault(remote, &error)),
            }
        }
        Ok(Offer { storages, volumes })
    }

    /// The number that was said, and who has it; else one that is free.
    async fn number(&self, asked: Asked<'_>, layers: &Layers<'_>) -> Result<(Vmid, Option<String>)> {
        let Asked { remote, client, view } = asked;
        let said = layers.said(|wish| wish.vmid.clone()).and_then(|text| text.parse::<Vmid>().ok());
        let Some(vmid) = said else { return Ok((self.free_vmid(remote, client, 0).await?, None)) };
        let known = view.containers.get(&vmid).filter(|entry| entry.row.gone_since.is_none());
        if let Some(entry) = known {
            let name = entry.row.name.as_deref().unwrap_or("-");
            return Ok((vmid, Some(format!("{}/{vmid} is {name}", view.name))));
        }
        if view.vms.contains(&vmid) {
            return Ok((vmid, Some(format!("{}/{vmid} is a virtual machine", view.name))));
        }
        match client.vmid_free(vmid).await {
            Ok(true) => Ok((vmid, None)),
            Ok(false) => {
                Ok((vmid, Some("Proxmox has a guest of that number the token may not see".to_owned())))
            }
            Err(error) => Err(fault(remote, &error)),
        }
    }
}

/// Why a node cannot be asked.
pub(super) fn node_trouble(view: &RemoteView, node: &str) -> Option<Error> {
    let Some(known) = view.nodes.get(node) else {
        let names: Vec<&str> = view.nodes.keys().map(String::as_str).collect();
        return Some(
            Error::new(Code::NoNode, format!("{} has no node {node}", view.name))
                .because(format!("there are {}", names.join(", ")))
                .hint("lxcctl node ls"),
        );
    };
    let trouble = known.trouble.as_ref()?;
    Some(
        Error::new(trouble.code, format!("{}/{node} does not answer", view.name))
            .because(trouble.why.clone())
            .hint_noted("{line} --node auto", "takes one that does"),
    )
}

/// SDN.Use is asked for since Proxmox VE 8. A version nobody has read is taken for a new one.
fn are_bridges_guarded(version: Option<&str>) -> bool {
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_none_or(|major| major >= 8)
}

//! Listing: the picture, the store and the caller's rights in one answer. Owns what `status` means;
//! must not ask Proxmox itself.

mod warnings;

use lxc_core::picture::{Entry, Freshness, NodeView, Picture, RemoteView};
use lxc_core::record::{ContainerRecord, EventFilter, EventRecord};
use std::collections::HashMap;
use std::sync::Arc;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{Installation, Vmid};
use lxc_core::ports::StoreError;
use lxc_core::pve::Power;
use lxc_core::selector::{Facts, Query, Selection, Word};
use lxc_core::services::Service;

pub use warnings::Warning;
use warnings::{from_memory, warnings};

use super::access::Caller;
use super::{Services, store_error};
use crate::store;

/// A container as it is listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is known.
    pub entry: Arc<Entry>,
    /// Its remote's name.
    pub remote: String,
    /// creating, ready, error, deleting.
    pub lifecycle: String,
    /// None when Proxmox cannot be asked or no longer has it.
    pub power: Option<Power>,
    /// The one word people read.
    pub status: String,
    /// The operation that holds it now.
    pub operation: Option<String>,
    /// How far to believe it.
    pub freshness: Freshness,
}

/// The answer.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What matches, by name, then target.
    pub items: Vec<Listed>,
    /// What could not be done.
    pub warnings: Vec<Warning>,
    /// How many remotes the caller may see.
    pub remotes: u32,
}

impl Listed {
    /// `remote/vmid`
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.remote, self.entry.row.vmid)
    }

    /// What selectors look at.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            status: &self.status,
            lifecycle: &self.lifecycle,
            power: self.power.map(Power::as_str),
            ..facts(&self.remote, &self.entry.row)
        }
    }
}

/// One container in full.
#[derive(Debug)]
pub struct Shown {
    /// It.
    pub item: Listed,
    /// Its last ten events.
    pub events: Vec<EventRecord>,
    /// What was found inside it last, when it may still run.
    pub services: Vec<Service>,
    /// What is wrong around it.
    pub warnings: Vec<Warning>,
}

type Locks = HashMap<(Installation, Vmid), (String, String)>;

impl Services {
    /// What a caller may see of what they asked for.
    ///
    /// # Errors
    /// For a selector that cannot be read, an unknown remote, a caller without a role.
    pub async fn list(&self, caller: &Caller, selection: &Selection, fresh: bool) -> Result<Listing> {
        self.access.enter(caller)?;
        let query = Query::parse(selection).map_err(|error| error.for_verb("ls"))?;
        self.check_remote(caller, query.remote.as_deref())?;
        let (picture, current) = self.inventory.look(fresh).await;
        let locks = match current {
            Ok(()) => self.locks().await,
            Err(error) => Err(error),
        };
        let mut listing = Listing::default();
        let locks = match locks {
            Ok(locks) => locks,
            // What is in memory is better than nothing, and said to be no more than that.
            Err(StoreError::Failed(why)) => {
                listing.warnings.push(from_memory(why));
                Locks::new()
            }
            Err(error) => return Err(store_error(error)),
        };
        let remembered = !listing.warnings.is_empty();
        for view in picture.values().filter(|view| self.access.sees(caller, &view.name)) {
            listing.remotes += 1;
            if !query.reaches(&view.name) {
                continue;
            }
            let listed = view.containers.values().map(|entry| listed(view, entry, &locks));
            let listed = listed.map(|mut item| {
                if remembered {
                    item.freshness = Freshness::Stale;
                }
                item
            });
            listing.items.extend(listed.filter(|item| query.matches(&item.facts())));
            listing.warnings.extend(warnings(view, &query));
        }
        listing.items.sort_by(|a, b| {
            let (x, y) = (&a.entry.row, &b.entry.row);
            let unnamed = x.name.is_none().cmp(&y.name.is_none());
            unnamed
                .then_with(|| x.name.cmp(&y.name))
                .then_with(|| (&a.remote, x.vmid).cmp(&(&b.remote, y.vmid)))
        });
        Ok(listing)
    }

    /// One container with its last events.
    ///
    /// # Errors
    /// As resolving one target.
    pub async fn show(&self, caller: &Caller, selection: &Selection) -> Result<Shown> {
        self.inventory.look(false).await.1.map_err(store_error)?;
        let found = self.resolve(caller, selection, "show", 0).await?;
        let (item, _) = match &found.refs[..] {
            [one] => one.clone(),
            several => {
                return Err(Error::new(Code::TooMany, format!("{} containers match", several.len()))
                    .because("show tells about one at a time")
                    .hint(format!("lxcctl show {}", several[0].0.target())));
            }
        };
        let row = &item.entry.row;
        let filter = EventFilter {
            containers: Some(vec![(row.installation.clone(), row.vmid)]),
            limit: 10,
            ..EventFilter::default()
        };
        let events = self.store.events(&filter).await.map_err(store_error)?;
        let inside = self.store.services(row.id).await.map_err(store_error)?.looked;
        let inside = inside.filter(|_| item.power != Some(Power::Stopped));
        let services = inside.map(|looked| looked.services.services).unwrap_or_default();
        let one = Query {
            remote: Some(item.remote.clone()),
            words: vec![Word::vmid(row.vmid)],
            ..Query::default()
        };
        let picture = self.inventory.picture();
        let warnings = picture.get(&item.remote).map(|view| warnings(view, &one)).unwrap_or_default();
        Ok(Shown { item, events, services, warnings })
    }

    /// Tells whenever the listing may be different.
    ///
    /// # Errors
    /// LXC0601 without a role.
    pub fn changes(&self, caller: &Caller) -> Result<tokio::sync::watch::Receiver<u64>> {
        self.access.enter(caller)?;
        Ok(self.bus.inventory())
    }

    /// Everything of everybody, for resolving; no waiting for polls, no warnings.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn everything(&self, caller: &Caller, picture: &Picture) -> Result<Vec<Listed>> {
        let locks = self.locks().await.map_err(store_error)?;
        let seen = picture.values().filter(|view| self.access.sees(caller, &view.name));
        Ok(seen.flat_map(|view| view.containers.values().map(|entry| listed(view, entry, &locks))).collect())
    }

    /// # Errors
    /// LXC0302 when a remote is named that the caller cannot see.
    pub fn check_remote(&self, caller: &Caller, remote: Option<&str>) -> Result<()> {
        match remote {
            Some(name) if self.registry.get(name).is_none() || !self.access.sees(caller, name) => {
                Err(super::access::no_remote(name))
            }
            _ => Ok(()),
        }
    }

    /// Nodes of the remotes a caller may see, with the number of containers and running ones.
    ///
    /// # Errors
    /// LXC0302 for an unknown remote.
    pub async fn nodes(&self, caller: &Caller, remote: Option<&str>, fresh: bool) -> Result<NodeListing> {
        self.access.enter(caller)?;
        self.check_remote(caller, remote)?;
        let (picture, current) = self.inventory.look(fresh).await;
        let mut answer = NodeListing::default();
        if let Err(error) = current {
            answer.warnings.push(from_memory(error.to_string()));
        }
        for view in picture.values().filter(|view| self.access.sees(caller, &view.name)) {
            if remote.is_some_and(|remote| remote != view.name) {
                continue;
            }
            for (name, node) in &view.nodes {
                let on =
                    view.containers.values().filter(|e| e.row.node == *name && e.row.gone_since.is_none());
                let (mut all, mut running) = (0, 0);
                for entry in on {
                    all += 1;
                    running += u32::from(entry.row.power == Some(Power::Running));
                }
                answer.items.push((view.clone(), node.clone(), all, running));
            }
            answer.warnings.extend(warnings(view, &Query::default()));
        }
        Ok(answer)
    }

    async fn locks(&self) -> store::Result<Locks> {
        let locks = self.store.promptly(self.store.held_locks()).await?;
        Ok(locks
            .into_iter()
            .map(|(installation, vmid, op, verb)| ((installation, vmid), (op, verb)))
            .collect())
    }
}

/// Nodes: remote, node, containers, running ones.
#[derive(Debug, Default)]
pub struct NodeListing {
    /// The nodes.
    pub items: Vec<(Arc<RemoteView>, NodeView, u32, u32)>,
    /// What could not be done.
    pub warnings: Vec<Warning>,
}

/// As it would be listed, whatever holds it.
pub(super) fn seen(view: &RemoteView, entry: &Arc<Entry>) -> Listed {
    listed(view, entry, &Locks::new())
}

fn listed(view: &RemoteView, entry: &Arc<Entry>, locks: &Locks) -> Listed {
    let row = &entry.row;
    let lock = locks.get(&(row.installation.clone(), row.vmid));
    let node_down = view.nodes.get(&row.node).is_some_and(|node| node.trouble.is_some());
    let blind = view.trouble.is_some() || node_down || entry.hidden || row.gone_since.is_some();
    let power = row.power.filter(|_| !blind);
    let lifecycle = match lock {
        Some((_, verb)) if verb == "delete" => "deleting".to_owned(),
        _ => row.lifecycle.clone(),
    };
    let status = match (lifecycle.as_str(), power) {
        ("ready", Some(power)) => power.as_str().to_owned(),
        ("ready", None) => "unknown".to_owned(),
        (other, _) => other.to_owned(),
    };
    Listed {
        remote: view.name.clone(),
        lifecycle,
        power,
        status,
        operation: lock.map(|(op, _)| op.clone()),
        freshness: if blind && row.gone_since.is_none() { Freshness::Stale } else { entry.freshness },
        entry: entry.clone(),
    }
}

/// What selectors look at but for the state.
fn facts<'a>(remote: &'a str, row: &'a ContainerRecord) -> Facts<'a> {
    Facts {
        remote,
        node: Some(&row.node),
        vmid: row.vmid,
        name: row.name.as_deref(),
        tags: &row.live.tags,
        template: row.template.as_deref(),
        pool: row.pool.as_deref(),
        ..Facts::default()
    }
}

/// No such container, or not the caller's to see: the same words for both.
#[must_use]
pub fn no_container(text: &str) -> Error {
    Error::new(Code::NoContainer, format!("there is no container {text}"))
        .because("no remote of yours has one of that name or number")
        .hint("lxcctl ls")
}

//! Looks into containers in the background, so that listings and `services` know what runs. Owns the looks under way and
//! what came of them; when which container is due is core's, the looking is `service`'s.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use lxc_core::ids::ContainerId;
use lxc_core::job::Node;
use lxc_core::monitor::{LONGEST, Past, pick};
use lxc_core::timing::micros;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::service::Services;

/// The looks of this run of lxcd.
#[derive(Default)]
struct Looks {
    past: BTreeMap<ContainerId, Past>,
    busy: HashMap<Id, (ContainerId, Node)>,
    running: JoinSet<bool>,
}

/// What looks under way get when lxcd stops: most need a fraction of it, and then leave nothing on their node.
const GRACE: Duration = Duration::from_secs(2);

/// Looks until stopped, while somebody has listed anything within the last hour.
pub async fn watch(services: Services, stop: CancellationToken) {
    let mut looks = Looks::default();
    let (every, settle) = services.timing.inside;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = looks.running.join_next_with_id() => looks.note(ended, &services),
            () = services.clock.sleep(settle / 3) => {}
        }
        let quiet = services.now().saturating_sub(services.inventory.looked_at());
        if quiet <= micros(every).saturating_mul(LONGEST) {
            looks.begin(&services);
        }
    }
    tokio::select! {
        () = async { while looks.running.join_next().await.is_some() {} } => {}
        () = services.clock.sleep(GRACE) => {}
    }
    looks.running.shutdown().await;
}

impl Looks {
    fn begin(&mut self, services: &Services) {
        let all = services.within_reach();
        let (candidates, items): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        // What is stopped or gone begins anew when it comes back.
        let known: BTreeMap<ContainerId, usize> =
            candidates.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
        self.past.retain(|id, _| known.contains_key(id));
        let looked_into: Vec<ContainerId> = self.busy.values().map(|(id, _)| *id).collect();
        let busy: Vec<&Node> = self.busy.values().map(|(_, node)| node).collect();
        let picked = pick(&candidates, &self.past, &busy, services.now(), &services.timing);
        let mut begun = Vec::new();
        for one in picked.into_iter().filter(|one| !looked_into.contains(&one.id)) {
            let Some(item) = known.get(&one.id).and_then(|place| items.get(*place)) else { continue };
            let (services, item) = (services.clone(), item.clone());
            let look = self.running.spawn(async move {
                let looked = services.look_into(&item, None).await;
                if let Err(error) = &looked {
                    tracing::debug!(target = item.target(), %error, "cannot look into a container");
                }
                looked.is_ok()
            });
            begun.push((look.id(), (one.id, one.node.clone())));
        }
        self.busy.extend(begun);
    }

    fn note(&mut self, ended: Result<(Id, bool), JoinError>, services: &Services) {
        let (task, well) = ended.unwrap_or_else(|fault| {
            tracing::error!(%fault, "a look into a container ended in a fault");
            (fault.id(), false)
        });
        let Some((id, _)) = self.busy.remove(&task) else { return };
        let before = self.past.get(&id).map_or(0, |past| past.failures);
        let failures = if well { 0 } else { before.saturating_add(1) };
        self.past.insert(id, Past { at: services.now(), failures });
    }
}

//! Which containers can be looked into from here: those that run, on nodes with SSH, of remotes this lxcd polls. Owns
//! that choice; asks nobody.

use std::collections::HashSet;

use lxc_core::ids::Micros;
use lxc_core::job::Node;
use lxc_core::monitor::Candidate;
use lxc_core::picture::Entry;
use lxc_core::pve::Power;
use lxc_core::timing::micros;

use crate::service::Services;
use crate::service::listing::{Listed, seen};

impl Services {
    /// Containers for the background, each as it would be listed.
    pub(crate) fn within_reach(&self) -> Vec<(Candidate, Listed)> {
        let mut found = Vec::new();
        let picture = self.inventory.picture();
        for view in picture.values().filter(|view| view.trouble.is_none()) {
            let remote = self.registry.get(&view.name);
            let Some(ssh) = remote.as_ref().and_then(|remote| remote.row.ssh.as_ref()) else { continue };
            if !self.inventory.polls(&view.installation) {
                continue;
            }
            let nodes: HashSet<&str> = ssh.hosts.iter().map(|host| host.node.as_str()).collect();
            for entry in view.containers.values().filter(|entry| nodes.contains(entry.row.node.as_str())) {
                let item = seen(view, entry);
                // One that is being made is looked into at the end of that.
                if item.power != Some(Power::Running) || entry.row.is_being_made() {
                    continue;
                }
                let row = &entry.row;
                let candidate = Candidate {
                    id: row.id,
                    node: Node { installation: row.installation.clone(), name: row.node.clone() },
                    started: self.started(entry),
                    checked: row.inside.as_ref().map(|inside| inside.checked),
                };
                found.push((candidate, item));
            }
        }
        found
    }

    /// Since when a container runs.
    fn started(&self, entry: &Entry) -> Option<Micros> {
        let second = micros(self.timing.pve_second);
        let up = i64::try_from(entry.row.live.usage.uptime?).unwrap_or(i64::MAX);
        Some(entry.row.observed.saturating_sub(up.saturating_mul(second)))
    }
}

//! Do the nodes' clocks agree with ours, and does anybody else work with our token? Owns those lines, which are
//! there only when something is to be said.

use lxc_core::error::{Result, moment};
use lxc_core::ids::Micros;
use lxc_core::pve::Upid;
use lxc_core::text;

use super::{Diagnosis, Finding};
use crate::service::registry::Remote;
use crate::service::{Services, store_error};

/// A clock that differs by more is worth a word, in seconds: Proxmox tells whole ones, and asking takes time.
const SKEW: i64 = 5;
/// How far back tasks are looked at, in seconds.
const BACK: i64 = 86_400;
/// An operation may have waited so long in a queue before it began its task.
const QUEUED: Micros = 30 * 86_400 * 1_000_000;

impl Services {
    pub(super) async fn look_at_work(&self, remote: &Remote, into: &mut Diagnosis) -> Result<()> {
        let nodes = remote.client.nodes().await.unwrap_or_default();
        let (mut skewed, mut tasks) = (Vec::new(), Vec::new());
        for node in nodes.iter().filter(|node| node.online).map(|node| node.name.as_str()) {
            let theirs = remote.client.node_time(node).await.ok();
            let ahead = theirs.map_or(0, |theirs| theirs - self.now() / 1_000_000);
            if ahead.abs() > SKEW {
                let by = text::span(ahead.unsigned_abs());
                skewed.push(format!("{node} is {by} {}", if ahead > 0 { "ahead" } else { "behind" }));
            }
            // What was done before the remote was added is not ours to know.
            let since = (self.now() / 1_000_000 - BACK).max(remote.row.created / 1_000_000) + ahead;
            let found = remote.client.tasks_by(node, &remote.row.token_id, since).await.unwrap_or_default();
            tasks.extend(found.into_iter().map(|task| (task.upid, ahead)));
        }
        if !skewed.is_empty() {
            into.findings.push(Finding::new("clock", "warning", skewed.join(", ")));
        }
        // Read after the tasks: what began meanwhile is known by now.
        let since = remote.row.created.max(self.now() - QUEUED);
        let ours = self.store.upids_since(&remote.row.installation, since).await.map_err(store_error)?;
        // An operation that waits for its task's name may own one that nobody knows of yet.
        let open = self.store.open_operations().await.map_err(store_error)?;
        let busy = |upid: &Upid| {
            let same = |op: &&lxc_core::op::Operation| op.target.installation == remote.row.installation;
            let about = |op: &lxc_core::op::Operation| {
                let file = op.kind.download().is_some_and(|download| download.file == upid.id);
                file || op.target.vmid.to_string() == upid.id
            };
            open.iter().filter(same).any(about)
        };
        tasks.retain(|(upid, _)| !ours.contains(upid) && !busy(upid));
        tasks.sort_by_key(|(upid, ahead)| upid.start_time - ahead);
        if let Some((last, ahead)) = tasks.last() {
            let count = if tasks.len() == 1 { "1 task".to_owned() } else { format!("{} tasks", tasks.len()) };
            let detail = format!(
                "{count} of {} that nobody began here, the last one {} {} on {} at {}: does another lxcd use it?",
                remote.row.token_id,
                last.kind,
                last.id,
                last.node,
                moment((last.start_time - ahead).saturating_mul(1_000_000)),
            );
            into.findings.push(Finding::new("tasks", "warning", detail));
        }
        Ok(())
    }
}

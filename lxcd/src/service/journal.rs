//! Reading events and the audit. Owns paging and following; who may see which container decides what is
//! left out.

use lxc_core::error::Result;
use lxc_core::ids::Micros;
use lxc_core::selector::Selection;
use tokio::sync::mpsc;

use super::access::Caller;
use super::{Services, store_error};
use crate::store::{AuditFilter, AuditRow, EventFilter, EventRow};

/// Events in one page of a stream.
const PAGE: i64 = 500;

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Of which containers; empty = of all.
    pub selection: Selection,
    /// Go on with those to come.
    pub follow: bool,
    /// Behind this cursor.
    pub after: Option<i64>,
    /// At or after.
    pub since: Option<Micros>,
    /// Types; empty = all.
    pub kinds: Vec<String>,
    /// Who caused them.
    pub actor: String,
    /// Step, progress and log too.
    pub detailed: bool,
    /// At most so many of the stored ones; 0 = 50, or with `after` all.
    pub limit: u32,
}

impl Services {
    /// Streams events in pages: the stored ones, then, when following, those to come.
    ///
    /// # Errors
    /// When the selection cannot be resolved.
    pub async fn events(
        &self,
        caller: &Caller,
        query: EventQuery,
    ) -> Result<mpsc::Receiver<Result<Vec<EventRow>>>> {
        self.access.enter(caller)?;
        // Subscribed before anything is read: what happens meanwhile wakes us again.
        let (mut operations, mut inventory) = (self.bus.operations(), self.bus.inventory());
        let containers = if query.selection.is_empty() && query.selection.remote.is_none() {
            None
        } else if query.selection.is_empty() {
            let listing = self.list(caller, &query.selection, false).await?;
            Some(
                listing
                    .items
                    .iter()
                    .map(|item| (item.entry.row.installation.clone(), item.entry.row.vmid))
                    .collect(),
            )
        } else {
            let found = self.resolve(caller, &query.selection, "events", 0).await?;
            let key =
                |item: &super::listing::Listed| (item.entry.row.installation.clone(), item.entry.row.vmid);
            Some(found.refs.iter().map(|(item, _)| key(item)).collect())
        };
        let limit = match (query.limit, query.after) {
            (0, Some(_)) => PAGE,
            (0, None) => 50,
            (limit, _) => i64::from(limit),
        };
        let mut filter = EventFilter {
            after: query.after,
            since: query.since,
            kinds: query.kinds,
            actor: query.actor,
            detailed: query.detailed,
            containers,
            limit,
        };
        let (tx, rx) = mpsc::channel(16);
        let (services, caller) = (self.clone(), caller.clone());
        let (follow, bounded) = (query.follow, query.limit > 0 && query.after.is_some());
        tokio::spawn(async move {
            loop {
                // Taken before reading: an event committed after this read is behind it.
                let newest = services.store.newest_cursor().await.unwrap_or(0);
                let page = services.store.events(&filter).await.map_err(|error| services.stream_error(error));
                let last = page.as_ref().ok().and_then(|page| page.last()).map(|event| event.cursor);
                let full =
                    page.as_ref().is_ok_and(|page| i64::try_from(page.len()).unwrap_or(0) == filter.limit);
                let failed = page.is_err();
                let seen = page.map(|mut page| {
                    page.retain(|event| {
                        let remote = event.target.split('/').next().unwrap_or_default();
                        services.access.sees(&caller, remote)
                    });
                    page
                });
                let empty = seen.as_ref().is_ok_and(Vec::is_empty);
                if !empty && tx.send(seen).await.is_err() || failed {
                    return;
                }
                let more = full && filter.after.is_some() && !bounded;
                let floor = filter.after.unwrap_or(0);
                filter.after = Some(last.unwrap_or(if filter.after.is_none() { newest } else { floor }));
                if more {
                    continue;
                }
                if !follow {
                    return;
                }
                filter.limit = PAGE;
                filter.since = None;
                // An operation's events and the inventory's wake alike; a lag is a wake-up too.
                tokio::select! {
                    _ = operations.recv() => {}
                    _ = inventory.changed() => {}
                    () = tx.closed() => return,
                }
            }
        });
        Ok(rx)
    }

    /// Audit records of what the caller may see.
    ///
    /// # Errors
    /// LXC0601 without a role.
    pub async fn audit(&self, caller: &Caller, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        self.access.enter(caller)?;
        let mut rows = self.store.audit_rows(filter).await.map_err(store_error)?;
        rows.retain(|row| {
            let remote = row.target.split('/').next().unwrap_or_default();
            self.access.sees(caller, remote)
        });
        Ok(rows)
    }
}

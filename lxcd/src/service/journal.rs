//! Reading events and the audit. Owns paging and following; who may see which container decides what is
//! left out.

use lxc_core::error::Result;
use lxc_core::ids::Micros;
use lxc_core::record::{AuditFilter, AuditRecord, EventFilter, EventRecord};
use lxc_core::selector::Selection;
use tokio::sync::mpsc;

use super::access::Caller;
use super::{Services, store_error};

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
    ) -> Result<mpsc::Receiver<Result<Vec<EventRecord>>>> {
        self.access.enter(caller)?;
        // Subscribed before anything is read: what happens meanwhile wakes us again.
        let (mut operations, mut inventory) = (self.bus.operations(), self.bus.inventory());
        self.check_remote(caller, query.selection.remote.as_deref())?;
        let containers = if query.selection.is_empty() {
            None
        } else {
            Some(self.resolve(caller, &query.selection, "events", 0).await?.containers())
        };
        let limit = match (query.limit, query.after) {
            (0, Some(_)) => PAGE,
            // Whoever follows from a cursor gets all behind it: a stream with a hole could not be resumed.
            (_, Some(_)) if query.follow => PAGE,
            (0, None) => 50,
            (limit, _) => i64::from(limit),
        };
        let mut filter = EventFilter {
            after: query.after,
            since: query.since,
            kinds: query.kinds,
            actor: query.actor,
            detailed: query.detailed,
            remotes: self.access.visible(caller),
            installation: self.installation_of(&query.selection),
            containers,
            limit,
        };
        let (tx, rx) = mpsc::channel(16);
        let (services, caller) = (self.clone(), caller.clone());
        let (follow, bounded) = (query.follow, query.limit > 0 && query.after.is_some() && !query.follow);
        tokio::spawn(async move {
            loop {
                let (store, filter_now) = (&services.store, &filter);
                let read = async move || {
                    // First: what settles from now on is in the page, or found by looking again.
                    let unsettled = store.is_shared() && store.unsettled().await?;
                    // Taken before reading: what is committed after this read is behind it.
                    let newest = store.newest_cursor().await?;
                    Ok((store.events(filter_now).await?, newest, unsettled))
                };
                let (page, newest, unsettled) =
                    match services.patiently(|| follow && !tx.is_closed(), read).await {
                        Ok(read) => read,
                        Err(error) => {
                            // Nobody listening any more is fine.
                            let _ = tx.send(Err(error)).await;
                            return;
                        }
                    };
                let full = i64::try_from(page.len()).unwrap_or(0) == filter.limit;
                let last = page.last().map(|event| event.cursor);
                if !page.is_empty() && tx.send(Ok(page)).await.is_err() {
                    return;
                }
                let more = full && filter.after.is_some() && !bounded;
                // All up to there has been looked at, whether or not it was wanted.
                let looked = if more { None } else { Some(newest) };
                filter.after = [filter.after, last, looked].into_iter().flatten().max();
                if more {
                    continue;
                }
                if !follow {
                    return;
                }
                filter.limit = PAGE;
                filter.since = None;
                // What is shared meanwhile is seen from now on, and what is not any more is not.
                filter.remotes = services.access.visible(&caller);
                // An operation's events and the inventory's wake alike; a lag is a wake-up too.
                tokio::select! {
                    _ = operations.next() => {}
                    _ = inventory.changed() => {}
                    // Its wake-up has been; nobody tells when it settles.
                    () = services.clock.sleep(services.timing.settle), if unsettled => {}
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
    pub async fn audit(&self, caller: &Caller, filter: &AuditFilter) -> Result<Vec<AuditRecord>> {
        self.access.enter(caller)?;
        let filter = AuditFilter { remotes: self.access.visible(caller), ..filter.clone() };
        self.store.audit_rows(&filter).await.map_err(store_error)
    }
}

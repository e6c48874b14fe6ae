//! `unlock`: removing the key that another script has left in Redis. Owns what may be removed: only what belongs to
//! nobody of ours and would stay for ever.

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::CourtesyLock;
use lxc_core::selector::Selection;
use lxc_core::text;

use super::access::Caller;
use super::listing::Listed;
use super::operations::done;
use super::{Services, store_error};

/// A key that was removed.
#[derive(Debug)]
pub struct Unlocked {
    /// Whose.
    pub item: Listed,
    /// What it said.
    pub holder: String,
}

impl Services {
    /// Removes the foreign key of one container, and notes that in the audit.
    ///
    /// # Errors
    /// LXC0515 when there is no such key or it is not to be removed, LXC0112 when Redis does not answer.
    pub async fn unlock(&self, caller: &Caller, selection: &Selection) -> Result<Unlocked> {
        let mut found = self.resolve(caller, selection, "unlock", 1).await?;
        let Some((item, _)) = found.refs.pop() else {
            return Err(super::listing::no_container(&selection.describe()));
        };
        let target = item.target();
        let owner =
            self.registry.get(&item.remote).map(|remote| remote.row.owner.clone()).unwrap_or_default();
        self.access.require(caller, &item.remote, "unlock", &target, &owner)?;
        let refuse = |why: String| {
            Error::new(Code::NoForeignLock, format!("{target} has nothing to unlock")).because(why)
        };
        let Some(redis) = &self.redis else {
            return Err(refuse("lxcd runs without Redis, so no script can hold a key there".to_owned())
                .hint(format!("lxcctl show {target}")));
        };
        let row = &item.entry.row;
        let now = self.now();
        let away = |why: String| {
            Error::new(Code::RedisAway, "Redis does not answer").because(why).hint("lxcctl daemon status")
        };
        let holder = redis.holder(&row.installation, row.vmid, now).await.map_err(away)?;
        let holder = match holder {
            None => {
                return Err(refuse("nobody holds its key".to_owned()).hint(format!("lxcctl show {target}")));
            }
            Some((value, _)) if item.operation.as_deref() == Some(value.as_str()) => {
                let id = text::short_id(&value);
                return Err(refuse(format!("its key is that of op {id}, which runs"))
                    .hint(format!("lxcctl op watch {id}")));
            }
            Some((value, Some(left))) => {
                let left = text::span(left.as_secs().max(1));
                return Err(refuse(format!("{value} holds it, and that ends by itself within {left}"))
                    .hint(format!("lxcctl start {target} --wait-lock 10m")));
            }
            Some((value, None)) => value,
        };
        let audit = done(&caller.actor, "unlock", target, now, holder.clone(), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        // Only with this value: whoever has taken it since keeps it.
        if !redis.release(&row.installation, row.vmid, &holder, now).await {
            return Err(away("its key could not be removed".to_owned()));
        }
        self.bus.queue_moved();
        Ok(Unlocked { item, holder })
    }
}

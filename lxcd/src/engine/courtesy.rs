//! The key in Redis while an operation is driven (ARCHITECTURE.md, rule 16): taken before the first look, renewed
//! while the operation is driven here, given back when it has ended. Whatever Redis does, the lock in the
//! database is the one that counts; must not decide what somebody else's key means.

use std::sync::Arc;
use std::time::Duration;

use lxc_core::ids::OperationId;
use lxc_core::op::{Operation, State};
use lxc_core::ports::{Courtesy, CourtesyLock};
use tokio_util::task::AbortOnDropHandle;

use super::Inner;
use super::driver::Driver;

/// Between two renewals; a third of what the key lives.
const RENEW: Duration = Duration::from_secs(100);

/// Takes the key for `op`. Answers who else holds it, and for how long still.
pub(super) async fn take(inner: &Inner, op: &Operation) -> Option<(String, Option<Duration>)> {
    let lock = inner.parts.courtesy.as_ref()?;
    match ask(inner, &**lock, op, None).await {
        Courtesy::Held { value, left } => {
            let left_behind = left_behind(inner, &value).await;
            if left_behind.is_none() {
                return Some((value, left));
            }
            match ask(inner, &**lock, op, left_behind).await {
                Courtesy::Held { value, left } => Some((value, left)),
                Courtesy::Taken | Courtesy::Away(_) => None,
            }
        }
        Courtesy::Taken | Courtesy::Away(_) => None,
    }
}

/// The operation of ours that has ended and left its key behind.
async fn left_behind(inner: &Inner, value: &str) -> Option<OperationId> {
    let id = value.parse().ok()?;
    match inner.parts.store.over(id).await {
        Ok(over) => over.then_some(id),
        Err(error) => {
            tracing::warn!(%error, "cannot tell whose key in Redis that is");
            None
        }
    }
}

async fn ask(inner: &Inner, lock: &dyn CourtesyLock, op: &Operation, over: Option<OperationId>) -> Courtesy {
    let now = inner.parts.clock.now();
    lock.take(&op.target.installation, op.target.vmid, op.id, over, now).await
}

/// Renews the key of an operation that has taken it before, until dropped.
pub(super) fn renew(inner: Arc<Inner>, op: &Operation) -> Option<AbortOnDropHandle<()>> {
    inner.parts.courtesy.as_ref()?;
    let (op, mut touched) = (op.clone(), op.touched());
    Some(AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            // One that was taken up again is renewed at once; a new one takes the key itself.
            if touched && let Some((value, _)) = take(&inner, &op).await {
                tracing::warn!(op = %op.id, %value, "somebody else took our key in Redis");
            }
            touched = true;
            inner.parts.clock.sleep(RENEW).await;
        }
    })))
}

impl Driver {
    /// Deletes the key once the operation has ended; one that another daemon goes on with keeps it.
    pub(super) async fn give_back(&self) {
        let (Some(lock), State::Ended(_)) = (&self.inner.parts.courtesy, &self.op.state) else { return };
        let (target, now) = (&self.op.target, self.inner.parts.clock.now());
        lock.release(&target.installation, target.vmid, &self.op.id.to_string(), now).await;
    }
}

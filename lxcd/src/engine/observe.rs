//! A look at one container, wherever it lives now: for the engine before and after a call, and for a dry
//! run. Owns the search for what has moved; must not decide what the sight means, nor change anything.

use lxc_core::op::{Found, Operation, Seen};
use lxc_core::ports::{OpStore, PveApi, PveError, StoreError};
use lxc_core::pve::RefusalKind;

/// Why nobody can say how a container is.
#[derive(Debug)]
pub enum Blind {
    /// Proxmox cannot be asked.
    Proxmox(PveError),
    /// Our own record of it cannot be read: nobody can say whether it is the same.
    Record(StoreError),
}

impl From<PveError> for Blind {
    fn from(error: PveError) -> Self {
        Self::Proxmox(error)
    }
}

impl From<Blind> for PveError {
    fn from(blind: Blind) -> Self {
        match blind {
            Blind::Proxmox(error) => error,
            Blind::Record(error) => Self::NotDelivered(format!("cannot tell containers apart: {error}")),
        }
    }
}

/// What to read besides the power state.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// The config, and whether it is the incarnation that was meant.
    pub config: bool,
    /// What HA makes of it.
    pub ha: bool,
}

impl Sight {
    /// Everything.
    pub const WHOLE: Self = Self { config: true, ha: true };
}

/// Reads the live state, and what belongs to the sight.
///
/// # Errors
/// [`Blind`]: then nothing may be sent.
pub async fn observe(
    api: &dyn PveApi,
    store: &dyn OpStore,
    op: &Operation,
    sight: Sight,
) -> Result<Seen, Blind> {
    let mut node = op.target.node.clone();
    // "Does not exist" is also said of what has moved: locate it before saying gone. Twice, for a
    // container that moves while we look. A node that does not answer may have lost it to another.
    for _ in 0..2 {
        let unheard = match on_node(api, store, op, &node, sight).await {
            Err(Blind::Proxmox(PveError::Refused(refusal))) if is_absence(&refusal.kind) => None,
            Err(Blind::Proxmox(error)) if is_silence(&error) => Some(error),
            other => return other,
        };
        match (api.locate(op.target.vmid).await, unheard) {
            (Err(_), Some(error)) | (Err(error), None) => return Err(error.into()),
            (Ok(None), _) => return Ok(Seen::Absent),
            (Ok(Some(place)), _) if place.is_vm => return Ok(Seen::Vm),
            (Ok(Some(place)), Some(error)) if place.node == node => return Err(error.into()),
            (Ok(Some(place)), None) if place.node == node => return Ok(Seen::Absent),
            (Ok(Some(place)), _) => node = place.node,
        }
    }
    on_node(api, store, op, &node, sight).await
}

/// Looks for the container anywhere but on the node that does not answer.
pub(super) async fn search(api: &dyn PveApi, store: &dyn OpStore, op: &Operation, silent: &str) -> Found {
    let place = match api.locate(op.target.vmid).await {
        Ok(Some(place)) => place,
        Ok(None) => return Found::Elsewhere(Seen::Absent),
        Err(error) => {
            tracing::debug!(op = %op.id, %error, "cannot look past the silent node");
            return Found::Nowhere;
        }
    };
    if place.is_vm {
        return Found::Elsewhere(Seen::Vm);
    }
    if place.node == silent {
        return Found::Nowhere;
    }
    match on_node(api, store, op, &place.node, Sight::WHOLE).await {
        Ok(seen) => Found::Elsewhere(seen),
        Err(blind) => {
            tracing::debug!(op = %op.id, ?blind, "cannot be looked at where it is now");
            Found::Nowhere
        }
    }
}

async fn on_node(
    api: &dyn PveApi,
    store: &dyn OpStore,
    op: &Operation,
    node: &str,
    sight: Sight,
) -> Result<Seen, Blind> {
    let vmid = op.target.vmid;
    let (config, live) = tokio::join!(
        async { if sight.config { api.config(node, vmid).await.map(Some) } else { Ok(None) } },
        async { if sight.ha { api.current(node, vmid).await } else { api.state(node, vmid).await } }
    );
    let (config, live) = (config?, live?);
    // Read anew each time: the record may have been closed meanwhile.
    let same = match &config {
        Some(config) => {
            let identity = store.identity(op).await.map_err(Blind::Record)?;
            Some(identity.is_some_and(|identity| identity.matches(config)))
        }
        None => None,
    };
    Ok(Seen::There { node: node.to_owned(), live: Box::new(live), same, config })
}

/// Texts that may mean "not here any more". A token whose rights came from `/vms/N` loses them with the
/// container, so a missing permission may mean it too; the list of guests decides.
fn is_absence(kind: &RefusalKind) -> bool {
    matches!(kind, RefusalKind::NoConfig | RefusalKind::Permission { .. })
}

/// The node cannot be asked: it does not answer, or it is no member of the cluster any more.
fn is_silence(error: &PveError) -> bool {
    match error {
        PveError::NotDelivered(_) | PveError::Lost(_) => true,
        PveError::Refused(refusal) => refusal.kind == RefusalKind::NoNode,
        PveError::Unauthorized(_) | PveError::Untrusted { .. } | PveError::Garbage(_) => false,
    }
}

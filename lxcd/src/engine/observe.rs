//! A look at one container, wherever it lives now: for the engine before and after a call, and for a dry
//! run. Owns the search for what has moved; must not decide what the sight means, nor change anything.

use lxc_core::op::{Operation, Seen};
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

/// Reads the live state; with `config`, the config too, and whether it is the incarnation that was meant.
///
/// # Errors
/// [`Blind`]: then nothing may be sent.
pub async fn observe(
    api: &dyn PveApi,
    store: &dyn OpStore,
    op: &Operation,
    config: bool,
) -> Result<Seen, Blind> {
    let mut node = op.target.node.clone();
    // "Does not exist" is also said of what has moved: locate it before saying gone. Twice, for a
    // container that moves while we look.
    for _ in 0..2 {
        match on_node(api, store, op, &node, config).await {
            Err(Blind::Proxmox(PveError::Refused(refusal))) if is_absence(&refusal.kind) => {}
            other => return other,
        }
        match api.locate(op.target.vmid).await? {
            None => return Ok(Seen::Absent),
            Some(place) if place.is_vm => return Ok(Seen::Vm),
            Some(place) if place.node == node => return Ok(Seen::Absent),
            Some(place) => node = place.node,
        }
    }
    on_node(api, store, op, &node, config).await
}

async fn on_node(
    api: &dyn PveApi,
    store: &dyn OpStore,
    op: &Operation,
    node: &str,
    config: bool,
) -> Result<Seen, Blind> {
    let vmid = op.target.vmid;
    let (config, same) = if config {
        let config = api.config(node, vmid).await?;
        // Read anew each time: the record may have been closed meanwhile.
        let identity = store.identity(op).await.map_err(Blind::Record)?;
        let same = identity.is_some_and(|identity| identity.matches(&config));
        (Some(config), Some(same))
    } else {
        (None, None)
    };
    let live = api.current(node, vmid).await?;
    Ok(Seen::There { node: node.to_owned(), live: Box::new(live), same, config })
}

/// Texts that may mean "not here any more". A token whose rights came from `/vms/N` loses them with the
/// container, so a missing permission may mean it too; the list of guests decides.
fn is_absence(kind: &RefusalKind) -> bool {
    matches!(kind, RefusalKind::NoConfig | RefusalKind::Permission { .. })
}

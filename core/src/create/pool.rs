//! Whether the resource pool is there that a container is to be in. Pure; what our token needs on it is `privileges`'.

use super::preflight::{Check, ok, refused, unknown};
use super::site::Site;
use super::spec::Spec;
use crate::error::{Code, Error};
use crate::pve::Permissions;

/// Proxmox lists the pools our token may look into (`Pool.Audit`): one it may not may be there.
pub(super) fn check(spec: &Spec, site: &Site) -> Option<Check> {
    let (pool, remote) = (spec.pool.as_ref()?, &site.remote);
    let Some(pools) = &site.pools else {
        return Some(unknown("pool", format!("the pools of {remote} cannot be read")));
    };
    if pools.contains(pool) {
        return Some(ok("pool", pool));
    }
    let seen = |held: &Permissions| held.allows(&format!("/pool/{pool}"), "Pool.Audit");
    if !site.permissions.as_ref().is_some_and(seen) {
        return Some(unknown("pool", format!("the token may not see whether there is a pool {pool}")));
    }
    let error = Error::new(Code::NoPool, format!("{remote} has no pool {pool}"));
    let error = match pools.first() {
        Some(first) => {
            error.because(format!("there are {}", pools.join(", "))).hint(format!("{{line}} --pool {first}"))
        }
        None => error.because("it has none at all"),
    };
    Some(refused("pool", error.hint_noted(format!("pvesh create /pools --poolid {pool}"), "on a node")))
}

//! What the token may see, which decides what its silence means: a container that is missing from an answer
//! is gone only when it would have been shown. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ids::Vmid;
use crate::pve::Permissions;

/// The privilege that makes a container visible.
const AUDIT: &str = "VM.Audit";

/// The rights of a token, as of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    permissions: Permissions,
    folded: u64,
}

impl Rights {
    /// From Proxmox's answer.
    #[must_use]
    pub fn new(permissions: Permissions) -> Self {
        let mut hasher = DefaultHasher::new();
        for (path, privileges) in &permissions.paths {
            // A container's own ACL goes with it; only what lies above tells.
            if path.strip_prefix("/vms/").is_none() {
                (path, privileges).hash(&mut hasher);
            }
        }
        Self { folded: hasher.finish(), permissions }
    }

    /// As Proxmox answered.
    #[must_use]
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// All of them, folded: the same number, the same rights.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// No container at all is shown to the token.
    #[must_use]
    pub fn blind(&self) -> bool {
        let counts = |path: &str| path == "/" || path.starts_with("/vms") || path.starts_with("/pool");
        !self.permissions.paths.iter().any(|(path, held)| counts(path) && held.contains_key(AUDIT))
    }

    /// Whether the silence about a container means that it is gone. `seen_with` = the rights it was last
    /// seen with, where that is known.
    #[must_use]
    pub fn would_show(&self, vmid: Vmid, seen_with: Option<u64>) -> bool {
        seen_with == Some(self.folded) || self.permissions.allows(&format!("/vms/{vmid}"), AUDIT)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn rights(paths: &[(&str, &str)]) -> Rights {
        let paths = paths
            .iter()
            .map(|(path, privilege)| ((*path).to_owned(), BTreeMap::from([((*privilege).to_owned(), true)])));
        Rights::new(Permissions { paths: paths.collect() })
    }

    #[test]
    fn silence_means_gone_only_to_who_would_see_it() {
        let all = rights(&[("/", AUDIT)]);
        assert!(all.would_show(104, None) && !all.blind());
        let pool = rights(&[("/pool/web", AUDIT)]);
        assert!(!pool.would_show(104, None), "nothing is known about how it was seen");
        assert!(pool.would_show(104, Some(pool.folded())), "it was seen through the same rights");
        assert!(!pool.would_show(104, Some(all.folded())), "the rights have changed since");
        assert!(rights(&[("/", "Sys.Audit"), ("/nodes", AUDIT)]).blind());
    }

    #[test]
    fn a_containers_own_acl_does_not_count() {
        let before = rights(&[("/pool/web", AUDIT), ("/vms/104", AUDIT)]);
        assert_eq!(before.folded(), rights(&[("/pool/web", AUDIT)]).folded());
    }
}

//! `remote share` and `remote unshare`: with whom a remote is shared. Owns what may be written there; what a share
//! opens is decided in `peer`.

use lxc_core::actor::Role;
use lxc_core::error::{Code, Error, Result};
use lxc_core::record::{RemoteRecord, Share};

use crate::peer::Who;
use crate::service::Services;
use crate::service::access::{Caller, no_remote};
use crate::service::operations::done;

impl Services {
    /// Shares a remote with somebody as `role`, or no longer with None. Without a domain it is the caller's.
    ///
    /// # Errors
    /// LXC0302 when it is not there, LXC0601 when the caller is not its admin, LXC0214 for what is no user.
    pub async fn share_remote(
        &self,
        caller: &Caller,
        name: &str,
        who: &str,
        domain: Option<&str>,
        role: Option<Role>,
    ) -> Result<RemoteRecord> {
        let verb = if role.is_some() { "remote share" } else { "remote unshare" };
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, verb, name, &remote.row.owner)?;
        let who = Who::parse(who).ok_or_else(|| {
            let shown: String = who.chars().take(60).collect();
            Error::new(Code::BadValue, format!("{shown:?} is neither a user nor a group"))
                .because("a user is written bob, a group @dev")
                .hint("lxcctl remote share --help")
        })?;
        let (who, domain) = (who.to_string(), domain.unwrap_or(&caller.actor.domain).to_owned());
        let mut row = remote.row.clone();
        let before = row.people.shares.len();
        row.people.shares.retain(|share| !(share.who == who && share.domain == domain));
        if role.is_none() && row.people.shares.len() == before {
            return Err(Error::new(Code::BadValue, format!("{name} is not shared with {who} of {domain}"))
                .because("a share is named as it was made, with its identity domain")
                .hint(format!("lxcctl remote show {name}")));
        }
        let said = match role {
            Some(role) => format!("{who} of {domain} as {role}"),
            None => format!("{who} of {domain}"),
        };
        row.people.shares.extend(role.map(|role| Share { who, domain, role }));
        let audit = done(&caller.actor, verb, name.to_owned(), self.now(), said, None);
        let remote = self.registry.put(name, row, &audit).await?;
        self.bus.remotes_moved();
        // Whoever watches a list looks again.
        self.bus.inventory_moved();
        Ok(remote.row.clone())
    }
}

//! Remotes: one module for each thing done to them. Owns looking and removing; the rest is in the modules
//! of the commands' names.

mod add;
mod doctor;
mod elsewhere;
mod login;
mod set;
mod share;
mod ssh;
mod test;
mod trust;
mod urls;
mod words;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::PveError;
use lxc_core::record::RemoteRecord;

pub use self::add::{Added, NewRemote};
pub use self::doctor::{Diagnosis, Finding};
pub use self::set::Changes;
pub(super) use self::ssh::ssh_error;
pub use self::ssh::{NewSsh, SshShown};
pub use self::test::RemoteCheck;
pub use self::trust::TrustItem;
use super::access::{Caller, no_remote};
use super::operations::done;
use super::registry::Remote;
use super::{Services, store_error};

/// What a question to a remote that failed means to a person.
pub(super) fn fault(remote: &Remote, error: &PveError) -> Error {
    words::pve_error(&remote.row.name, &remote.row.token_id, error)
}

impl Services {
    /// The remotes a caller may see; one, when named.
    ///
    /// # Errors
    /// LXC0302 when the named one is not there.
    pub fn remotes(&self, caller: &Caller, name: Option<&str>) -> Result<Vec<RemoteRecord>> {
        self.access.enter(caller)?;
        self.check_remote(caller, name)?;
        let all = self.registry.all();
        let seen = all.iter().map(|remote| &remote.row).filter(|row| self.access.sees(caller, &row.name));
        Ok(seen.filter(|row| name.is_none_or(|name| name == row.name)).cloned().collect())
    }

    /// The user of a remote's token, as advice names it.
    #[must_use]
    pub fn token_user(&self, name: &str) -> String {
        let remote = self.registry.get(name);
        remote
            .map_or_else(|| "USER@REALM".to_owned(), |remote| words::user_of(&remote.row.token_id).to_owned())
    }

    /// Removes a remote from our records; nothing changes on Proxmox. Answers how many containers go with
    /// it and how many operations still run there.
    ///
    /// # Errors
    /// LXC0507 while operations run.
    pub async fn remove_remote(&self, caller: &Caller, name: &str, dry_run: bool) -> Result<(u32, u32)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote remove", name, &remote.row.owner)?;
        let picture = self.inventory.picture();
        let containers = picture.get(name).map_or(0, |view| view.containers.len());
        let open = self.store.open_operations().await.map_err(store_error)?;
        let running = open.iter().filter(|op| op.target.installation == remote.row.installation).count();
        let counts =
            (u32::try_from(containers).unwrap_or(u32::MAX), u32::try_from(running).unwrap_or(u32::MAX));
        if dry_run {
            return Ok(counts);
        }
        if running > 0 {
            let what = if running == 1 {
                "1 operation still runs"
            } else {
                &format!("{running} operations still run")
            };
            return Err(Error::new(Code::RemoteBusy, format!("{what} on {name}"))
                .because("without the remote nobody could follow them to their end")
                .hint("lxcctl op ls --state running"));
        }
        let audit = done(&caller.actor, "remote remove", name.to_owned(), self.now(), String::new(), None);
        self.registry.remove(&remote.row, &audit).await?;
        self.bus.remotes_moved();
        self.inventory.drop_remote(name);
        Ok(counts)
    }
}

//! SSH accesses of remotes. Owns opening and sealing of their secrets, and the way from a node to its access.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use futures::FutureExt;
use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::Installation;
use lxc_core::job::Node;
use lxc_core::ports::JobError;
use lxc_core::record::{RemoteRecord, SshRecord, SshWay};
use secrecy::SecretString;

use super::Registry;
use crate::keyring::Place;
use crate::ssh::{Access, AccessOf, Auth, HostKeyPin};

/// Where the secret of an access is bound to.
pub(crate) fn ssh_place(installation: &Installation) -> Place<'_> {
    Place { table: "ssh", row: &installation.0, column: "secret" }
}

impl Registry {
    /// Seals a private key or a password for a row.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal_ssh(&self, row: &RemoteRecord, secret: &SecretString) -> Result<String> {
        self.keyring.seal(ssh_place(&row.installation), secret)
    }

    /// How to log in to the nodes of a row.
    ///
    /// # Errors
    /// LXC0511 when the keys do not open its secret; LXC0214 when lxcd has no agent.
    pub fn ssh_auth(&self, row: &RemoteRecord, ssh: &SshRecord) -> Result<Auth> {
        let secret = |sealed: &Option<String>| {
            self.keyring.open(ssh_place(&row.installation), sealed.as_deref().unwrap_or_default())
        };
        match ssh.way {
            SshWay::Key => secret(&ssh.secret).map(Auth::Key),
            SshWay::Password => secret(&ssh.secret).map(Auth::Password),
            SshWay::Agent => match std::env::var_os("SSH_AUTH_SOCK") {
                Some(socket) => Ok(Auth::Agent(PathBuf::from(socket))),
                None => Err(Error::new(Code::BadValue, "lxcd has no SSH agent")
                    .because("SSH_AUTH_SOCK is not set where lxcd was started")
                    .hint("lxcctl remote set --help")),
            },
        }
    }

    /// The access to one node, as a row has it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ssh_access(&self, row: &RemoteRecord, node: &str) -> std::result::Result<Access, JobError> {
        let none = |why: &str| JobError::NoAccess(format!("{}: {why}", row.name));
        let ssh = row.ssh.as_ref().ok_or_else(|| none("no SSH access is set up"))?;
        let host = ssh.hosts.iter().find(|host| host.node == node);
        let host = host.ok_or_else(|| none(&format!("no SSH host key of {node} is pinned")))?;
        let auth = self.ssh_auth(row, ssh).map_err(|error| none(&error.to_string()))?;
        let pin = HostKeyPin::parse(&host.fingerprint).map_err(|why| none(&why))?;
        let mut access = Access::new(&host.host, ssh.port, &ssh.user, auth, Some(pin));
        if let Some(directory) = &ssh.directory {
            access.job_dir.clone_from(directory);
        }
        Ok(access)
    }

    /// The access to any node of any remote, as it is at each call.
    #[must_use]
    pub fn ssh_accesses(self: &Arc<Self>) -> AccessOf {
        let registry: Weak<Self> = Arc::downgrade(self);
        Arc::new(move |node: Node| {
            let access = registry
                .upgrade()
                .and_then(|registry| {
                    let all = registry.all();
                    let remote = all.iter().find(|remote| remote.row.installation == node.installation)?;
                    Some(registry.ssh_access(&remote.row, &node.name))
                })
                .unwrap_or_else(|| Err(JobError::NoAccess(format!("no remote has the node {node}"))));
            async move { access }.boxed()
        })
    }
}

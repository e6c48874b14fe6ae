//! In front of every call: who is it, do we speak the same version, are we still open? Owns the handshake
//! and the log line of each call.

use lxc_core::actor::Role;
use lxc_core::error::{Code, Error};
use tonic::transport::server::UdsConnectInfo;
use tonic::{Request, Status};

use super::Api;
use super::status::status;
use crate::service::access::Caller;

/// The header a client says its version in.
const VERSION: &str = "lxc-client-version";

impl Api {
    /// Lets a call in.
    pub(super) async fn enter<T>(
        &self,
        request: &Request<T>,
        sudo_uid: Option<u32>,
    ) -> Result<Caller, Status> {
        if let Some(version) = request.metadata().get(VERSION).and_then(|value| value.to_str().ok()) {
            check_version(version).map_err(|error| status(&error))?;
        }
        if self.services.stopping.is_cancelled() {
            let error = Error::new(Code::ShuttingDown, "lxcd is shutting down")
                .because("what runs goes on and is taken up by the next lxcd")
                .hint("lxcctl daemon status");
            return Err(status(&error));
        }
        let peer = request.extensions().get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
        let Some(peer) = peer else {
            let error = Error::new(Code::Role, "the socket does not say who calls")
                .because("roles are given to Unix users, and this caller came without one")
                .hint("lxcctl whoami");
            return Err(status(&error));
        };
        self.services.access.caller(&peer, sudo_uid).await.map_err(|error| status(&error))
    }
}

/// Runs what changes something to its end, whatever becomes of the caller: a call that is dropped half-way
/// must not leave half of it done.
pub(super) async fn to_the_end<T, F>(work: F) -> Result<T, Status>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(done) => done.map_err(|error| status(&error)),
        Err(fault) => {
            tracing::error!(%fault, "a call ended in a fault");
            let error = Error::new(Code::Internal, "lxcd has failed at this")
                .because("its log says where")
                .hint("journalctl -u lxcd -e");
            Err(status(&error))
        }
    }
}

impl Api {
    /// Whether a caller may see Proxmox's own words about a remote: operators and admins.
    pub(super) fn may_read_words(&self, caller: &Caller, remote: &str) -> bool {
        self.services.access.role(caller, Some(remote)).is_some_and(|(role, _)| role >= Role::Operator)
    }
}

/// Client and daemon work together one minor version apart.
pub(super) fn check_version(client: &str) -> Result<(), Error> {
    let ours = env!("CARGO_PKG_VERSION");
    let (Some(theirs), Some(own)) = (minor(client), minor(ours)) else {
        return Err(Error::new(Code::Usage, "that is no version")
            .because("a client says its own, such as 1.2.3")
            .hint("lxcctl -V"));
    };
    if theirs.0 == own.0 && theirs.1.abs_diff(own.1) <= 1 {
        return Ok(());
    }
    let older = if theirs < own { "lxcctl" } else { "lxcd" };
    Err(Error::new(Code::VersionMismatch, format!("lxcctl {client} and lxcd {ours} do not work together"))
        .because("they may be one minor version apart at most")
        .hint_noted("lxcctl daemon status", format!("{older} is the older one: upgrade it, or restart lxcd")))
}

fn minor(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_minor_apart_is_near_enough() {
        let (major, own) = minor(env!("CARGO_PKG_VERSION")).unwrap();
        assert!(check_version(&format!("{major}.{own}.7")).is_ok());
        assert!(check_version(&format!("{major}.{}.0", own + 1)).is_ok());
        let far = check_version(&format!("{major}.{}.0", own + 2)).unwrap_err();
        assert_eq!(far.code, Code::VersionMismatch);
        assert!(check_version("nonsense").is_err());
    }
}

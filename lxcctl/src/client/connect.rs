//! Reaching the daemon's Unix socket. Owns where it is and why it cannot be reached; must not know what
//! is said over it.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lxc_core::error::{Code, Error};
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

/// `sun_path` is 108 bytes long and ends with a zero.
const LONGEST_PATH: usize = 107;

/// How often an lxcd that we wait for is pinged, and how long it may take to answer. Together the time after
/// which one that hangs is given up; a machine that swaps answers later than one would think.
const PING_EVERY: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Where the socket is: as given, else in the runtime directory, for root in /run.
#[must_use]
pub fn socket_path(given: Option<&Path>) -> PathBuf {
    if let Some(path) = given.filter(|path| !path.as_os_str().is_empty()) {
        return path.to_owned();
    }
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/run/lxcd/lxcd.sock");
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
    let runtime =
        runtime.map_or_else(|| PathBuf::from(format!("/run/user/{}", nix::unistd::geteuid())), PathBuf::from);
    runtime.join("lxcd/lxcd.sock")
}

/// Connects, and reconnects by itself when the daemon was restarted.
///
/// # Errors
/// LXC0801, LXC0803 or LXC0604, each with its reason.
pub(super) async fn connect(path: &Path) -> Result<Channel, Error> {
    if path.as_os_str().as_bytes().len() > LONGEST_PATH {
        return Err(Error::new(Code::SocketPath, "the socket path is too long")
            .because(format!("{} bytes, at most {LONGEST_PATH}: {}", path.as_os_str().len(), path.display()))
            .hint("{line} --socket /run/lxcd/lxcd.sock"));
    }
    // The first connection is made here, where its error is still an io::Error.
    let first = UnixStream::connect(path).await.map_err(|fault| unreachable(path, &fault))?;
    let first = Arc::new(Mutex::new(Some(first)));
    let path = path.to_owned();
    let connector = service_fn(move |_: Uri| {
        let ready = first.lock().ok().and_then(|mut slot| slot.take());
        let path = path.clone();
        async move {
            let stream = match ready {
                Some(stream) => stream,
                None => UnixStream::connect(path).await?,
            };
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    // The address is never looked at; a Unix socket has no host. The kernel takes connections for an lxcd that
    // hangs, so that only an answer to a ping shows that one is alive.
    let endpoint = Endpoint::from_static("http://lxcd")
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN)
        .keep_alive_while_idle(true);
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// Why the socket cannot be used.
#[must_use]
pub(super) fn unreachable(path: &Path, fault: &io::Error) -> Error {
    let shown = path.display();
    if fault.kind() == io::ErrorKind::PermissionDenied {
        return Error::new(Code::SocketPermission, "you may not talk to lxcd")
            .because(format!("{shown} belongs to others (permission denied)"))
            .hint_noted(format!("sudo usermod -aG lxcd {}", user()), "then log in again");
    }
    let why = match fault.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens on {shown} (connection refused)"),
        io::ErrorKind::NotFound => format!("there is no {shown}"),
        _ => format!("{shown}: {fault}"),
    };
    Error::new(Code::DaemonUnreachable, "lxcd does not answer")
        .because(why)
        .hint_noted("sudo systemctl start lxcd", "without root: lxcd &")
}

fn user() -> String {
    std::env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "$USER".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn each_reason_has_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let absent = connect(&dir.path().join("lxcd.sock")).await.unwrap_err();
        assert_eq!(absent.code, Code::DaemonUnreachable);
        assert!(absent.why[0].starts_with("there is no "), "{absent}");

        let stale = dir.path().join("stale.sock");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        let refused = connect(&stale).await.unwrap_err();
        assert!(refused.why[0].ends_with("(connection refused)"), "{refused}");

        let long = connect(&dir.path().join("x".repeat(120))).await.unwrap_err();
        assert_eq!(long.code, Code::SocketPath);

        let denied = unreachable(Path::new("/run/lxcd/lxcd.sock"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied.code, Code::SocketPermission);
    }
}

//! The Unix socket: bound anew, taken over from a dead lxcd, or handed in by systemd. Owns its path,
//! mode and group; must not know what is served on it.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::{Path, PathBuf};

use lxc_core::error::{Code, Error, Result};
use nix::unistd::{Group, chown};
use tokio::net::UnixListener;

/// `sockaddr_un.sun_path` less its closing NUL (unix(7)).
const LONGEST: usize = 107;

/// A listening socket; unlinked when dropped, unless systemd owns it or somebody has taken its place.
#[derive(Debug)]
pub struct Socket {
    listener: Option<UnixListener>,
    /// Path, device and inode of what was bound.
    ours: Option<(PathBuf, u64, u64)>,
}

impl Socket {
    /// The listener, once.
    pub fn take(&mut self) -> Option<UnixListener> {
        self.listener.take()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some((path, device, inode)) = &self.ours else { return };
        let still = std::fs::symlink_metadata(path);
        if still.is_ok_and(|meta| meta.dev() == *device && meta.ino() == *inode) {
            // Gone already is as good.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Takes the socket systemd hands over (`LISTEN_FDS`), or binds `path`.
///
/// # Errors
/// LXC0803 for a path that is too long, LXC0404 when another lxcd answers there, LXC0604 when it cannot
/// be made.
pub fn listen(path: &Path, group: Option<&str>) -> Result<Socket> {
    let handed = listenfd::ListenFd::from_env().take_unix_listener(0).ok().flatten();
    if let Some(listener) = handed {
        tracing::info!("listening on the socket systemd handed over");
        return Ok(Socket { listener: Some(adopt(listener, path)?), ours: None });
    }
    let length = path.as_os_str().len();
    if length > LONGEST {
        return Err(Error::new(Code::SocketPath, "the socket path is too long")
            .because(format!("{} has {length} bytes, a socket path {LONGEST} at most", path.display()))
            .hint_noted("LXCD_SOCKET=/run/lxcd/lxcd.sock lxcd", "or socket in the configuration"));
    }
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Error::new(Code::SocketPermission, format!("cannot listen on {}", path.display()))
            .because(format!("{what}: {error}"))
            .hint_noted("LXCD_SOCKET=/tmp/lxcd.sock lxcd", "another place; or socket in the configuration")
    };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|e| failed("its directory cannot be made", &e))?;
    }
    clear_stale(path)?;
    let listener = StdListener::bind(path).map_err(|e| failed("bind", &e))?;
    let bound = std::fs::symlink_metadata(path).map_err(|e| failed("it is gone again", &e))?;
    // From here on a failure takes the socket away again.
    let mut socket = Socket { listener: None, ours: Some((path.to_owned(), bound.dev(), bound.ino())) };
    let mode = std::fs::Permissions::from_mode(0o660);
    std::fs::set_permissions(path, mode).map_err(|e| failed("its mode cannot be set", &e))?;
    if let Some(name) = group {
        let found = Group::from_name(name).map_err(|e| failed("groups cannot be read", &e))?;
        let group = found.ok_or_else(|| failed("socket_group", &format!("there is no group {name}")))?;
        chown(path, None, Some(group.gid)).map_err(|e| failed("its group cannot be set", &e))?;
    }
    socket.listener = Some(adopt(listener, path)?);
    Ok(socket)
}

fn adopt(listener: StdListener, path: &Path) -> Result<UnixListener> {
    let failed = |error: std::io::Error| {
        Error::new(Code::SocketPermission, format!("cannot listen on {}", path.display()))
            .because(error.to_string())
    };
    listener.set_nonblocking(true).map_err(failed)?;
    UnixListener::from_std(listener).map_err(failed)
}

/// Removes what a dead lxcd left; a living one keeps its socket.
fn clear_stale(path: &Path) -> Result<()> {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !meta.file_type().is_socket() {
        return Err(Error::new(
            Code::SocketPermission,
            format!("{} is there and is no socket", path.display()),
        )
        .because("lxcd does not remove what it did not make"));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(Error::new(Code::StateInUse, "another lxcd is running")
            .because(format!("something answers on {}", path.display()))
            .hint("lxcctl daemon status"));
    }
    tracing::info!(path = %path.display(), "removing the socket a dead lxcd left");
    std::fs::remove_file(path).map_err(|error| {
        Error::new(Code::SocketPermission, format!("cannot remove the stale socket {}", path.display()))
            .because(error.to_string())
    })
}

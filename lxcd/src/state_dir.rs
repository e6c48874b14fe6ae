//! The state directory: made 0700, locked for as long as this process lives, so that two lxcd never
//! share one SQLite. Owns the lock and the directory's identity.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use lxc_core::error::{Code, Error, Result};
use nix::fcntl::{Flock, FlockArg};

/// A state directory that is ours.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: Flock<File>,
}

impl StateDir {
    /// Makes the directory if needed and takes its lock.
    ///
    /// # Errors
    /// LXC0404 when another lxcd has it, LXC0108 when it cannot be used.
    pub fn take(path: &Path) -> Result<Self> {
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            Error::new(Code::StoreFailed, format!("cannot use the state directory {}", path.display()))
                .because(format!("{what}: {error}"))
                .hint_noted(
                    "LXCD_STATE_DIR=/var/lib/lxcd lxcd",
                    "another place; or state_dir in the configuration",
                )
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| failed("it cannot be made", &e))?;
        // One that was there before may be open to others; what is in it is nobody else's.
        let closed = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(path, closed).map_err(|e| failed("it cannot be closed to others", &e))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(|e| failed("its lock cannot be opened", &e))?;
        let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, _)| {
            let holder = std::fs::read_to_string(path.join("lock")).unwrap_or_default();
            let holder = holder.trim();
            Error::new(Code::StateInUse, "another lxcd is running")
                .because(format!("process {holder} has the state directory {}", path.display()))
                .hint("lxcctl daemon status")
        })?;
        // Only for the message above; the lock is the flock.
        let _ = lock.set_len(0);
        let _ = writeln!(lock, "{}", std::process::id());
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// What tells this directory from every other, made once: an lxcd that starts here again claims what
    /// the one before left, and nobody else's.
    ///
    /// # Errors
    /// LXC0108 when it cannot be read or written.
    pub fn id(&self) -> Result<String> {
        let path = self.path.join("id");
        let failed = |error: std::io::Error| {
            Error::new(Code::StoreFailed, format!("cannot use {}", path.display())).because(error.to_string())
        };
        match std::fs::read_to_string(&path) {
            Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let id = uuid::Uuid::new_v4().to_string();
        std::fs::write(&path, format!("{id}\n")).map_err(failed)?;
        Ok(id)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_taken_once_and_keeps_its_id() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state");
        let first = StateDir::take(&path).unwrap();
        let id = first.id().unwrap();
        let second = StateDir::take(&path).unwrap_err();
        assert_eq!(second.code, Code::StateInUse);
        assert!(second.why[0].contains(&std::process::id().to_string()), "{second}");
        drop(first);
        assert_eq!(StateDir::take(&path).unwrap().id().unwrap(), id);
    }
}

//! The state directory: made 0700, locked for as long as this process lives, so that two lxcd never
//! share one SQLite. Owns the lock and the directory's identity.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
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
                .hint_noted("state_dir = \"…\"", "in the configuration, or LXCD_STATE_DIR")
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| failed("it cannot be made", &e))?;
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

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

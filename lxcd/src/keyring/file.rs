//! The key file on disk: found, checked, created, replaced. Owns its path, mode and durability; must
//! not look into ciphertexts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use lxc_core::error::{Code, Error};
use zeroize::Zeroizing;

use super::key::Keyring;

/// A key file is a few lines; more is something else.
const LONGEST: u64 = 64 << 10;

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    /// Handed in by systemd: read-only, and guarded by its directory instead of its mode.
    credential: bool,
}

impl KeyFile {
    /// `lxcd-keyring` in the credentials directory of the service when it is there, else `keyring` in
    /// the state directory.
    #[must_use]
    pub fn locate(state_dir: &Path, credentials_dir: Option<&Path>) -> Self {
        let credential = credentials_dir.map(|dir| dir.join("lxcd-keyring")).filter(|path| path.exists());
        match credential {
            Some(path) => Self { path, credential: true },
            None => Self { path: state_dir.join("keyring"), credential: false },
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys to start with. `check` is the check value the database holds: with one, its keys must
    /// be here; without, the database holds no secret yet and a file that is not there is created.
    ///
    /// # Errors
    /// LXC0511 when the keys are missing or others than the database's; LXC0212 when the file cannot
    /// be used, LXC0109 or LXC0107 when it cannot be created.
    pub fn open(&self, check: Option<&str>) -> Result<Keyring, Error> {
        match (self.load()?, check) {
            (Some(ring), Some(check)) => {
                ring.verify(check)
                    .map_err(|error| error.because(format!("keys: {}", self.path.display())))?;
                Ok(ring)
            }
            (Some(ring), None) => Ok(ring),
            (None, Some(_)) => Err(Error::new(Code::WrongKey, "the keys of the database are missing")
                .because(format!("{} does not exist", self.path.display()))),
            (None, None) => {
                let ring = Keyring::generate()?;
                self.create(&ring)?;
                Ok(ring)
            }
        }
    }

    /// Reads it; None when there is no such file.
    ///
    /// # Errors
    /// LXC0212 when it cannot be read, may be read by others, or holds something else.
    pub fn load(&self) -> Result<Option<Keyring>, Error> {
        let name = self.path.display().to_string();
        let unusable =
            |why: String| Error::new(Code::BadConfig, format!("{name} cannot be used")).because(why);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        // Of the opened file, so that nobody can exchange it between the look and the read.
        let metadata = file.metadata().map_err(|error| unusable(error.to_string()))?;
        let mode = metadata.mode() & 0o7777;
        if !metadata.is_file() {
            return Err(unusable("it is not a regular file".to_owned()));
        }
        if !self.credential && mode & 0o077 != 0 {
            let why = format!("its mode is {mode:04o}, and others than its owner can read or change it");
            return Err(unusable(why).hint(format!("chmod 600 {name}")));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST).read_to_string(&mut text).map_err(|error| unusable(error.to_string()))?;
        Keyring::parse(&name, &text).map(Some)
    }

    /// Writes it for the first time; never over an existing one.
    ///
    /// # Errors
    /// LXC0212 for a systemd credential; LXC0109 or LXC0107 when it cannot be written.
    pub fn create(&self, ring: &Keyring) -> Result<(), Error> {
        self.writable()?;
        // A complete file appears under the name, or none: a crash must not leave half a key.
        let fresh = self.write_beside(ring)?;
        let linked = fs::hard_link(&fresh, &self.path);
        let removed = fs::remove_file(&fresh);
        linked.and(removed).and_then(|()| self.sync_directory()).map_err(|error| self.unwritten(&error))
    }

    /// Puts another ring in its place, at once and for good.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn replace(&self, ring: &Keyring) -> Result<(), Error> {
        self.writable()?;
        let fresh = self.write_beside(ring)?;
        fs::rename(&fresh, &self.path)
            .and_then(|()| self.sync_directory())
            .map_err(|error| self.unwritten(&error))
    }

    fn writable(&self) -> Result<(), Error> {
        if !self.credential {
            return Ok(());
        }
        Err(Error::new(Code::BadConfig, "the keys come from systemd and cannot be changed by lxcd")
            .because(format!("{} is a credential of the service", self.path.display())))
    }

    fn write_beside(&self, ring: &Keyring) -> Result<PathBuf, Error> {
        let fresh = self.path.with_file_name(format!(".keyring.{}", ring.active_id()));
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
            file.write_all(ring.to_text().as_bytes())?;
            file.sync_all()
        };
        match write() {
            Ok(()) => Ok(fresh),
            Err(error) => {
                // Half a file is of no use to anybody; that it cannot be removed changes nothing.
                let _ = fs::remove_file(&fresh);
                Err(self.unwritten(&error))
            }
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }

    fn unwritten(&self, error: &io::Error) -> Error {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
            _ => Code::Internal,
        };
        Error::new(code, format!("{} cannot be written", self.path.display())).because(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn creates_only_without_a_check_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::locate(dir.path(), Some(dir.path()));
        let check = Keyring::generate().unwrap().check_value().unwrap();
        assert_eq!(file.open(Some(&check)).unwrap_err().code, Code::WrongKey);
        assert!(!file.path().exists());
        let ring = file.open(None).unwrap();
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(file.open(Some(&ring.check_value().unwrap())).unwrap().ids(), ring.ids());
        let error = file.open(Some(&check)).unwrap_err();
        assert_eq!(error.code, Code::WrongKey);
        assert!(error.to_string().contains("keyring"));
        assert!(file.create(&ring).is_err(), "never over an existing one");
        let new = ring.rotated().unwrap();
        file.replace(&new).unwrap();
        assert_eq!(file.load().unwrap().unwrap().ids(), new.ids());
        assert_eq!((mode(file.path()), fs::read_dir(dir.path()).unwrap().count()), (0o600, 1));
    }

    #[test]
    fn refuses_a_file_others_can_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::locate(dir.path(), None);
        file.open(None).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let error = file.open(None).unwrap_err();
        assert_eq!(error.code, Code::BadConfig);
        assert!(error.to_string().contains("0640") && error.to_string().contains("keyring"), "{error}");
        assert!(error.tries[0].command.starts_with("chmod 600 "));
    }

    #[test]
    fn a_credential_is_read_and_never_written() {
        let (state, credentials) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = credentials.path().join("lxcd-keyring");
        let ring = Keyring::generate().unwrap();
        fs::write(&path, ring.to_text().as_bytes()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        let file = KeyFile::locate(state.path(), Some(credentials.path()));
        assert_eq!(file.open(None).unwrap().ids(), ring.ids());
        assert_eq!(file.replace(&ring).unwrap_err().code, Code::BadConfig);
        fs::write(&path, "hunter2").unwrap();
        assert!(!file.load().unwrap_err().to_string().contains("hunter2"));
    }
}

//! An OpenSSH server of a test's own: on 127.0.0.1, with its own host key and one user's key, in a directory of its own.
//! Owns its life, its keys and what it has logged; must not know what is asked of it.

mod setup;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub use setup::SshSetup;

/// A running server.
pub struct SshServer {
    setup: SshSetup,
    directory: tempfile::TempDir,
    address: SocketAddr,
    user: String,
    server: Child,
}

impl SshServer {
    /// Starts one; None, said loudly, where OpenSSH's server is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        SshSetup::default().start()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who may log in: whoever runs the test.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// A directory that is gone with the server.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The user's private key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("user")
    }

    /// A private key nobody knows here.
    #[must_use]
    pub fn stranger(&self) -> PathBuf {
        self.directory.path().join("stranger")
    }

    /// The fingerprint of its host key, by ssh-keygen.
    ///
    /// # Panics
    /// When ssh-keygen cannot tell.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let output = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(self.directory.path().join("host.pub"))
            .output()
            .expect("ssh-keygen runs");
        let line = String::from_utf8(output.stdout).expect("text");
        line.split(' ').nth(1).expect("bits, fingerprint, comment").to_owned()
    }

    /// Lets whoever has this public key in too.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn authorize(&self, public_key: &Path) {
        let mut known = std::fs::read(self.directory.path().join("authorized")).expect("read");
        known.extend(std::fs::read(public_key).expect("read"));
        std::fs::write(self.directory.path().join("authorized"), known).expect("written");
    }

    /// Makes it another host at the same place: ends it and starts it with a new host key.
    ///
    /// # Panics
    /// When it does not start.
    pub fn change_host_key(&mut self) {
        self.end();
        std::fs::remove_file(self.directory.path().join("host")).expect("removed");
        new_key(&self.directory.path().join("host"), "ed25519");
        self.resume();
    }

    /// Ends it, and every connection there is: nobody listens there until [`Self::resume`].
    ///
    /// # Panics
    /// When the processes of this machine cannot be read.
    pub fn halt(&mut self) {
        let connections = self.connections();
        self.end();
        for connection in connections {
            // Ended already is as good.
            let _ = kill(connection, Signal::SIGKILL);
        }
    }

    /// Starts it again after [`Self::halt`], as the same host at the same place.
    ///
    /// # Panics
    /// When it does not start.
    pub fn resume(&mut self) {
        self.server = self.setup.begin(self.directory.path(), self.address).expect("its port is still free");
    }

    /// Cuts every connection there is; new ones are taken.
    ///
    /// # Panics
    /// When the processes of this machine cannot be read.
    pub fn cut(&self) {
        for connection in self.connections() {
            // Ended already is as good.
            let _ = kill(connection, Signal::SIGKILL);
        }
    }

    /// Another host key, and every connection is cut: nobody gets in who knows the one before.
    ///
    /// # Panics
    /// As the two that it does.
    pub fn lock_out(&mut self) {
        self.halt();
        self.change_host_key();
    }

    /// What it has forked for those who are connected.
    fn connections(&self) -> Vec<Pid> {
        let parent = self.server.id().to_string();
        let all = std::fs::read_dir("/proc").expect("readable").flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|process| {
                let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
                let fields = status.rsplit(')').next().unwrap_or_default();
                fields.split_whitespace().nth(1) == Some(parent.as_str())
            })
            .map(Pid::from_raw)
            .collect()
    }

    /// How many commands it was asked to run.
    #[must_use]
    pub fn commands(&self) -> usize {
        self.log().matches("Starting session: command").count()
    }

    /// How often somebody was let in.
    #[must_use]
    pub fn log_ins(&self) -> usize {
        // Of a key that might do it says "Accepted key", of the log-in who it was.
        let log = self.log();
        log.matches("Accepted publickey for ").count() + log.matches("Accepted password for ").count()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn end(&mut self) {
        // Ended already is as good.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Makes a key pair without a passphrase: `path` and `path.pub`.
///
/// # Panics
/// When ssh-keygen does not.
pub fn new_key(path: &Path, kind: &str) {
    let _ = std::fs::remove_file(path);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "a test", "-t", kind, "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen makes {}", path.display());
}

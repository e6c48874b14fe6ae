//! An OpenSSH server of a test's own: on 127.0.0.1, with its own host key and one user's key, in a directory of its own.
//! Owns its life, its keys and what it has logged; must not know what is asked of it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};

use super::wait::until;

/// Where Debian has it, outside of an ordinary user's PATH.
const SSHD: &str = "/usr/sbin/sshd";

/// In its directory, a link to the programs that are there for whoever logs in.
const PROGRAMS: &str = "programs";
/// Runs the rest with that directory mounted there, for itself and what it starts.
const MOUNTED: &str = "mount --bind \"$1\" /usr/local/sbin && shift && exec \"$@\"";

/// A running server.
pub struct SshServer {
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
        Self::with_programs(None)
    }

    /// The same, where whoever logs in finds the programs of that directory in /usr/local/sbin; only root can have that.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn with_programs(programs: Option<&Path>) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            // Seen in the output of every run that did not test SSH.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no OpenSSH server is installed (Debian: apt-get install openssh-server)"
            );
            return None;
        }
        // Short, since the path of an agent's socket may have 107 bytes.
        let directory = tempfile::Builder::new().prefix("lxcd-ssh-").tempdir_in("/tmp").expect("made");
        for name in ["host", "user", "stranger"] {
            new_key(&directory.path().join(name), "ed25519");
        }
        let path = |name: &str| directory.path().join(name);
        if let Some(programs) = programs {
            std::os::unix::fs::symlink(programs, path(PROGRAMS)).expect("linked");
        }
        std::fs::copy(path("user.pub"), path("authorized")).expect("copied");
        let root = Uid::current().is_root();
        if root {
            // Where it changes root to before somebody has logged in; Debian's unit makes it at the start.
            std::fs::create_dir_all("/run/sshd").expect("made");
        } else {
            let sudo = path("bin/sudo");
            std::fs::create_dir(path("bin")).expect("made");
            std::fs::write(&sudo, "#!/bin/sh\nshift\nexec \"$@\"\n").expect("written");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&sudo, mode).expect("executable");
        }
        let user = User::from_uid(Uid::current()).ok().flatten().expect("a user").name;
        let (address, server) = run(directory.path());
        Some(Self { directory, address, user, server })
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
        self.server = begin(self.directory.path(), self.address).expect("its port is still free");
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
        let connections = self.connections();
        self.change_host_key();
        for connection in connections {
            // As above.
            let _ = kill(connection, Signal::SIGKILL);
        }
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

    fn log(&self) -> String {
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

fn run(directory: &Path) -> (SocketAddr, Child) {
    // A free port may be somebody else's a moment later.
    until("sshd to listen", || {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("bound");
        drop(free);
        begin(directory, address).map(|server| (address, server))
    })
}

fn begin(directory: &Path, address: SocketAddr) -> Result<Child, String> {
    let path = |name: &str| directory.join(name).display().to_string();
    // With a locale that is not installed, as many a node has it.
    let config = format!(
        "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n\
         SetEnv PATH={}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=xx_XX.UTF-8\n",
        path("host"),
        path("authorized"),
        path("bin"),
    );
    std::fs::write(path("config"), config).expect("written");
    let log = path("log");
    let mut command = Command::new(SSHD);
    if directory.join(PROGRAMS).exists() {
        command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", MOUNTED, "sh", &path(PROGRAMS), SSHD]);
    }
    let mut server = command
        .args(["-D", "-f", &path("config"), "-E", &log])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sshd starts");
    until("sshd to answer or to end", || match (TcpStream::connect(address), server.try_wait()) {
        (_, Ok(Some(status))) => {
            Ok(Err(format!("{status}: {}", std::fs::read_to_string(&log).unwrap_or_default())))
        }
        (Ok(_), _) => Ok(Ok(())),
        (Err(error), _) => Err(error.to_string()),
    })
    .map(|()| server)
}

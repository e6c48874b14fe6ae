//! What an OpenSSH server of a test is made from. Owns how it is started; what it did is its own to tell.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::{Uid, User};

use super::{SshServer, new_key};
use crate::harness::wait::until;

/// Where Debian has it, outside of an ordinary user's PATH.
const SSHD: &str = "/usr/sbin/sshd";
/// Runs the rest with pairs of places mounted on each other, for itself and what it starts: COUNT FROM TO … COMMAND….
const MOUNTED: &str = "count=$1; shift
while [ \"$count\" -gt 0 ]; do
    mount --bind \"$1\" \"$2\" || exit
    shift 2
    count=$((count - 1))
done
exec \"$@\"";
/// Who may come in how, where nothing else is said.
const KEYS_ONLY: &str = "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n";

/// One that is not started yet.
#[derive(Debug, Clone)]
pub struct SshSetup {
    at: SocketAddr,
    mounts: Vec<(PathBuf, PathBuf)>,
    ways: String,
}

impl Default for SshSetup {
    fn default() -> Self {
        let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self { at, mounts: Vec::new(), ways: KEYS_ONLY.to_owned() }
    }
}

impl SshSetup {
    /// Listens there; with port 0 on any free one.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.at = address;
        self
    }

    /// The server, and whoever logs in, sees `from` in the place of `to`, which has to be there; only root can have that.
    #[must_use]
    pub fn mount(mut self, from: &Path, to: &Path) -> Self {
        self.mounts.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Other lines of its configuration about how somebody may log in than that only keys will do.
    #[must_use]
    pub fn ways(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.ways);
        self
    }

    /// Starts it; None, said loudly, where OpenSSH's server is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn start(self) -> Option<SshServer> {
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
        let (address, server) = if self.at.port() == 0 {
            // A free port may be somebody else's a moment later.
            until("sshd to listen", || {
                let free = TcpListener::bind(self.at).expect("a port");
                let address = free.local_addr().expect("bound");
                drop(free);
                self.begin(directory.path(), address).map(|server| (address, server))
            })
        } else {
            (self.at, self.begin(directory.path(), self.at).expect("its port is free"))
        };
        Some(SshServer { setup: self, directory, address, user, server })
    }

    /// Starts the program there, with what lies in that directory.
    pub(super) fn begin(&self, directory: &Path, address: SocketAddr) -> Result<Child, String> {
        let path = |name: &str| directory.join(name).display().to_string();
        // With a locale that is not installed, as many a node has it.
        let config = format!(
            "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             PermitRootLogin yes\nLogLevel VERBOSE\n{}\
             SetEnv PATH={}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=xx_XX.UTF-8\n",
            path("host"),
            path("authorized"),
            self.ways,
            path("bin"),
        );
        std::fs::write(path("config"), config).expect("written");
        let log = path("log");
        let mut command = Command::new(SSHD);
        if !self.mounts.is_empty() {
            command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", MOUNTED, "sh", &self.mounts.len().to_string()]);
            for (from, to) in &self.mounts {
                command.arg(from).arg(to);
            }
            command.arg(SSHD);
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
}

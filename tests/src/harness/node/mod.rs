//! A stand-in for a Proxmox node: `lxc-attach` as a small script that runs the command in a real root file system, in
//! name spaces of its own. Owns the containers' lives and running a job in one; what is right is for the tests to say.

mod tree;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fmt, fs};

pub use tree::Tree;

use super::wait::until;

const ATTACH: &str = include_str!("lxc-attach.sh");
const START: &str = include_str!("start.sh");

/// Where its `lxc-attach` looks for containers.
pub const ROOTS: &str = "LXCD_TEST_ROOTS";

/// Which network a container sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// This machine's.
    Shared,
    /// Its own, with nothing but a loopback device that is down.
    Own,
}

/// A node: a directory with the program and its containers.
#[derive(Debug)]
pub struct Node {
    directory: tempfile::TempDir,
    containers: Vec<(u32, Child)>,
}

/// What a job did.
pub struct Done {
    /// Its exit code; None = a signal.
    pub code: Option<i32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it wrote there.
    pub stderr: String,
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.stdout);
        f.debug_tuple("Done").field(&self.code).field(&text).field(&self.stderr).finish()
    }
}

impl Done {
    /// The reports to lxcd, without their mark.
    #[must_use]
    pub fn reports(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.stdout).into_owned();
        text.lines().filter_map(|line| line.strip_prefix("\u{1e}lxcd ")).map(ToOwned::to_owned).collect()
    }

    /// What is for people to read.
    #[must_use]
    pub fn log(&self) -> String {
        let text = String::from_utf8_lossy(&self.stdout).into_owned();
        let lines = text.lines().filter(|line| !line.starts_with('\u{1e}'));
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Node {
    /// One without containers; None, said loudly, where this process may not make name spaces.
    ///
    /// # Panics
    /// When its directory cannot be made.
    #[must_use]
    pub fn new() -> Option<Self> {
        let probe = Command::new("unshare")
            .args(["--pid", "--mount", "--net", "--fork", "true"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !nix::unistd::geteuid().is_root() || !probe.is_ok_and(|status| status.success()) {
            tree::skipped("no stand-in containers: they need root and name spaces (unshare, nsenter)");
            return None;
        }
        let directory = tempfile::Builder::new().prefix("lxcd-node-").tempdir().expect("made");
        for name in ["bin", "roots"] {
            fs::create_dir(directory.path().join(name)).expect("made");
        }
        let attach = directory.path().join("bin/lxc-attach");
        fs::write(&attach, ATTACH).expect("written");
        fs::set_permissions(&attach, PermissionsExt::from_mode(0o755)).expect("ours");
        Some(Self { directory, containers: Vec::new() })
    }

    /// What a program needs in front of its `PATH`.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    /// What a program needs in [`ROOTS`].
    #[must_use]
    pub fn roots(&self) -> PathBuf {
        self.directory.path().join("roots")
    }

    /// Where what belongs to one container lies: `refuse` and `delay` are read there by `lxc-attach`.
    #[must_use]
    pub fn container(&self, vmid: u32) -> PathBuf {
        self.roots().join(vmid.to_string())
    }

    /// Starts a container, a new one or one that was stopped; false, said loudly, where there can be no such tree.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&mut self, vmid: u32, tree: Tree, network: Network) -> bool {
        let Some(tree) = tree.path() else { return false };
        let here = self.container(vmid);
        for name in ["upper", "work", "root"] {
            fs::create_dir_all(here.join(name)).expect("made");
        }
        let mut command = Command::new("unshare");
        command.args(["--pid", "--mount", "--uts", "--fork", "--kill-child"]);
        if network == Network::Own {
            command.arg("--net");
        }
        command.args(["sh", "-c", START, "start"]).arg(&here).arg(tree);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("unshare starts");
        until("a stand-in container", || {
            let ended = child.try_wait().expect("ours");
            assert!(ended.is_none(), "it ended at once: {ended:?}");
            // Before it has changed its root, its files are this machine's.
            let place = |path: &Path| fs::metadata(path).map(|root| (root.dev(), root.ino())).ok();
            let inside = here.join("pid").exists().then(|| place(&self.files(vmid))).flatten();
            inside
                .filter(|root| Some(*root) != place(Path::new("/")))
                .map(|_| ())
                .ok_or("it does not run".to_owned())
        });
        self.containers.push((vmid, child));
        true
    }

    /// Stops a container at once; its files stay.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self, vmid: u32) {
        for (_, mut child) in self.containers.extract_if(.., |(known, _)| *known == vmid) {
            end(&mut child);
        }
        let _ = fs::remove_file(self.container(vmid).join("pid"));
    }

    /// The files of a container that runs, as it sees them.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn files(&self, vmid: u32) -> PathBuf {
        let pid = fs::read_to_string(self.container(vmid).join("pid")).expect("it runs");
        Path::new("/proc").join(pid.trim()).join("root")
    }

    /// What a file of a container says; None when it is not there, or the container does not run.
    #[must_use]
    pub fn read(&self, vmid: u32, path: &str) -> Option<String> {
        let pid = fs::read_to_string(self.container(vmid).join("pid")).ok()?;
        let root = Path::new("/proc").join(pid.trim()).join("root");
        fs::read_to_string(root.join(path.trim_start_matches('/'))).ok()
    }

    /// A command on the node, to be given more.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.programs().display())).env(ROOTS, self.roots());
        command
    }

    /// Runs a command that [`Self::command`] began, with that stdin, until itself has ended: what it leaves behind
    /// may hold its output open.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, mut command: Command, stdin: &[u8]) -> Done {
        let own = tempfile::tempdir_in(self.directory.path()).expect("made");
        let [input, output, errors] = ["in", "out", "err"].map(|name| own.path().join(name));
        fs::write(&input, stdin).expect("written");
        let status = command
            .stdin(fs::File::open(&input).expect("there"))
            .stdout(fs::File::create(&output).expect("made"))
            .stderr(fs::File::create(&errors).expect("made"))
            .status()
            .expect("started");
        Done {
            code: status.code(),
            stdout: fs::read(&output).expect("there"),
            stderr: String::from_utf8_lossy(&fs::read(&errors).expect("there")).into_owned(),
        }
    }

    /// Runs this machine's `ip` in the network of a container that runs, one call a line.
    ///
    /// # Panics
    /// When one fails.
    pub fn ip(&self, vmid: u32, lines: &str) {
        let pid = fs::read_to_string(self.container(vmid).join("pid")).expect("it runs");
        for line in lines.lines() {
            let words = line.split_whitespace();
            let output =
                Command::new("nsenter").args(["--net", "--target", pid.trim(), "ip"]).args(words).output();
            let output = output.expect("nsenter starts");
            assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// A shell command in a container, as `lxc-attach` runs it.
    pub fn shell(&self, vmid: u32, text: &str) -> Done {
        let mut command = self.command("lxc-attach");
        command.args(["-n", &vmid.to_string(), "--clear-env", "--", "/bin/sh", "-c"]);
        command.arg(format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH; {text}"));
        self.run(command, b"")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for (_, child) in &mut self.containers {
            end(child);
        }
    }
}

/// unshare takes its child, and so the whole container, with it.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

//! Root file systems for stand-in containers, made once per machine and then only read. Owns how they are made; must
//! not run in them what a test is about.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

/// What a container is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Debian's smallest: dash, coreutils, apt.
    Debian,
    /// The same with dnf, what makes a package and a repository for it, and pip.
    Managers,
    /// Nothing but busybox, as on Alpine, without its package manager.
    Busybox,
}

impl Tree {
    const fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Managers => "managers",
            Self::Busybox => "busybox",
        }
    }

    /// Its directory, made by whichever process comes first; None, said loudly, where it cannot be made.
    ///
    /// # Panics
    /// When the directory of the build cannot be written.
    pub(super) fn path(self) -> Option<PathBuf> {
        let own = std::env::current_exe().expect("the path of this executable");
        // target/debug/deps/inside-1f3… → target/test-roots
        let roots = own.ancestors().nth(3).expect("a target directory").join("test-roots");
        fs::create_dir_all(&roots).expect("made");
        let lock = fs::File::create(roots.join(format!("{}.lock", self.name()))).expect("made");
        let _held = Flock::lock(lock, FlockArg::LockExclusive).expect("held");
        let tree = roots.join(self.name());
        if tree.is_dir() {
            return Some(tree);
        }
        let new = roots.join(format!("{}.new", self.name()));
        if new.exists() {
            fs::remove_dir_all(&new).expect("what was left half made goes");
        }
        let made = match self {
            Self::Debian => debian(&new),
            // Has a lock of its own meanwhile, and never waits for this one.
            Self::Managers => {
                Self::Debian.path().ok_or_else(no_debian).and_then(|base| managers(&base, &new))
            }
            Self::Busybox => busybox(&new),
        };
        match made {
            Ok(()) => {
                fs::rename(&new, &tree).expect("the same directory");
                Some(tree)
            }
            Err(why) => {
                skipped(&format!("no {} tree: {why}", self.name()));
                None
            }
        }
    }
}

/// Seen in the output of every run that left something out.
pub(super) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn debian(new: &Path) -> Result<(), String> {
    let (release, mirror) = release_and_mirror();
    let arguments = ["--variant=minbase", &release, &new.to_string_lossy(), &mirror].map(ToOwned::to_owned);
    let output = Command::new("debootstrap")
        .args(arguments)
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("debootstrap: {error} (Debian: apt-get install debootstrap)"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        return Err(format!("debootstrap {release} {mirror}: {}", said.lines().last().unwrap_or("no word")));
    }
    // A machine for tests may have an odd clock.
    let apt = "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\n";
    fs::write(new.join("etc/apt/apt.conf.d/99tests"), apt).map_err(|error| error.to_string())
}

fn no_debian() -> String {
    "it is made from the other one".to_owned()
}

/// What is put into the copy of the smallest one. Not in that one itself: most tests want what an image brings.
const MANAGERS: &str = r#"
mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && cp -L /etc/resolv.conf "$0/etc/resolv.conf" || exit
exec chroot "$0" /bin/sh -ec '
    apt-get -q -o Acquire::Retries=3 update
    apt-get -q -y --no-install-recommends -o Acquire::Retries=3 install dnf rpm createrepo-c python3-pip
    apt-get clean
    rm -rf /var/lib/apt/lists/*
    # Where it is on the systems that live by it; Debian keeps it in the home directory.
    mkdir -p /etc/rpm
    echo "%_dbpath /var/lib/rpm" >/etc/rpm/macros.tests'
"#;

fn managers(base: &Path, new: &Path) -> Result<(), String> {
    let run = |command: &mut Command| -> Result<(), String> {
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr);
        output
            .status
            .success()
            .then_some(())
            .ok_or_else(|| said.lines().last().unwrap_or("no word").to_owned())
    };
    run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(base).arg(new))?;
    run(Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "sh", "-c", MANAGERS])
        .arg(new)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// What this machine itself is installed from, else what everybody can reach.
fn release_and_mirror() -> (String, String) {
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"])
        .output();
    let text =
        targets.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into());
    let mut found = text.lines().filter_map(|line| {
        let [origin, release, uri] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        (origin == "Debian" && !release.contains('-')).then(|| (release.to_owned(), uri.to_owned()))
    });
    found.next().unwrap_or_else(|| ("bookworm".to_owned(), "http://deb.debian.org/debian/".to_owned()))
}

fn busybox(new: &Path) -> Result<(), String> {
    let program = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|path| Path::new(path).is_file());
    let program = program.ok_or("there is no busybox (Debian: apt-get install busybox-static)")?;
    let make = || -> std::io::Result<std::process::Output> {
        for directory in ["bin", "dev", "etc", "proc", "root", "run", "tmp", "usr/bin", "var/tmp", "srv"] {
            fs::create_dir_all(new.join(directory))?;
        }
        fs::copy(program, new.join("bin/busybox"))?;
        symlink("bin", new.join("sbin"))?;
        fs::write(new.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/srv:/bin/sh\n")?;
        fs::write(new.join("etc/group"), "root:x:0:\napp:x:1000:\n")?;
        Command::new("chroot").arg(new).args(["/bin/busybox", "--install", "-s", "/bin"]).output()
    };
    let output = make().map_err(|error| error.to_string())?;
    // One that is not static does not start there.
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{program} does not run alone (Debian: apt-get install busybox-static)")),
    }
}

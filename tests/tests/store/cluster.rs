//! One private Postgres for all tests of this run: made in a directory of its own, on a Unix socket only,
//! gone when the tests are. Owns its life; what is stored in it is `database`'s.

use std::io::BufRead;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The running server; its shell ends it when this process does, because their pipe closes then.
pub(crate) struct Cluster {
    socket_dir: PathBuf,
    _server: Child,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

impl Cluster {
    /// The one server; None, said loudly, where Postgres is not installed.
    pub(crate) fn get() -> Option<&'static Self> {
        CLUSTER.get_or_init(Self::start).as_ref()
    }

    /// A URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.socket_dir.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@localhost/{database}?host={host}")
    }

    fn start() -> Option<Self> {
        let Some(bin) = binaries() else {
            // Seen in the output of every run that did not test Postgres.
            use std::io::Write;
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no Postgres server is installed (Debian: apt-get install postgresql)"
            );
            return None;
        };
        // Short, since a socket path may have 107 bytes; kept by the shell below, which removes it.
        let dir = tempfile::Builder::new().prefix("lxcd-pg-").tempdir_in("/tmp").unwrap().keep();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        let root = nix::unistd::geteuid().is_root();
        if root {
            // Postgres refuses to run as root; Debian's package brings a user for it.
            let user = nix::unistd::User::from_name("postgres").unwrap().expect("a user postgres");
            chown(&dir, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        }
        let script = format!(
            "cd {dir} && {bin}/initdb -D {dir}/data -U postgres -A trust -E UTF8 --locale=C --no-sync >{dir}/log 2>&1 \
             && {{ {bin}/postgres -D {dir}/data -k {dir} -h '' -c fsync=off -c max_connections=200 \
             >>{dir}/log 2>&1 & }} \
             && pid=$! && until {bin}/pg_isready -q -h {dir}; do kill -0 $pid || exit 1; sleep 0.05; done; \
             echo ready; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf {dir}",
            dir = dir.display(),
            bin = bin.display(),
        );
        let mut command = if root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        assert_eq!(line, "ready\n", "Postgres does not start: {}", log());
        Some(Self { socket_dir: dir, _server: server })
    }
}

/// The newest version below Debian's directory, else what is on the path.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    found.into_iter().rev().find(|dir| has_server(dir))
}

fn has_server(dir: &Path) -> bool {
    ["initdb", "postgres", "pg_isready"].iter().all(|name| dir.join(name).is_file())
}

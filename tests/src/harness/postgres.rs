//! Postgres for tests: one server for a whole run where `scripts/with-postgres` has started it, else one for
//! this process; or one of a test's own, to be stopped and started. Owns their lives and makes databases;
//! what is in those is the tests'.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::proxy::Proxy;

/// Where a server that the whole run shares has its socket.
pub const SHARED: &str = "LXC_TEST_POSTGRES";

/// A server, on a Unix socket only.
pub struct Postgres {
    directory: PathBuf,
    binaries: PathBuf,
    /// Its shell ends it when this process does, because their pipe closes then. None = not ours, or stopped.
    server: Option<Child>,
    /// Where it also listens, with TLS.
    port: Option<u16>,
    /// Whether a commit is on the disk: what is tested is not the disk, what is measured is.
    fsync: bool,
}

static HERE: OnceLock<Option<Postgres>> = OnceLock::new();

impl Postgres {
    /// The one for everybody; None, said loudly, where Postgres is not installed.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        HERE.get_or_init(|| match std::env::var_os(SHARED) {
            Some(directory) => {
                let binaries = binaries().expect("what runs is installed");
                Some(Self { directory: directory.into(), binaries, server: None, port: None, fsync: false })
            }
            None => Self::make().map(|mut postgres| {
                // Nobody drops it: its shell cleans up.
                let clean = format!("; rm -rf {}", postgres.directory.display());
                postgres.launch(&clean);
                postgres
            }),
        })
        .as_ref()
    }

    /// One of a test's own; None, said loudly, where Postgres is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn own() -> Option<Self> {
        let mut postgres = Self::make()?;
        postgres.start();
        Some(postgres)
    }

    /// One whose commits are on the disk, for what is measured; None, said loudly, where Postgres is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn durable() -> Option<Self> {
        let mut postgres = Self::make()?;
        postgres.fsync = true;
        postgres.start();
        Some(postgres)
    }

    /// One of a test's own that also listens on 127.0.0.1 with this certificate and key; and its port.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn with_tls(certificate: &str, key: &str) -> Option<(Self, u16)> {
        let mut postgres = Self::make()?;
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = postgres.directory.join(name);
            std::fs::write(&path, text).expect("written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
            let owner = std::fs::metadata(&postgres.directory).expect("there");
            chown(&path, Some(owner.uid()), Some(owner.gid())).expect("given");
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        postgres.port = Some(port);
        postgres.start();
        Some((postgres, port))
    }

    fn make() -> Option<Self> {
        let Some(binaries) = binaries() else {
            // Seen in the output of every run that did not test Postgres.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no Postgres server is installed (Debian: apt-get install postgresql)"
            );
            return None;
        };
        // Short, since a socket path may have 107 bytes.
        let directory = tempfile::Builder::new().prefix("lxcd-pg-").tempdir_in("/tmp").expect("made").keep();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700)).expect("ours");
        if nix::unistd::geteuid().is_root() {
            // Postgres refuses to run as root; Debian's package brings a user for it.
            let user = nix::unistd::User::from_name("postgres").expect("readable").expect("a user postgres");
            chown(&directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("given");
        }
        let postgres = Self { directory, binaries, server: None, port: None, fsync: false };
        let (dir, bin) = (postgres.directory.display(), postgres.binaries.display());
        let made = as_postgres(&format!(
            "cd {dir} && {bin}/initdb -D {dir}/data -U postgres -A trust -E UTF8 --locale=C --no-sync >{dir}/log 2>&1"
        ))
        .status();
        assert!(made.expect("initdb starts").success(), "{}", postgres.log());
        Some(postgres)
    }

    /// Starts it (again).
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&mut self) {
        self.launch("");
    }

    fn launch(&mut self, last: &str) {
        let listen = self.port.map_or("-h ''".to_owned(), |port| {
            let files = "-c ssl_cert_file=$PWD/server.crt -c ssl_key_file=$PWD/server.key";
            format!("-h 127.0.0.1 -p {port} -c ssl=on {files}")
        });
        let port = self.port.unwrap_or(5432);
        let fsync = if self.fsync { "on" } else { "off" };
        // The last server's files may say it still runs.
        let script = format!(
            "cd {dir} && {{ {bin}/postgres -D {dir}/data -k {dir} {listen} -c fsync={fsync} -c max_connections=200 \
             >>{dir}/log 2>&1 & }} \
             && pid=$! && until {bin}/pg_isready -q -h {dir} -p {port}; do kill -0 $pid || exit 1; sleep 0.05; done; \
             echo ready; cat >/dev/null; kill -QUIT $pid; wait $pid{last}",
            dir = self.directory.display(),
            bin = self.binaries.display(),
        );
        let mut server =
            as_postgres(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("readable");
        assert_eq!(line, "ready\n", "Postgres does not start: {}", self.log());
        self.server = Some(server);
    }

    /// Stops it at once, as a crash would.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.stdin.take());
            server.wait().expect("ended");
        }
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@localhost/{database}?host={host}")
    }

    /// Its Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
    }

    /// The URL of one of its databases, over a wire to [`Self::socket`].
    #[must_use]
    pub fn url_over(&self, wire: &Proxy, database: &str) -> String {
        let host = wire.place().replace('/', "%2F");
        format!("postgres://postgres@localhost/{database}?host={host}")
    }

    /// A new database, as the template is: an empty one without.
    #[must_use]
    pub fn create(&self, template: Option<&str>) -> String {
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {}", template.unwrap_or("template1")));
        name
    }

    /// A database that is made once and then only copied: `make` is called with its URL the first time,
    /// whichever process comes first.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn template(&self, make: impl FnOnce(&str)) -> &'static str {
        let lock = std::fs::File::create(self.directory.join("template.lock")).expect("made");
        let _held = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).expect("held");
        if self.sql("postgres", "SELECT 1 FROM pg_database WHERE datname = 'lxcd_template'").is_empty() {
            self.sql("postgres", "CREATE DATABASE lxcd_template");
            make(&self.url("lxcd_template"));
        }
        "lxcd_template"
    }

    /// What SQL answers, as psql prints it without decoration.
    ///
    /// # Panics
    /// When it is refused.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.binaries.join("psql"))
            .args(["-h".as_ref(), self.directory.as_os_str()])
            .args(["-p", &self.port.unwrap_or(5432).to_string()])
            .args(["-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtXc", sql])
            .output()
            .expect("psql starts");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.stop();
            // Its owner may be another user, and then only root can.
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// A shell script as a user that Postgres runs as.
fn as_postgres(script: &str) -> Command {
    if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
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
    ["initdb", "postgres", "pg_isready", "psql"].iter().all(|name| dir.join(name).is_file())
}

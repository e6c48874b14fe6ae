//! The configuration as the rest of lxcd sees it, and what holds without a file. Owns the shape of
//! [`Config`] and its defaults; limits of single values are `sections`', places `environment`'s.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lxc_core::error::{Code, Error};
use secrecy::SecretString;

use super::environment::Environment;
use super::reader::{Reader, Section};
use super::roles::Roles;
use super::sections::{absolute, address, log, poll, remotes, retention, roles, socket_path, url};

/// Every full key, for suggestions across tables.
const KEYS: &[&str] = &[
    "state_dir",
    "socket",
    "socket_group",
    "database",
    "redis",
    "identity_domain",
    "metrics",
    "services",
    "log.level",
    "log.format",
    "roles.admin",
    "roles.operator",
    "roles.viewer",
    "retention.requests_days",
    "retention.operations_days",
    "retention.events_days",
    "retention.audit_days",
    "poll.active_seconds",
    "poll.idle_seconds",
];

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people and the journal.
    Text,
    /// One object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// `level`, default `info`.
    pub level: LogLevel,
    /// `format`, default `text`.
    pub format: LogFormat,
}

/// `[retention]`: how long finished things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// `requests_days`, default 90.
    pub requests: Duration,
    /// `operations_days`, default 90.
    pub operations: Duration,
    /// `events_days`, default 90.
    pub events: Duration,
    /// `audit_days`, default 400.
    pub audit: Duration,
}

/// `[poll]`: how often the inventory asks each node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// `active_seconds`, default 10: while somebody listed in the last five minutes.
    pub active: Duration,
    /// `idle_seconds`, default 60: otherwise.
    pub idle: Duration,
}

/// Everything lxcd is told before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from; None without one.
    pub file: Option<PathBuf>,
    /// `state_dir`: database, keys, lock.
    pub state_dir: PathBuf,
    /// `socket`: where lxcctl connects.
    pub socket: PathBuf,
    /// `socket_group`: may connect too (0660); None leaves it to the owner.
    pub socket_group: Option<String>,
    /// `database`: a Postgres URL, maybe with a password; None is SQLite in the state directory.
    pub database: Option<SecretString>,
    /// `redis`: a Redis URL, maybe with a password.
    pub redis: Option<SecretString>,
    /// `metrics`: address and port where Prometheus asks; None = nobody is answered.
    pub metrics: Option<SocketAddr>,
    /// `services`: whether containers are looked into in the background, default true.
    pub services: bool,
    /// `[log]`
    pub log: Log,
    /// `identity_domain`: whose users these are; None is the host name.
    pub identity_domain: Option<String>,
    /// `[roles]`
    pub roles: Roles,
    /// `[remotes.NAME.roles]`
    pub remote_roles: BTreeMap<String, Roles>,
    /// `[retention]`
    pub retention: Retention,
    /// `[poll]`
    pub poll: Poll,
}

pub(super) fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

impl Config {
    /// What holds without a file.
    #[must_use]
    pub fn defaults(environment: &Environment) -> Self {
        Self {
            file: None,
            state_dir: environment.state_dir.clone().unwrap_or_else(|| environment.default_state_dir()),
            socket: environment.socket.clone().unwrap_or_else(|| environment.default_socket()),
            socket_group: None,
            database: None,
            redis: None,
            log: Log { level: LogLevel::Info, format: LogFormat::Text },
            identity_domain: None,
            metrics: None,
            services: true,
            roles: Roles::default(),
            remote_roles: BTreeMap::new(),
            retention: Retention {
                requests: days(90),
                operations: days(90),
                events: days(90),
                audit: days(400),
            },
            poll: Poll { active: Duration::from_secs(10), idle: Duration::from_secs(60) },
        }
    }

    /// Reads the named file, or the first of the usual ones that exists, or none.
    ///
    /// # Errors
    /// LXC0212 when a named file is not there, or any is wrong: every problem with line and column.
    pub fn load(named: Option<&Path>, environment: &Environment) -> Result<Self, Error> {
        let candidates = match named {
            Some(path) => vec![path.to_owned()],
            None => environment.candidates(),
        };
        for path in candidates {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    let name = path.display().to_string();
                    let text = String::from_utf8(bytes)
                        .map_err(|_| Error::new(Code::BadConfig, format!("{name} is not UTF-8 text")))?;
                    let mut config = Self::parse(&name, &text, environment)?;
                    config.file = Some(path);
                    return Ok(config);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {}
                Err(error) => {
                    let message = format!("{} cannot be read", path.display());
                    return Err(Error::new(Code::BadConfig, message).because(error.to_string()));
                }
            }
        }
        Ok(Self::defaults(environment))
    }

    /// Reads the text of a file. `name` is how errors call it.
    ///
    /// # Errors
    /// LXC0212: every problem with line and column, the nearest key where one is unknown.
    pub fn parse(name: &str, text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut config = Self::defaults(environment);
        let mut reader = Reader::new(name, text, KEYS);
        let document = reader.document();
        config.fill(&mut reader, Section::new(&document, ""), environment);
        reader.finish()?;
        Ok(config)
    }

    fn fill<'t>(&mut self, reader: &mut Reader<'t>, root: Section<'_, 't>, environment: &Environment) {
        const TOP: &[&str] = &[
            "state_dir",
            "socket",
            "socket_group",
            "database",
            "redis",
            "identity_domain",
            "metrics",
            "services",
            "log",
            "roles",
            "remotes",
            "retention",
            "poll",
        ];
        reader.only(root, TOP);
        // Looked at even when the environment wins, so that a mistake is not found only later.
        let state_dir = reader.text(root, "state_dir").and_then(|found| absolute(reader, "state_dir", found));
        if let (Some(path), None) = (state_dir, &environment.state_dir) {
            self.state_dir = path;
        }
        let socket = reader.text(root, "socket").and_then(|found| socket_path(reader, found));
        if let (Some(path), None) = (socket, &environment.socket) {
            self.socket = path;
        }
        self.socket_group = reader.text(root, "socket_group").map(|found| found.value);
        self.identity_domain = reader.text(root, "identity_domain").map(|found| found.value);
        self.metrics = address(reader, root, "metrics");
        self.services = reader.flag(root, "services").unwrap_or(self.services);
        self.database = url(reader, root, "database", &["postgres", "postgresql"]);
        self.redis = url(reader, root, "redis", &["redis", "rediss", "redis+unix"]);
        if let Some(table) = reader.table(root, "log") {
            self.log = log(reader, Section::new(table, "log"), self.log);
        }
        if let Some(table) = reader.table(root, "roles") {
            self.roles = roles(reader, Section::new(table, "roles"));
        }
        if let Some(table) = reader.table(root, "remotes") {
            self.remote_roles = remotes(reader, Section::new(table, "remotes"));
        }
        if let Some(table) = reader.table(root, "retention") {
            self.retention = retention(reader, Section::new(table, "retention"), self.retention);
        }
        if let Some(table) = reader.table(root, "poll") {
            self.poll = poll(reader, Section::new(table, "poll"), self.poll);
        }
    }
}

//! The parts of the configuration, each read from its table: which keys it has, what they may be.
//! Owns ranges and spellings; defaults come in from `schema`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::reader::{Found, Reader, Section};
use super::roles::{Roles, Who};
use super::schema::{Log, LogFormat, LogLevel, Poll, Retention, days};

/// The longest path a Unix socket can have (`sun_path` without its NUL).
const LONGEST_SOCKET: usize = 107;

pub(super) fn absolute(reader: &mut Reader<'_>, name: &str, found: Found<String>) -> Option<PathBuf> {
    let path = PathBuf::from(found.value);
    if path.is_absolute() {
        return Some(path);
    }
    reader.note(found.at, format!("{name} must be an absolute path"));
    None
}

pub(super) fn socket_path(reader: &mut Reader<'_>, found: Found<String>) -> Option<PathBuf> {
    let at = found.at;
    let path = absolute(reader, "socket", found)?;
    let length = path.as_os_str().as_bytes().len();
    if length <= LONGEST_SOCKET {
        return Some(path);
    }
    reader.note(at, format!("socket has {length} bytes, and a socket path at most {LONGEST_SOCKET}"));
    None
}

/// `127.0.0.1:9750`, `[::1]:9750`.
pub(super) fn address<'t>(reader: &mut Reader<'t>, root: Section<'_, 't>, key: &str) -> Option<SocketAddr> {
    let found = reader.text(root, key)?;
    match found.value.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            reader.note(found.at, format!("{key} must be an address with a port, such as 127.0.0.1:9750"));
            None
        }
    }
}

/// A URL that may hold a password: never repeated in an error.
pub(super) fn url<'t>(
    reader: &mut Reader<'t>,
    root: Section<'_, 't>,
    key: &str,
    schemes: &[&str],
) -> Option<SecretString> {
    let found = reader.text(root, key)?;
    let scheme = found.value.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| schemes.contains(&scheme)) {
        return Some(SecretString::from(found.value));
    }
    reader.note(found.at, format!("{key} must be a URL that begins with {}://", schemes.join(":// or ")));
    None
}

pub(super) fn log<'t>(reader: &mut Reader<'t>, section: Section<'_, 't>, defaults: Log) -> Log {
    reader.only(section, &["level", "format"]);
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    Log {
        level: reader.choice(section, "level", &levels).unwrap_or(defaults.level),
        format: reader.choice(section, "format", &formats).unwrap_or(defaults.format),
    }
}

pub(super) fn roles<'t>(reader: &mut Reader<'t>, section: Section<'_, 't>) -> Roles {
    reader.only(section, &["admin", "operator", "viewer"]);
    let mut list = |key: &str| {
        let names = reader.texts(section, key)?;
        let mut all = Vec::new();
        for found in names {
            match Who::parse(&found.value) {
                Some(who) => all.push(who),
                None => reader.note(found.at, format!("{key}: a user is written ops, a group @wheel")),
            }
        }
        Some(all)
    };
    Roles { admin: list("admin"), operator: list("operator"), viewer: list("viewer") }
}

pub(super) fn remotes<'t>(reader: &mut Reader<'t>, section: Section<'_, 't>) -> BTreeMap<String, Roles> {
    let mut all = BTreeMap::new();
    for (name, _) in section.names() {
        let Some(table) = reader.table(section, name) else {
            continue;
        };
        let path = format!("remotes.{name}");
        let remote = Section::new(table, &path);
        reader.only(remote, &["roles"]);
        if let Some(table) = reader.table(remote, "roles") {
            let path = format!("{path}.roles");
            all.insert(name.to_owned(), roles(reader, Section::new(table, &path)));
        }
    }
    all
}

pub(super) fn retention<'t>(
    reader: &mut Reader<'t>,
    section: Section<'_, 't>,
    defaults: Retention,
) -> Retention {
    reader.only(section, &["requests_days", "operations_days", "events_days", "audit_days"]);
    let mut kept = |key, default| reader.number(section, key, 1..=36_500).map_or(default, days);
    Retention {
        requests: kept("requests_days", defaults.requests),
        operations: kept("operations_days", defaults.operations),
        events: kept("events_days", defaults.events),
        audit: kept("audit_days", defaults.audit),
    }
}

pub(super) fn poll<'t>(reader: &mut Reader<'t>, section: Section<'_, 't>, defaults: Poll) -> Poll {
    reader.only(section, &["active_seconds", "idle_seconds"]);
    let mut every = |key, range, default| {
        reader.number(section, key, range).map_or(default, |n| Duration::from_secs(u64::from(n)))
    };
    Poll {
        active: every("active_seconds", 2..=600, defaults.active),
        idle: every("idle_seconds", 10..=3600, defaults.idle),
    }
}

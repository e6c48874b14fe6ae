//! The daemon, and who is calling it.

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::Actor;
use crate::ui::time::Instant;

/// How the daemon is.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct DaemonStatus {
    pub kind: &'static str,
    pub version: String,
    pub pid: u32,
    pub started_at: Instant,
    pub socket: String,
    pub store: String,
    pub state_dir: String,
    pub status: String,
    pub problems: Vec<String>,
    pub operations_running: u32,
    pub operations_queued: u32,
    pub watchers: u32,
    pub resident_bytes: u64,
    pub daemon_id: String,
    pub polls: Vec<Poll>,
}

/// How the polling of one remote goes.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Poll {
    pub remote: String,
    pub last_at: Option<Instant>,
    pub status: String,
    pub requests: u64,
}

impl From<pb::StatusReply> for DaemonStatus {
    fn from(s: pb::StatusReply) -> Self {
        let poll = |p: pb::RemotePoll| Poll {
            remote: p.remote,
            last_at: p.last_us.map(Instant),
            status: p.status,
            requests: p.requests,
        };
        Self {
            kind: "DaemonStatus",
            version: s.version,
            pid: s.pid,
            started_at: Instant(s.started_us),
            socket: s.socket,
            store: s.store,
            state_dir: s.state_dir,
            status: s.status,
            problems: s.problems,
            operations_running: s.operations_running,
            operations_queued: s.operations_queued,
            watchers: s.watchers,
            resident_bytes: s.resident_bytes,
            daemon_id: s.daemon_id,
            polls: s.polls.into_iter().map(poll).collect(),
        }
    }
}

/// One lxcd among those of a database.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Daemon {
    pub kind: &'static str,
    pub id: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Instant,
    pub heartbeat_age_seconds: f64,
    pub lease_left_seconds: f64,
    pub status: String,
    pub operations: u32,
    pub polls: Vec<String>,
    /// The one that answers.
    #[serde(rename = "self")]
    pub own: bool,
}

impl From<pb::DaemonEntry> for Daemon {
    fn from(d: pb::DaemonEntry) -> Self {
        // The clock of the database and that of a host differ by less than a second, not by less than nothing.
        let seconds = |micros: i64| micros.max(0) as f64 / 1e6;
        Self {
            kind: "Daemon",
            id: d.id,
            host: d.host,
            pid: d.pid,
            version: d.version,
            started_at: Instant(d.started_us),
            heartbeat_age_seconds: seconds(d.heartbeat_age_us),
            lease_left_seconds: seconds(d.lease_left_us),
            status: d.status,
            operations: d.operations,
            polls: d.polls,
            own: d.self_,
        }
    }
}

/// Who the daemon takes us for.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct WhoAmI {
    pub kind: &'static str,
    pub actor: Option<Actor>,
    pub role: Option<String>,
    pub because: Option<String>,
    pub remotes: Vec<RemoteRole>,
}

/// A role on one remote.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct RemoteRole {
    pub remote: String,
    pub role: Option<String>,
    pub because: Option<String>,
}

impl From<pb::WhoAmIReply> for WhoAmI {
    fn from(w: pb::WhoAmIReply) -> Self {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let role =
            |r: pb::RemoteRole| RemoteRole { remote: r.remote, role: text(r.role), because: text(r.because) };
        Self {
            kind: "WhoAmI",
            actor: w.actor.map(Actor::from),
            role: text(w.role),
            because: text(w.because),
            remotes: w.remotes.into_iter().map(role).collect(),
        }
    }
}

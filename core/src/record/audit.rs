//! Who asked for what, when, from where, and how it ended; outlives the containers it speaks of.

use crate::actor::Actor;
use crate::ids::Micros;

/// One audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Row number; 0 before it is stored.
    pub id: i64,
    /// When it was asked for.
    pub time: Micros,
    /// By whom.
    pub actor: Actor,
    /// The verb.
    pub verb: String,
    /// remote/vmid, or the remote's name.
    pub target: String,
    /// Its operation, when it is one.
    pub operation_id: Option<String>,
    /// Its batch.
    pub request_id: Option<String>,
    /// How it ended; None while it runs.
    pub result: Option<String>,
    /// Error code.
    pub code: Option<String>,
    /// When it ended.
    pub ended: Option<Micros>,
    /// In words.
    pub detail: String,
}

/// Which records a reader wants; empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// remote/vmid, or a remote's name.
    pub target: String,
    /// Who, by name.
    pub actor: String,
    /// The verb.
    pub verb: String,
    /// At or after.
    pub since: Option<Micros>,
    /// Only what did not succeed.
    pub failed: bool,
    /// Only on these remotes, as they were called then; None = on all.
    pub remotes: Option<Vec<String>>,
    /// At most so many, the newest.
    pub limit: i64,
}

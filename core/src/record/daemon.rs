//! Runs of lxcd.

use crate::ids::{DaemonId, Micros};

/// One run of one lxcd process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonRecord {
    /// Its id, new for each run.
    pub id: DaemonId,
    /// Host it runs on.
    pub host: String,
    /// Process there.
    pub pid: u32,
    /// Identity of its state directory; a restart there claims its own at once.
    pub state_id: String,
    /// Version.
    pub version: String,
    /// When it began.
    pub started: Micros,
}

//! Which operations are asked for.

use crate::ids::{Installation, Micros, Vmid};

/// Which operations a listing wants; empty fields do not narrow.
#[derive(Debug, Clone, Default)]
pub struct OperationFilter {
    /// State names.
    pub states: Vec<String>,
    /// The verb.
    pub verb: String,
    /// Name of who asked.
    pub actor: String,
    /// Created at or after.
    pub since: Option<Micros>,
    /// Only on these remotes, as they were called then; None = on all.
    pub remotes: Option<Vec<String>>,
    /// Only on this installation, whatever it was called then.
    pub installation: Option<Installation>,
    /// Only on these containers; None = on all.
    pub containers: Option<Vec<(Installation, Vmid)>>,
    /// At most so many, the newest.
    pub limit: i64,
}

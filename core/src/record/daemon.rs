//! Runs of lxcd, and how they stand among the others.

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

/// A run as the database knows it, by the database's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonSeen {
    /// Which run.
    pub record: DaemonRecord,
    /// Since its last heartbeat.
    pub heartbeat_age: Micros,
    /// Until its lease ends; 0 or less = it has ended.
    pub lease_left: Micros,
    /// It was asked to hand over, or does so by itself.
    pub draining: bool,
    /// Operations it drives.
    pub operations: u32,
    /// Names of the remotes it polls.
    pub polls: Vec<String>,
}

impl DaemonSeen {
    /// ok, draining or gone.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (self.lease_left > 0, self.draining) {
            (false, _) => "gone",
            (true, true) => "draining",
            (true, false) => "ok",
        }
    }
}

/// What a run is to the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many runs are alive and not handing over, this one included.
    pub alive: usize,
    /// This one was asked to hand over.
    pub drain: bool,
    /// Number of the newest change of the schema.
    pub schema: i64,
    /// Number of the newest one this lxcd knows.
    pub known_schema: i64,
}

impl Standing {
    /// Why this run hands over what it does; None = it goes on.
    #[must_use]
    pub fn handover(&self) -> Option<String> {
        let Self { schema, known_schema, .. } = self;
        if schema > known_schema {
            return Some(format!(
                "the database has schema {schema}, this lxcd knows up to {known_schema}: upgrade it and start it again"
            ));
        }
        self.drain.then(|| "it was asked to hand over; start it again to have it take part".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_over_when_asked_and_when_too_old() {
        let standing = Standing { alive: 2, drain: false, schema: 2, known_schema: 2 };
        assert_eq!(standing.handover(), None);
        assert!(
            Standing { known_schema: 3, ..standing }.handover().is_none(),
            "expanded first, contracted later"
        );
        assert!(Standing { schema: 3, ..standing }.handover().unwrap().contains("schema 3"));
        assert!(Standing { drain: true, ..standing }.handover().is_some());
    }
}

//! The few fragments in which SQLite and Postgres differ. Must stay few.

/// Which database this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded, one process.
    Sqlite,
    /// Shared by several daemons.
    Postgres,
}

impl Dialect {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// How a writing transaction begins. SQLite takes its one write lock at once, so that a transaction
    /// that has read never finds it taken when it comes to write.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// First in a reading transaction whose queries all have to see the same moment. SQLite's always do.
    pub(super) fn one_snapshot(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        }
    }

    /// How many bytes the column `text` has.
    pub(super) fn bytes_of_text(self) -> &'static str {
        match self {
            Self::Sqlite => "LENGTH(CAST(text AS BLOB))",
            Self::Postgres => "OCTET_LENGTH(text)::BIGINT",
        }
    }

    /// Behind a SELECT of rows that several daemons may want at once. SQLite has one writer anyway.
    pub(super) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Taken at the beginning of an admission, held to the end of its transaction: locks and slots are
    /// counted by one daemon at a time. SQLite has one writer anyway.
    pub(super) fn admission_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            // The number is arbitrary; it only has to be nobody else's in this database.
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7814230601)"),
        }
    }

    /// Microseconds by the clock that leases are compared on: the database's own where daemons on several
    /// machines share it, else ours, which is bound as `ours`.
    pub(super) fn now(self, ours: &'static str) -> &'static str {
        match self {
            Self::Sqlite => ours,
            Self::Postgres => "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT",
        }
    }

    /// A condition on events: only those with no other, still uncommitted one before them. A Postgres
    /// cursor begins with the number of its transaction (see the migration); SQLite numbers in commit order.
    pub(super) fn event_horizon(self) -> &'static str {
        match self {
            Self::Sqlite => "1 = 1",
            Self::Postgres => "cursor < (pg_snapshot_xmin(pg_current_snapshot())::TEXT::BIGINT << 20)",
        }
    }
}

//! Instants on their way out: RFC 3339 UTC in JSON, the local clock in text. Owns both spellings and
//! the only look at the wall clock; must not count durations (that is `lxc_core::text`).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use lxc_core::ids::Micros;
use lxc_core::text;
use serde::{Serialize, Serializer};

/// An instant in microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Micros);

impl Instant {
    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or_default()
    }
}

impl Serialize for Instant {
    /// Whole seconds: `jq`'s `fromdate` reads no fractions.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// Now, and the zone people here live in.
#[derive(Debug, Clone)]
pub struct Now {
    /// Microseconds since the epoch.
    pub micros: Micros,
    zone: TimeZone,
}

impl Now {
    /// Reads the clock and the system's zone.
    #[must_use]
    pub fn read() -> Self {
        Self { micros: now(), zone: TimeZone::system() }
    }

    /// A fixed one, in UTC, for tests.
    #[must_use]
    pub fn fixed(micros: Micros) -> Self {
        Self { micros, zone: TimeZone::UTC }
    }

    /// On the local clock.
    #[must_use]
    pub fn local(&self, at: Instant) -> Zoned {
        at.timestamp().to_zoned(self.zone.clone())
    }

    /// `14:01`, `Thu 09:12`, `2026-11-01 09:12`
    #[must_use]
    pub fn clock(&self, at: Instant) -> String {
        text::clock(&self.local(at), &self.local(Instant(self.micros)))
    }

    /// `2026-11-21 14:02:11`
    #[must_use]
    pub fn full(&self, at: Instant) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `3m ago`
    #[must_use]
    pub fn ago(&self, at: Instant) -> String {
        format!("{} ago", text::age(text::seconds_between(at.0, self.micros)))
    }
}

/// Microseconds since the epoch.
#[must_use]
pub fn now() -> Micros {
    Timestamp::now().as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_times_are_utc_and_whole() {
        let at = Instant(1_795_269_667_123_456);
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-21T14:01:07Z\"");
    }
}

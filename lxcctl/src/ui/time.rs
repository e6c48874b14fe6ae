//! Instants on their way out: RFC 3339 UTC in JSON, the local clock in text. Owns both spellings and
//! the only look at the wall clock; must not count durations (that is `lxc_core::text`).

use std::borrow::Cow;

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

    /// `2026-11-21T14:01:07Z`
    fn utc(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

impl Serialize for Instant {
    /// Whole seconds: `jq`'s `fromdate` reads no fractions.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.utc())
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

/// How `lxc_core::error::moment` spells an instant inside a message.
const MOMENT: &str = "{clock:";

/// The text with the instants in it written for its reader: RFC 3339 UTC for programs, else the local
/// clock, with seconds while they still say something.
#[must_use]
pub fn fill(text: &str, for_programs: bool) -> Cow<'_, str> {
    if text.contains(MOMENT) {
        Cow::Owned(fill_at(text, for_programs, &Now::read()))
    } else {
        Cow::Borrowed(text)
    }
}

fn fill_at(text: &str, for_programs: bool, now: &Now) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MOMENT) {
        filled.push_str(before);
        let instant =
            after.split_once('}').and_then(|(digits, left)| Some((Instant(digits.parse().ok()?), left)));
        let Some((at, left)) = instant else {
            filled.push_str(MOMENT);
            rest = after;
            continue;
        };
        if for_programs {
            filled.push_str(&at.utc());
        } else if text::seconds_between(at.0, now.micros) < 60 {
            filled.push_str(&now.local(at).strftime("%H:%M:%S").to_string());
        } else {
            filled.push_str(&now.clock(at));
        }
        rest = left;
    }
    filled.push_str(rest);
    filled
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
    fn instants_in_messages_are_written_for_their_reader() {
        let at = 1_795_269_731_000_000;
        let said = format!("since {}, 9s ago", lxc_core::error::moment(at));
        assert_eq!(fill_at(&said, true, &Now::fixed(at)), "since 2026-11-21T14:02:11Z, 9s ago");
        assert_eq!(fill_at(&said, false, &Now::fixed(at + 9_000_000)), "since 14:02:11, 9s ago");
        assert_eq!(fill_at(&said, false, &Now::fixed(at + 90_000_000)), "since 14:02, 9s ago");
        assert_eq!(fill_at("{clock:x} {clock:", false, &Now::fixed(at)), "{clock:x} {clock:");
    }

    #[test]
    fn json_times_are_utc_and_whole() {
        let at = Instant(1_795_269_667_123_456);
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-21T14:01:07Z\"");
    }
}

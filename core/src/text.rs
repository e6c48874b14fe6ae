//! Figures the way people read them: `2.2s 1m 22s 6d 4h`, `96Mi 1.1Gi`, `12%`, `12s`, `14:01`. Owns
//! their spelling in both directions; must not look at a clock or know a time zone by itself.

use std::time::Duration;

use jiff::Zoned;

use crate::ids::Micros;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long something took: `0.1s`, `59.9s`, `1m 22s`, `2h 5m`, `6d 4h`. Negative counts as nothing.
#[must_use]
pub fn elapsed(micros: Micros) -> String {
    let tenths = u64::try_from(micros).unwrap_or(0).saturating_add(50_000) / 100_000;
    if tenths < MINUTE * 10 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    span((tenths + 5) / 10)
}

/// A stretch of time in its two largest units, an empty second one left out: `45s`, `3m`, `6d 4h`, `41d`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (big, unit, rest, small) = match seconds {
        0..MINUTE => return format!("{seconds}s"),
        MINUTE..HOUR => (seconds / MINUTE, "m", seconds % MINUTE, "s"),
        HOUR..DAY => (seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        // From ten days on nobody counts the hours.
        _ => (seconds / DAY, "d", if seconds < 10 * DAY { seconds % DAY / HOUR } else { 0 }, "h"),
    };
    if rest == 0 { format!("{big}{unit}") } else { format!("{big}{unit} {rest}{small}") }
}

/// How long a container runs; the seconds are noise from the first minute on: `45s`, `3m`, `6d 4h`.
#[must_use]
pub fn uptime(seconds: u64) -> String {
    span(if (MINUTE..HOUR).contains(&seconds) { seconds / MINUTE * MINUTE } else { seconds })
}

/// How long ago, in one unit: `12s`, `3m`, `2h`, `12d`; the word `ago` is the caller's.
#[must_use]
pub fn age(seconds: u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        _ => format!("{}d", seconds / DAY),
    }
}

/// Seconds between two instants, zero when they are the wrong way round (clocks jump).
#[must_use]
pub fn seconds_between(from: Micros, to: Micros) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or(0) / 1_000_000
}

/// A size: `0B`, `512B`, `96Mi`, `1.1Gi`, `16Gi`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    if count < 1024 {
        return format!("{count}B");
    }
    let mut tenths = u128::from(count) * 10;
    let mut unit = "";
    for name in UNITS {
        tenths = (tenths + 512) / 1024;
        unit = name;
        // 1023.96Mi would round up to 1024Mi, which is 1.0Gi.
        if tenths < 10_235 {
            break;
        }
    }
    if tenths < 100 {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}{unit}", (tenths + 5) / 10)
    }
}

/// A share of one: `12%`.
#[must_use]
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0}%", share * 100.0) } else { "-".to_owned() }
}

/// A clock time as short as it can be without doubt: `14:01` today, `Thu 09:12` within six days, else with
/// its date. `then` decides the time zone.
#[must_use]
pub fn clock(then: &Zoned, now: &Zoned) -> String {
    let now = now.with_time_zone(then.time_zone().clone());
    let same_day = then.date() == now.date();
    let days = now.date().since(then.date()).map_or(i32::MAX, |span| span.get_days());
    if same_day {
        then.strftime("%H:%M").to_string()
    } else if (1..=6).contains(&days) {
        then.strftime("%a %H:%M").to_string()
    } else {
        then.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// A text of at most so many bytes, cut where a character ends.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The last eight digits of an operation's id: how people see it.
#[must_use]
pub fn short_id(id: &str) -> &str {
    id.len().checked_sub(8).and_then(|at| id.get(at..)).unwrap_or(id)
}

/// `1 container`, `5 containers`
#[must_use]
pub fn counted(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What was typed is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no duration: 90, 90s, 5m, 2h, 1d or 1h30m")]
pub struct BadDuration(String);

/// Reads `60s`, `5m`, `2h`, `1d`, `500ms`, `1h30m`; bare numbers are seconds.
///
/// # Errors
/// Anything else, and what is longer than the clock can count.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    if let Ok(seconds) = rest.parse::<u64>() {
        return limited(u128::from(seconds) * 1000).ok_or_else(bad);
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 1000 * MINUTE,
            "h" => 1000 * HOUR,
            "d" => 1000 * DAY,
            _ => return Err(bad()),
        };
        rest = &rest[letters..];
        total = total.saturating_add(u128::from(number) * u128::from(millis));
    }
    limited(total).ok_or_else(bad)
}

/// Durations travel as microseconds in an `i64`; a thousand years are enough for anybody.
fn limited(millis: u128) -> Option<Duration> {
    let most = u128::from(365_000 * DAY) * 1000;
    (millis <= most).then(|| u64::try_from(millis).ok()).flatten().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_is_no_plural() {
        let nodes = |number| counted(number, "node");
        assert_eq!([nodes(0), nodes(1), nodes(2)], ["0 nodes", "1 node", "2 nodes"]);
    }

    #[test]
    fn elapsed_times() {
        let cases = [
            (0, "0.0s"),
            (-5, "0.0s"),
            (2_240_000, "2.2s"),
            (59_940_000, "59.9s"),
            (59_960_000, "1m"),
            (82_000_000, "1m 22s"),
            (7_500_000_000, "2h 5m"),
            (533_000_000_000, "6d 4h"),
        ];
        for (micros, text) in cases {
            assert_eq!(elapsed(micros), text, "{micros}");
        }
    }

    #[test]
    fn spans_and_ages() {
        assert_eq!(span(3 * MINUTE), "3m");
        assert_eq!(span(6 * DAY + 4 * HOUR + 59), "6d 4h");
        assert_eq!(span(41 * DAY + 7 * HOUR), "41d");
        assert_eq!(uptime(3 * MINUTE + 12), "3m");
        assert_eq!(uptime(2 * HOUR), "2h");
        assert_eq!(age(12), "12s");
        assert_eq!(age(2 * HOUR + 59 * MINUTE), "2h");
        assert_eq!(age(12 * DAY), "12d");
    }

    #[test]
    fn sizes() {
        let (mi, gi) = (1u64 << 20, 1u64 << 30);
        let cases = [
            (0, "0B"),
            (1023, "1023B"),
            (96 * mi, "96Mi"),
            (1024 * mi, "1.0Gi"),
            (1023 * mi, "1023Mi"),
            (gi + gi / 10, "1.1Gi"),
            (8 * gi, "8.0Gi"),
            (16 * gi, "16Gi"),
            (412 * mi, "412Mi"),
            (gi - 1, "1.0Gi"),
            (u64::MAX, "16Ei"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count), text, "{count}");
        }
        assert_eq!(percent(0.124), "12%");
        assert_eq!(percent(f64::NAN), "-");
    }

    #[test]
    fn clock_times_are_as_short_as_they_can_be() {
        let at = |text: &str| text.parse::<Zoned>().unwrap();
        let now = at("2026-11-21T14:05:00[UTC]");
        assert_eq!(clock(&at("2026-11-21T14:01:07[UTC]"), &now), "14:01");
        assert_eq!(clock(&at("2026-11-19T09:12:00[UTC]"), &now), "Thu 09:12");
        assert_eq!(clock(&at("2026-11-01T09:12:00[UTC]"), &now), "2026-11-01 09:12");
        assert_eq!(clock(&at("2026-11-22T09:12:00[UTC]"), &now), "2026-11-22 09:12");
    }

    #[test]
    fn durations_are_read() {
        let seconds = |text: &str| parse_duration(text).map(|d| d.as_secs_f64());
        for (text, want) in [("0", 0.0), ("90", 90.0), ("60s", 60.0), ("5m", 300.0), ("2h", 7200.0)] {
            assert_eq!(seconds(text), Ok(want), "{text}");
        }
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("500ms"), Ok(0.5));
        for text in ["", "s", "5x", "-1", "1.5h", "5m3", "99999999999999999999", "9999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn figures_are_short(count: u64, micros: i64) {
            prop_assert!(bytes(count).len() <= 6);
            prop_assert!(!elapsed(micros).is_empty());
        }

        #[test]
        fn whatever_is_typed_is_a_duration_or_an_error(text in "[0-9smhd .]{0,12}") {
            let _ = parse_duration(&text);
        }
    }
}

//! Values of flags: times and numbers, and in which words what is none of them is refused. Must not know the flags.

use std::time::Duration;

use lxc_core::text::parse_duration;

/// Reads `60s`, `5m`, `2h`; bare numbers are seconds.
///
/// # Errors
/// What a time is, for anything else.
pub fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .map_err(|_| "a time is 90 (seconds), 90s, 5m, 2h, 1d or 1h30m, and never negative".to_owned())
}

/// A number of things to show, of which there may be none.
///
/// # Errors
/// What is accepted, for anything else.
pub fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("a whole number from 0 to {}", u32::MAX))
}

/// A number of things of which there is one at least.
///
/// # Errors
/// What is accepted, for anything else.
pub fn some(text: &str) -> Result<u32, String> {
    let accepted = || format!("a whole number from 1 to {}", u32::MAX);
    text.parse().ok().filter(|&number| number > 0).ok_or_else(accepted)
}

/// The cursor of an event.
///
/// # Errors
/// Where cursors come from, for anything else.
pub fn cursor(text: &str) -> Result<i64, String> {
    let accepted = "a cursor is a whole number: CURSOR in `lxcctl events -o wide`, cursor in JSON";
    text.parse().ok().filter(|&number| number >= 0).ok_or_else(|| accepted.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_value_says_what_would_be_one() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert!(duration("-5").unwrap_err().starts_with("a time is 90 (seconds), "));
        assert_eq!((count("0"), some("1"), cursor("48211")), (Ok(0), Ok(1), Ok(48211)));
        assert_eq!(some("0"), Err("a whole number from 1 to 4294967295".to_owned()));
        assert_eq!(count("-3"), Err("a whole number from 0 to 4294967295".to_owned()));
        assert!(cursor("-1").is_err() && cursor("x").is_err());
    }
}

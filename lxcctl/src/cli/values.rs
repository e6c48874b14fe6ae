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

/// Whether something is to be.
///
/// # Errors
/// What is accepted, for anything else.
pub fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

/// The cursor of an event.
///
/// # Errors
/// Where cursors come from, for anything else.
pub fn cursor(text: &str) -> Result<i64, String> {
    let accepted = "a cursor is a whole number: CURSOR in `lxcctl events -o wide`, cursor in JSON";
    text.parse().ok().filter(|&number| number >= 0).ok_or_else(|| accepted.to_owned())
}

/// Who installs packages, by name.
///
/// # Errors
/// What is accepted, for anything else.
pub fn manager(text: &str) -> Result<String, String> {
    use lxc_core::template::Manager;
    let known: Vec<&str> = Manager::ALL.iter().map(|manager| manager.as_str()).collect();
    match known.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("a manager is one of {}", known.join(" "))),
    }
}

/// An amount of memory in MiB: `2G`, `512M`, a bare number.
///
/// # Errors
/// What is accepted, for anything else.
pub fn mebibytes(text: &str) -> Result<u64, String> {
    size(text, 'M').ok_or_else(|| "a size is 512 (MiB), 512M, 2G or 1T".to_owned())
}

/// An amount of disk in GiB: `8G`, `1T`, a bare number.
///
/// # Errors
/// What is accepted, for anything else.
pub fn gibibytes(text: &str) -> Result<u64, String> {
    size(text, 'G').ok_or_else(|| "a size is 8 (GiB), 8G or 1T".to_owned())
}

/// A whole number of `unit`, which is `M` or `G`.
fn size(text: &str, unit: char) -> Option<u64> {
    const UNITS: [char; 3] = ['M', 'G', 'T'];
    let bare = text.trim_end_matches('B').trim_end_matches('i');
    let last = bare.chars().last()?.to_ascii_uppercase();
    let (digits, given) =
        if last.is_ascii_digit() { (bare, unit) } else { (bare.strip_suffix(|_| true)?, last) };
    let place = |unit: char| UNITS.iter().position(|one| *one == unit);
    let steps = place(given)?.checked_sub(place(unit)?)?;
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(1024_u64.checked_pow(u32::try_from(steps).ok()?)?)
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

    #[test]
    fn sizes_have_the_unit_of_their_flag() {
        assert_eq!((mebibytes("512"), mebibytes("2G"), mebibytes("2GiB")), (Ok(512), Ok(2048), Ok(2048)));
        assert_eq!((gibibytes("8"), gibibytes("8G"), gibibytes("1T")), (Ok(8), Ok(8), Ok(1024)));
        for bad in ["", "G", "2.5G", "-1", "2X", "99999999999999999T", "é"] {
            assert!(mebibytes(bad).is_err(), "{bad}");
        }
        assert!(gibibytes("512M").is_err(), "less than one");
    }
}

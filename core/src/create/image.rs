//! Which OS image a wish such as `debian-12` means on a node. Pure: the volumes of the node in, one of them out.

use std::cmp::Ordering;

/// The volume that is meant: given in full (`local:vztmpl/…`), by its file name, or by the begin of one; then the
/// newest that matches. Appliances (`…-turnkey-…`) are only meant by who says so.
#[must_use]
pub fn resolve<'a>(wanted: &str, volumes: &'a [String]) -> Option<&'a str> {
    if let Some(exact) = volumes.iter().find(|volume| *volume == wanted || file(volume) == wanted) {
        return Some(exact);
    }
    let mut fitting: Vec<&String> = volumes.iter().filter(|volume| matches(wanted, file(volume))).collect();
    fitting.sort_by(|a, b| compare(file(a), file(b)));
    fitting.last().map(|volume| volume.as_str())
}

/// Whether an image of that file name is one of `wanted`.
#[must_use]
pub fn matches(wanted: &str, file: &str) -> bool {
    const APPLIANCE: &str = "turnkey";
    let Some(rest) = file.strip_prefix(wanted) else { return false };
    let ends_there = rest.starts_with(['-', '_', '.']);
    ends_there && !wanted.is_empty() && (wanted.contains(APPLIANCE) || !file.contains(APPLIANCE))
}

/// `debian-12-standard_12.11-1_amd64.tar.zst` of `local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst`.
#[must_use]
pub fn file(volume: &str) -> &str {
    volume.rsplit('/').next().unwrap_or(volume)
}

/// By name, with numbers in it compared as numbers: 12.9 comes before 12.11.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (number(&mut a), number(&mut b));
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Takes the digits in front, without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_matches() {
        let volumes: Vec<String> = [
            "local:vztmpl/debian-12-standard_12.9-1_amd64.tar.zst",
            "local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst",
            "local:vztmpl/debian-12-turnkey-wordpress_18.0-1_amd64.tar.gz",
            "nas:vztmpl/debian-13-standard_13.0-1_amd64.tar.zst",
            "local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
        ]
        .map(String::from)
        .into();
        let of = |wanted: &str| resolve(wanted, &volumes).map(file);
        assert_eq!(of("debian-12"), Some("debian-12-standard_12.11-1_amd64.tar.zst"));
        assert_eq!(of("debian"), Some("debian-13-standard_13.0-1_amd64.tar.zst"));
        assert_eq!(of("debian-12-turnkey"), Some("debian-12-turnkey-wordpress_18.0-1_amd64.tar.gz"));
        assert_eq!(of("ubuntu-24"), Some("ubuntu-24.04-standard_24.04-2_amd64.tar.zst"));
        assert_eq!(of("debian-1"), None, "is not debian-12");
        assert_eq!(of(""), None);
        let exact = "local:vztmpl/debian-12-standard_12.9-1_amd64.tar.zst";
        assert_eq!((resolve(exact, &volumes), of(file(exact))), (Some(exact), Some(file(exact))));
    }
}

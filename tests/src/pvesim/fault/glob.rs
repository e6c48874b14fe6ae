//! Globs with `*` for any run of characters.

/// Does `text` match?
pub(super) fn matches(glob: &str, text: &str) -> bool {
    match glob.split_once('*') {
        None => glob == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len()).any(|i| text.is_char_boundary(i) && matches(rest, &text[i..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_match_any_run() {
        assert!(matches("*/status/start", "/nodes/pve/lxc/104/status/start"));
        assert!(matches("*", ""));
        assert!(matches("/nodes/*/lxc/*", "/nodes/a/lxc/1"));
        assert!(!matches("*/status/start", "/nodes/pve/lxc/104/status/stop"));
    }
}

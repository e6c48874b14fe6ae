//! What a terminal and its environment tell: its size, its characters. Owns reading both; must not write.

use std::os::fd::AsFd;

/// Columns and rows of a terminal; whoever sets COLUMNS or LINES knows better than it.
pub(super) fn size(terminal: &impl AsFd) -> (usize, usize) {
    let asked = |name| set(name).and_then(|text| text.parse().ok()).filter(|&number: &usize| number > 0);
    let told = terminal_size::terminal_size_of(terminal);
    let (columns, rows) = told.map_or((0, 0), |(w, h)| (usize::from(w.0), usize::from(h.0)));
    let known = |number: usize, usual| if number == 0 { usual } else { number };
    (asked("COLUMNS").unwrap_or(known(columns, 80)), asked("LINES").unwrap_or(known(rows, 24)))
}

/// A variable of the environment; an empty one is none.
pub(super) fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// LC_ALL, else LC_CTYPE, else LANG; none of them means the C locale.
pub(super) fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides_the_locale() {
        let with = |pairs: &'static [(&str, &str)]| {
            locale_is_utf8(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
        };
        assert!(with(&[("LANG", "de_DE.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!with(&[]));
    }
}

//! The command line as it would be typed again: with a flag more, a flag changed, a word replaced. Owns
//! quoting; must not know what the flags mean.

use lxc_core::selector::quote;

/// Stands in a daemon's advice for the command line that was typed.
const TYPED: &str = "{line}";

/// The command line; `argv` without the program's name.
#[must_use]
pub fn typed(argv: &[String]) -> String {
    std::iter::once("lxcctl".to_owned())
        .chain(argv.iter().map(|arg| quote(arg)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The command line with a flag (and its value), which takes the place of the same flag where it was given.
#[must_use]
pub fn with(argv: &[String], flag: &str, value: Option<&str>) -> String {
    let mut words: Vec<String> = Vec::with_capacity(argv.len() + 2);
    let joined = format!("{flag}=");
    let mut own = argv.iter();
    let mut behind = Vec::new();
    while let Some(arg) = own.next() {
        match arg.as_str() {
            // What stands behind it is no flag any more.
            "--" => {
                behind = std::iter::once(arg).chain(own).cloned().collect();
                break;
            }
            same if same == flag => {
                if value.is_some() {
                    own.next();
                }
            }
            same if same.starts_with(&joined) => {}
            _ => words.push(arg.clone()),
        }
    }
    match value {
        Some(value) if value.starts_with('-') => words.push(format!("{flag}={value}")),
        Some(value) => words.extend([flag.to_owned(), value.to_owned()]),
        None => words.push(flag.to_owned()),
    }
    words.extend(behind);
    typed(&words)
}

/// The words of a command line with more flags.
#[must_use]
pub fn more(argv: &[String], words: &[String]) -> Vec<String> {
    // What stands behind it is no flag any more.
    let end = argv.iter().position(|arg| arg == "--").unwrap_or(argv.len());
    [&argv[..end], words, &argv[end..]].concat()
}

/// The words of a command line without a flag that has no value.
#[must_use]
pub fn less(argv: &[String], flag: &str) -> Vec<String> {
    let end = argv.iter().position(|arg| arg == "--").unwrap_or(argv.len());
    argv[..end].iter().filter(|arg| *arg != flag).chain(&argv[end..]).cloned().collect()
}

/// The command line with one word in the place of another.
#[must_use]
pub fn instead(argv: &[String], word: &str, better: &str) -> String {
    let swapped = |arg: &String| if arg == word { better.to_owned() } else { arg.clone() };
    typed(&argv.iter().map(swapped).collect::<Vec<_>>())
}

/// A piece of advice with the command line in it: `{line} --at-most 3`.
#[must_use]
pub fn filled(advice: &str, argv: &[String]) -> String {
    let Some(rest) = advice.strip_prefix(TYPED) else { return advice.to_owned() };
    match rest.trim_start().split_once(' ') {
        _ if rest.trim().is_empty() => typed(argv),
        Some((flag, value)) => with(argv, flag, Some(value)),
        None => with(argv, rest.trim_start(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_flag_takes_the_place_of_the_same_one() {
        let line = argv("stop web-* --at-most 2 -y");
        assert_eq!(filled("{line} --at-most 5", &line), "lxcctl stop 'web-*' -y --at-most 5");
        assert_eq!(filled("{line} --if-needed", &line), "lxcctl stop 'web-*' --at-most 2 -y --if-needed");
        assert_eq!(filled("{line}", &line), "lxcctl stop 'web-*' --at-most 2 -y");
        assert_eq!(filled("lxcctl ls", &line), "lxcctl ls");
        assert_eq!(filled("{line} --at-most 5", &argv("stop --at-most=2 1")), "lxcctl stop 1 --at-most 5");
        assert_eq!(with(&argv("ls --sort nam"), "--sort", Some("-name")), "lxcctl ls --sort=-name");
        assert_eq!(with(&argv("stop -- 104"), "--yes", None), "lxcctl stop --yes -- 104");
    }

    #[test]
    fn more_is_said_before_what_is_no_flag() {
        assert_eq!(
            typed(&more(&argv("create -q"), &argv("web-7 --cores 2"))),
            "lxcctl create -q web-7 --cores 2"
        );
        assert_eq!(
            typed(&more(&argv("create -- web-7"), &argv("--cores 2"))),
            "lxcctl create --cores 2 -- web-7"
        );
    }

    #[test]
    fn a_flag_is_left_out_where_it_is_one() {
        assert_eq!(typed(&less(&argv("create a --dry-run -q"), "--dry-run")), "lxcctl create a -q");
        assert_eq!(typed(&less(&argv("create -- --dry-run"), "--dry-run")), "lxcctl create -- --dry-run");
    }

    #[test]
    fn a_word_is_replaced_where_it_stands() {
        assert_eq!(
            instead(&argv("remote add x http://h"), "http://h", "https://h:8006"),
            "lxcctl remote add x https://h:8006"
        );
    }
}

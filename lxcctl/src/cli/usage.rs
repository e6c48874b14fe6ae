//! A command line that cannot be read: clap's finding as an error of ours, with the place and what was
//! probably meant. Owns those words; must not print.

mod place;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _, ValueEnum as _};
use lxc_core::error::{Code, Error};
use lxc_core::selector::quote;

use place::{command_of, help_for, pointed};

use super::line::typed as line;
use super::{Cli, Format};

/// Words people bring from elsewhere, and what they are called here: behind which command, theirs, ours.
const OTHER_NAMES: [(&str, &[&str], &str); 8] = [
    ("lxcctl", &["rm", "remove", "destroy"], "delete"),
    ("lxcctl", &["kill", "poweroff"], "stop"),
    ("lxcctl", &["ps"], "ls"),
    ("lxcctl", &["nodes"], "node"),
    ("lxcctl remote", &["rm", "delete", "destroy", "forget"], "remove"),
    ("lxcctl template", &["rm", "remove", "destroy"], "delete"),
    ("lxcctl bucket", &["rm", "destroy"], "delete"),
    ("lxcctl op", &["rm", "kill", "stop", "abort"], "cancel"),
];

/// The error of a command line; `argv` without the program's name.
#[must_use]
pub fn error(fault: &clap::Error, argv: &[String]) -> Error {
    let context = |kind| match fault.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    match fault.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            unknown_command(&word, argv)
        }
        ErrorKind::UnknownArgument => {
            let flag = context(ContextKind::InvalidArg).unwrap_or_default();
            if let Some(fault) = negative_value(&flag, argv) {
                return invalid_value(&fault, argv);
            }
            if let Some(better) = behind_the_command(&flag, argv) {
                return Error::new(Code::Usage, format!("{flag} stands behind the command"))
                    .because(line(argv))
                    .hint(better);
            }
            let error = Error::new(Code::Usage, format!("{} takes no {flag}", command_of(argv)));
            pointed(error, &flag, context(ContextKind::SuggestedArg).as_deref(), argv)
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match fault.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(names)) => names.join(" and "),
                _ => "something".to_owned(),
            };
            let command = command_of(argv);
            Error::new(Code::Usage, format!("{command} needs {}", plain(&missing)))
                .because(line(argv))
                .hint(format!("{command} --help"))
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Error::new(Code::Usage, "no command was given").because(line(argv)).hint("lxcctl --help")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => invalid_value(fault, argv),
        ErrorKind::ArgumentConflict => {
            let one = context(ContextKind::InvalidArg).unwrap_or_default();
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            let message = if one == other || other.is_empty() {
                format!("{} cannot be given like this", plain(&one))
            } else {
                format!("{} and {} do not go together", plain(&one), plain(&other))
            };
            Error::new(Code::Usage, message).because(line(argv)).hint(help_for(argv))
        }
        _ => {
            let text = fault.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Error::new(Code::Usage, first).because(line(argv)).hint(help_for(argv))
        }
    }
}

/// `--timeout -5`: clap takes the number for a flag. What it says of `--timeout=-5`.
fn negative_value(flag: &str, argv: &[String]) -> Option<clap::Error> {
    let number =
        |arg: &String| arg.starts_with(flag) && arg.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let at = argv.iter().position(number).filter(|&at| at > 0 && argv[at - 1].starts_with('-'))?;
    let joined = format!("{}={}", argv[at - 1], argv[at]);
    let words = ["lxcctl"].into_iter().chain(argv[..at - 1].iter().map(String::as_str));
    let words = words.chain([joined.as_str()]).chain(argv[at + 1..].iter().map(String::as_str));
    Cli::try_parse_from(words).err().filter(|fault| fault.kind() == ErrorKind::ValueValidation)
}

/// A flag in front of the command it belongs to, with or without a value: the line as it should have been.
fn behind_the_command(flag: &str, argv: &[String]) -> Option<String> {
    let at = argv.iter().position(|arg| arg == flag)?;
    let root = Cli::command();
    if argv[..at].iter().any(|arg| root.find_subcommand(arg).is_some()) {
        return None;
    }
    [2, 1].into_iter().find_map(|taken| {
        let end = (at + taken).min(argv.len());
        let moved: Vec<String> = [&argv[..at], &argv[end..], &argv[at..end]].concat();
        let parsed = Cli::try_parse_from(std::iter::once("lxcctl").chain(moved.iter().map(String::as_str)));
        parsed.is_ok().then(|| line(&moved))
    })
}

fn unknown_command(word: &str, argv: &[String]) -> Error {
    let parent = command_of(&argv[..argv.iter().position(|arg| arg == word).unwrap_or(0)]);
    let message = format!("{parent} has no command {word}");
    let known = |(behind, theirs, _): &&(&str, &[&str], &str)| *behind == parent && theirs.contains(&word);
    if let Some((.., ours)) = OTHER_NAMES.iter().find(known) {
        return pointed(Error::new(Code::Usage, message), word, Some(ours), argv);
    }
    // clap ranks by likeness of letters and would take `strat` for `restart`.
    let root = Cli::command();
    let parent = parent.split(' ').skip(1).try_fold(&root, |command, name| command.find_subcommand(name));
    let names = parent.unwrap_or(&root).get_subcommands().map(clap::Command::get_name);
    let distance = |name: &&str| strsim::damerau_levenshtein(name, word);
    let nearest = names.min_by_key(distance).filter(|name| distance(name) <= slip(word));
    pointed(Error::new(Code::Usage, message), word, nearest, argv)
}

/// How far a slip may lead: not far, and in a short word less.
fn slip(word: &str) -> usize {
    (word.chars().count() / 2).clamp(1, 2)
}

fn invalid_value(fault: &clap::Error, argv: &[String]) -> Error {
    let text = |kind| match fault.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (flag, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    let name = plain(flag.split_once(" <").map_or(flag.as_str(), |(before, _)| before));
    if value.is_empty() {
        return Error::new(Code::Usage, format!("{name} needs a value"))
            .because(line(argv))
            .hint(help_for(argv));
    }
    let error = Error::new(Code::BadValue, format!("{} is no value for {name}", quote(&value)));
    if let Some(source) = std::error::Error::source(fault) {
        return error.because(source.to_string()).hint(help_for(argv));
    }
    let valid = match fault.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    };
    let nearest = valid
        .iter()
        .min_by_key(|word| strsim::damerau_levenshtein(word, &value))
        .filter(|word| strsim::damerau_levenshtein(word, &value) <= slip(&value));
    match nearest {
        Some(word) => pointed(error, &value, Some(word), argv),
        None => error.because(format!("possible: {}", valid.join(" "))).hint(match name.as_str() {
            "--output" => "lxcctl help output".to_owned(),
            _ => help_for(argv),
        }),
    }
}

/// clap writes `<TARGET>...`; people read TARGET…
fn plain(text: &str) -> String {
    text.replace("...", "…").replace(['<', '>'], "").replace("[TARGET]", "TARGET")
}

/// The format that was asked for, on a command line that cannot be read otherwise.
#[must_use]
pub fn format(argv: &[String]) -> Option<Format> {
    let separate =
        argv.windows(2).filter(|pair| matches!(pair[0].as_str(), "-o" | "--output")).map(|pair| &*pair[1]);
    let joined =
        argv.iter().filter_map(|arg| arg.strip_prefix("--output=").or_else(|| arg.strip_prefix("-o")));
    separate.chain(joined).find_map(|word| Format::from_str(word.trim_start_matches('='), false).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn refused(words: &[&str]) -> Error {
        let argv: Vec<String> = words.iter().map(ToString::to_string).collect();
        let fault = Cli::try_parse_from(std::iter::once("lxcctl").chain(words.iter().copied())).unwrap_err();
        error(&fault, &argv)
    }

    #[test]
    fn a_wrong_word_is_pointed_at_and_corrected() {
        let error = refused(&["strat", "104"]);
        assert_eq!(error.message, "lxcctl has no command strat");
        assert_eq!(error.why, ["lxcctl strat 104", "       ^^^^^ start?"]);
        assert_eq!(error.tries[0].command, "lxcctl start 104");
        assert_eq!(refused(&["rm", "104"]).tries[0].command, "lxcctl delete 104");
        assert_eq!(refused(&["kill", "104"]).tries[0].command, "lxcctl stop 104");
        assert_eq!(refused(&["destroy", "104"]).tries[0].command, "lxcctl delete 104");
        assert_eq!(refused(&["remote", "rm", "x"]).tries[0].command, "lxcctl remote remove x");
        assert_eq!(refused(&["remote", "delete", "x"]).tries[0].command, "lxcctl remote remove x");
        assert_eq!(refused(&["op", "kill", "x"]).tries[0].command, "lxcctl op cancel x");
        assert_eq!(refused(&["pail"]).tries[0].command, "lxcctl --help");
        assert_eq!(refused(&["template", "rm", "x"]).tries[0].command, "lxcctl template delete x");
        assert_eq!(refused(&["start", "104", "--if-neded"]).tries[0].command, "lxcctl start 104 --if-needed");
        assert_eq!(refused(&["ls", "-o", "jsno"]).tries[0].command, "lxcctl ls -o json");
        assert_eq!(refused(&["op", "shwo", "x"]).tries[0].command, "lxcctl op show x");
    }

    #[test]
    fn a_flag_before_its_command_is_put_behind_it() {
        let error = refused(&["--remote", "x", "ls"]);
        assert_eq!(error.message, "--remote stands behind the command");
        assert_eq!(error.tries[0].command, "lxcctl ls --remote x");
        assert_eq!(
            refused(&["--if-needed", "start", "104"]).tries[0].command,
            "lxcctl start 104 --if-needed"
        );
        assert_eq!(refused(&["--nonsense", "ls"]).message, "lxcctl takes no --nonsense");
    }

    #[test]
    fn the_caret_stands_under_the_word_itself() {
        assert_eq!(refused(&["l"]).why[1], "       ^ ls?");
        assert_eq!(refused(&["ls", "-o", "s"]).why[0], "possible: table wide json jsonl yaml name");
        assert_eq!(refused(&["ls", "--output=jsno"]).why[1], "                   ^^^^ json?");
    }

    #[test]
    fn flags_are_refused_where_they_mean_nothing() {
        assert_eq!(refused(&["ls", "--detach"]).message, "lxcctl ls takes no --detach");
        assert_eq!(refused(&["start", "104", "--sort", "name"]).message, "lxcctl start takes no --sort");
        assert_eq!(refused(&["start", "104", "--grace", "5"]).message, "lxcctl start takes no --grace");
        assert_eq!(refused(&["shutdown", "104", "--grace", "0"]).code, Code::BadValue);
        assert_eq!(refused(&["stop", "104", "--timeout", "soon"]).code, Code::BadValue);
        assert_eq!(refused(&["events", "-5"]).message, "lxcctl events takes no -5");
        assert_eq!(refused(&["op", "show"]).message, "lxcctl op show needs ID");
    }

    #[test]
    fn a_bad_value_is_named_with_its_flag_and_what_is_accepted() {
        let time = "a time is 90 (seconds), 90s, 5m, 2h, 1d or 1h30m, and never negative";
        for (words, message, why) in [
            (&["stop", "104", "--timeout", "-5"][..], "-5 is no value for --timeout", time),
            (&["stop", "104", "--timeout=-5s"], "-5s is no value for --timeout", time),
            (&["shutdown", "104", "--grace", "-1m"], "-1m is no value for --grace", time),
            (&["op", "ls", "-n", "-3"], "-3 is no value for --limit", "a whole number from 0 to 4294967295"),
            (
                &["stop", "1", "--max-parallel", "0"],
                "0 is no value for --max-parallel",
                "a whole number from 1 to 4294967295",
            ),
        ] {
            let error = refused(words);
            assert_eq!((error.code, error.message.as_str()), (Code::BadValue, message));
            assert_eq!(error.why, [why]);
            assert!(error.tries[0].command.ends_with(" --help"), "{error:?}");
        }
    }

    #[test]
    fn the_format_is_recognised_in_any_spelling() {
        for words in
            [&["-o", "json"][..], &["-ojson"], &["--output=json"], &["--output", "json"], &["-o=json"]]
        {
            let argv: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(format(&argv), Some(Format::Json), "{words:?}");
        }
        assert_eq!(format(&["-o".to_owned(), "table".to_owned()]), Some(Format::Table));
        assert_eq!(format(&["-o".to_owned()]), None);
    }
}

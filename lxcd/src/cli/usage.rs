//! A command line of lxcd that cannot be read, as an error of ours. Owns those words; must not print.

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use lxc_core::error::{Code, Error};

use super::Arguments;

/// What clap found.
pub(super) fn error(fault: &clap::Error) -> Error {
    let context = |kind| match fault.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let flag = || context(ContextKind::InvalidArg).split(" <").next().unwrap_or_default().to_owned();
    match fault.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand);
            let error = Error::new(Code::Usage, format!("lxcd has no command {word}"));
            error.because(format!("commands: {}", commands().join(", "))).hint_noted("lxcd --help", MIXED_UP)
        }
        ErrorKind::UnknownArgument => {
            let error = Error::new(Code::Usage, format!("lxcd takes no {}", flag()));
            match context(ContextKind::SuggestedArg) {
                like if like.is_empty() => error.because("its settings are in its configuration file"),
                like => error.because(format!("there is {like}")),
            }
            .hint_noted("lxcd --help", MIXED_UP)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            match (flag(), context(ContextKind::InvalidValue)) {
                (flag, value) if value.is_empty() => Error::new(Code::Usage, format!("{flag} needs a value"))
                    .because("nothing stands behind it"),
                (flag, value) => {
                    let error = Error::new(Code::BadValue, format!("{value} is no value for {flag}"));
                    error.because(
                        std::error::Error::source(fault)
                            .map_or_else(|| "it takes something else".to_owned(), ToString::to_string),
                    )
                }
            }
            .hint("lxcd --help")
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Error::new(Code::Usage, "a command is missing")
                .because(format!("commands: {}", commands().join(", ")))
                .hint("lxcd --help")
        }
        _ => {
            let text = fault.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Error::new(Code::Usage, "lxcd cannot read this command line").because(first).hint("lxcd --help")
        }
    }
}

/// Two programs, and a name one letter apart in the hand.
const MIXED_UP: &str = "what is done with containers is lxcctl";

/// Everything lxcd can be told to do, as it is typed.
fn commands() -> Vec<String> {
    let root = Arguments::command();
    let mut all = Vec::new();
    for command in root.get_subcommands() {
        let name = command.get_name();
        let below: Vec<String> =
            command.get_subcommands().map(|sub| format!("{name} {}", sub.get_name())).collect();
        if below.is_empty() { all.push(name.to_owned()) } else { all.extend(below) }
    }
    all
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn refused(words: &[&str]) -> Error {
        error(&Arguments::try_parse_from(std::iter::once(&"lxcd").chain(words)).unwrap_err())
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_can() {
        let all = "commands: check-config, db upgrade, db prune, db export, rotate-key";
        for (words, code, message, why) in [
            (&["frobnicate"][..], Code::Usage, "lxcd has no command frobnicate", all),
            (&["db", "upgrad"], Code::Usage, "lxcd has no command upgrad", all),
            (&["db"], Code::Usage, "a command is missing", all),
            (&["--confg", "x"], Code::Usage, "lxcd takes no --confg", "there is --config"),
            (&["--config"], Code::Usage, "--config needs a value", "nothing stands behind it"),
            (&["-x"], Code::Usage, "lxcd takes no -x", "its settings are in its configuration file"),
            (
                &["--time-scale", "x"],
                Code::BadValue,
                "x is no value for --time-scale",
                "invalid digit found in string",
            ),
        ] {
            let error = refused(words);
            assert_eq!((error.code, error.message.as_str()), (code, message), "{words:?}");
            assert_eq!(error.why, [why], "{words:?}");
            assert_eq!(error.tries[0].command, "lxcd --help");
        }
    }
}

//! Where in a command line a word stands, and which command it is about. Must not know what is wrong with it.

use clap::CommandFactory as _;
use lxc_core::error::Error;
use lxc_core::selector::quote;

use super::super::Cli;
use super::super::line::typed as line;

/// Adds the command line, the caret under the word and the line as it should have been.
pub(super) fn pointed(error: Error, word: &str, suggestion: Option<&str>, argv: &[String]) -> Error {
    let typed = line(argv);
    let Some(at) = place(word, argv) else {
        return error.because(typed).hint(help_for(argv));
    };
    let caret = format!("{}{}", " ".repeat(typed[..at].chars().count()), "^".repeat(word.chars().count()));
    match suggestion {
        Some(better) => {
            let corrected = format!("{}{better}{}", &typed[..at], &typed[at + word.len()..]);
            error.because(typed).because(format!("{caret} {better}?")).hint(corrected)
        }
        None => error.because(typed).because(caret).hint(help_for(argv)),
    }
}

/// Where the word stands in the line: the argument that is it, else the first that holds it.
fn place(word: &str, argv: &[String]) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let index =
        argv.iter().position(|arg| arg == word).or_else(|| argv.iter().position(|a| a.contains(word)))?;
    let before = line(&argv[..index]).len() + 1;
    quote(&argv[index]).find(word).map(|within| before + within)
}

/// `lxcctl op ls`, as far as it was typed.
pub(super) fn command_of(argv: &[String]) -> String {
    let words: Vec<&str> = argv
        .iter()
        .map(String::as_str)
        .take_while(|arg| arg.bytes().all(|byte| byte.is_ascii_lowercase()))
        .take(2)
        .collect();
    let nouns = ["op", "remote", "node", "audit", "daemon", "template"];
    match words.as_slice() {
        [noun, verb, ..] if nouns.contains(noun) => format!("lxcctl {noun} {verb}"),
        [command, ..] => format!("lxcctl {command}"),
        [] => "lxcctl".to_owned(),
    }
}

/// Where to read about the command that was meant.
pub(super) fn help_for(argv: &[String]) -> String {
    format!("{} --help", parent_known(argv))
}

/// The longest beginning of the command line that is a command.
fn parent_known(argv: &[String]) -> String {
    let mut known = "lxcctl".to_owned();
    let root = Cli::command();
    let mut command = &root;
    for word in argv {
        let Some(next) = command.find_subcommand(word) else { break };
        known = format!("{known} {word}");
        command = next;
    }
    known
}

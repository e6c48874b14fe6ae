//! `lxcctl help`: topics and commands.

use clap::CommandFactory as _;
use lxc_core::error::{Code, Error, Exit, Result};
use serde::Serialize;

use crate::cli::Cli;
use crate::cli::help::{TOP, TOPICS};
use crate::context::Context;

#[derive(Serialize)]
struct Help<'a> {
    kind: &'static str,
    topic: &'a str,
    text: &'a str,
}

pub(crate) fn run(context: &mut Context, words: &[String]) -> Result<Exit> {
    let text = match words {
        [] => TOP.to_owned(),
        [topic] if TOPICS.iter().any(|(name, _)| name == topic) => {
            TOPICS.iter().find(|(name, _)| name == topic).map_or("", |(_, text)| text).to_owned()
        }
        path => of_command(path)?,
    };
    let topic = words.join(" ");
    if !context.structured_one(&Help { kind: "Help", topic: &topic, text: &text }, &topic)? {
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

fn of_command(path: &[String]) -> Result<String> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in path {
        let Some(next) = command.find_subcommand(word) else {
            return Err(no_topic(word, command.get_subcommands().map(clap::Command::get_name)));
        };
        command = next;
    }
    Ok(command.clone().render_help().to_string())
}

fn no_topic<'a>(word: &str, commands: impl Iterator<Item = &'a str>) -> Error {
    let score = |name: &&str| strsim::damerau_levenshtein(name, word);
    let names = commands.chain(TOPICS.iter().map(|(name, _)| *name));
    let nearest = names.min_by_key(score).filter(|name| score(name) <= 3);
    let error = Error::new(Code::NoPage, format!("there is no help on {}", crate::ui::escape::escape(word)))
        .because("topics: selectors exit-codes output flags");
    match nearest {
        Some(name) => error.hint(format!("lxcctl help {name}")),
        None => error.hint("lxcctl help"),
    }
}

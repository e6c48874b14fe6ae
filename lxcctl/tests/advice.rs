//! Manner 6 of the style guide, held against the sources: a command in `try:` works as it stands, and so do the
//! examples in help and on the pages of error codes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use lxc_core::error::Code;
use lxcctl::cli::{Cli, help};

/// What nobody can type: holes to fill in and words that stand for something else.
const HOLES: [&str; 9] =
    ["…", "...", "USER@REALM", "NAME", "FILE", "URL", "TARGET", "succeeded|failed", "$(uuidgen)"];

fn sources(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push(path);
        }
    }
}

/// The first argument of every `.hint(` and `.hint_noted(`: the command.
fn commands(source: &str) -> Vec<&str> {
    let openings = source.match_indices(".hint").filter_map(|(at, _)| {
        let rest = &source[at..];
        let open = rest.strip_prefix(".hint_noted(").or_else(|| rest.strip_prefix(".hint("))?;
        Some(&open[..first_argument(open)])
    });
    openings.collect()
}

/// Where the argument ends that begins here: at a comma or bracket outside of strings and brackets.
fn first_argument(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ',' | ')' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn a_command_that_is_suggested_has_no_holes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for part in ["core/src", "lxcd/src", "lxcctl/src"] {
        sources(&root.join(part), &mut files);
    }
    let mut seen = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for command in commands(&text) {
            seen += 1;
            let hole = HOLES.iter().find(|hole| command.contains(**hole));
            assert_eq!(hole, None, "{}: {command}", file.display());
        }
    }
    assert!(seen > 100, "only {seen} suggestions were found");
}

#[test]
fn the_scan_sees_through_strings_and_brackets() {
    let source = r#"e.hint(format!("a, {} …", f(1, 2))).hint_noted("b \" )", "note …")"#;
    assert_eq!(commands(source), [r#"format!("a, {} …", f(1, 2))"#, r#""b \" )""#]);
}

/// Words as a shell reads them, up to a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    let end = words
        .iter()
        .position(|word| matches!(word.as_str(), "|" | ">" | "||" | "&&" | ""))
        .unwrap_or(words.len());
    words.truncate(end);
    words
}

fn assert_parses(line: &str, place: &str) {
    if let Err(fault) = Cli::try_parse_from(words(line)) {
        assert!(!fault.use_stderr(), "{place}: {line}\n{fault}");
    }
}

fn helps(command: &clap::Command, all: &mut Vec<(String, String)>) {
    all.push((command.get_name().to_owned(), command.clone().render_help().to_string()));
    command.get_subcommands().for_each(|sub| helps(sub, all));
}

#[test]
fn every_example_in_help_can_be_typed() {
    let mut root = Cli::command();
    root.build();
    let mut all: Vec<(String, String)> =
        help::TOPICS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    helps(&root, &mut all);
    let mut seen = 0;
    for (place, text) in &all {
        let Some((_, examples)) = text.split_once("\nExamples\n") else {
            assert!(matches!(place.as_str(), "flags" | "lxcctl"), "{place} has no examples");
            continue;
        };
        for line in examples.lines().filter_map(|line| line.strip_prefix("  lxcctl ")) {
            seen += 1;
            assert_parses(&format!("lxcctl {line}"), place);
        }
    }
    assert!(seen > 60, "only {seen} examples were found");
}

#[test]
fn every_command_on_a_page_is_one() {
    for code in Code::ALL {
        for line in
            code.page().split('`').filter(|text| text.starts_with("lxcctl ") && !text.contains("COMMAND"))
        {
            // A command may be named without its arguments.
            let fault = Cli::try_parse_from(words(line)).err();
            let kind = fault.filter(clap::Error::use_stderr).map(|fault| fault.kind());
            let named = matches!(kind, None | Some(ErrorKind::MissingRequiredArgument));
            assert!(named, "{code}: {line}: {kind:?}");
        }
    }
}

//! `-l tag=,os=,name=` of a list of templates, with the commas, bars and globs of every selector. Owns these keys.

use super::{Settings, fault::shown};
use crate::error::{Code, Error, Result};
use crate::selector::Pattern;

const KEYS: [&str; 3] = ["name", "tag", "os"];

/// Expressions that have been read; all of them have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: &'static str,
    negated: bool,
    values: Vec<Pattern>,
}

impl Filter {
    /// Reads `-l` expressions.
    ///
    /// # Errors
    /// LXC0203 for another key, LXC0204 for what is no key=value, LXC0205 for what is empty.
    pub fn parse(labels: &[String]) -> Result<Self> {
        labels.iter().flat_map(|label| label.split(',')).map(term).collect::<Result<_>>().map(Self)
    }

    /// Whether a template is among those that are meant.
    #[must_use]
    pub fn matches(&self, name: &str, settings: &Settings) -> bool {
        self.0.iter().all(|term| {
            let any = |text: &str| term.values.iter().any(|value| value.matches(text));
            let found = match term.key {
                "name" => any(name),
                "os" => any(&settings.os),
                _ => settings.tags.iter().any(|tag| any(tag)),
            };
            found != term.negated
        })
    }
}

fn term(text: &str) -> Result<Term> {
    let fail = |code, message: String, why: &str| {
        Err(Error::new(code, message)
            .because(why.to_owned())
            .hint("lxcctl template ls -l 'tag=web,os=debian'"))
    };
    if text.trim().is_empty() {
        return fail(Code::EmptySelection, "a selector is empty".to_owned(), "empty is never everything");
    }
    let Some((key, values)) = text.split_once('=') else {
        return fail(Code::SelectorSyntax, format!("{} is no key=value", shown(text)), "keys: name tag os");
    };
    let (key, negated) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
    let Some(known) = KEYS.into_iter().find(|known| *known == key) else {
        return fail(
            Code::SelectorKey,
            format!("a selector of templates has no key {}", shown(key)),
            "keys: name tag os",
        );
    };
    if values.split('|').any(str::is_empty) {
        return fail(Code::EmptySelection, format!("{key}= has no value"), "empty is never everything");
    }
    Ok(Term { key: known, negated, values: values.split('|').map(Pattern::new).collect() })
}

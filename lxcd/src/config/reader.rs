//! Takes typed values out of a TOML document and collects everything that is wrong with it, each
//! problem with its line and column. Owns positions and wording; must not know which keys exist.

use std::ops::Range;

use lxc_core::error::{Code, Error};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How alike two keys must be to be taken for a slip of the finger (Jaro-Winkler, 0..1).
const ALIKE: f64 = 0.8;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    at: usize,
    text: String,
}

/// Everything found wrong so far, and the text it was found in.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    /// Every full key there is, for suggestions.
    keys: &'static [&'static str],
    problems: Vec<Problem>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// A table and the full name of what is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'d, 't> {
    table: &'d DeTable<'t>,
    path: &'d str,
}

impl<'d, 't> Section<'d, 't> {
    pub(super) fn new(table: &'d DeTable<'t>, path: &'d str) -> Self {
        Self { table, path }
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Every key with its table, for tables whose keys are names.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'d str, Range<usize>)> {
        self.table.iter().map(|(name, _)| (name.get_ref().as_ref(), name.span()))
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &'t str, text: &'t str, keys: &'static [&'static str]) -> Self {
        Self { file, text, keys, problems: Vec::new() }
    }

    /// Parses; what cannot be parsed is noted, and the rest still looked at.
    pub(super) fn document(&mut self) -> DeTable<'t> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let at = error.span().map_or(self.text.len(), |span| span.start);
            self.note(at, error.message().to_owned());
        }
        table.into_inner()
    }

    pub(super) fn note(&mut self, at: usize, text: String) {
        self.problems.push(Problem { at, text });
    }

    /// Notes every key of a section that is not among `known`.
    pub(super) fn only(&mut self, section: Section<'_, '_>, known: &[&str]) {
        for (name, span) in section.names() {
            if !known.contains(&name) {
                let hint = nearest(&section.full(name), name, known, self.keys)
                    .map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default();
                self.note(span.start, format!("there is no key {}{hint}", section.full(name)));
            }
        }
    }

    /// A table inside a table.
    pub(super) fn table<'d>(&mut self, section: Section<'d, 't>, key: &str) -> Option<&'d DeTable<'t>> {
        let value = section.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.wrong_type(value.span().start, &section.full(key), "a table", other);
                None
            }
        }
    }

    /// A string.
    pub(super) fn text(&mut self, section: Section<'_, 't>, key: &str) -> Option<Found<String>> {
        let value = section.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Found { value: text.to_string(), at: value.span().start }),
            other => {
                self.wrong_type(value.span().start, &section.full(key), "a string in quotes", other);
                None
            }
        }
    }

    /// true or false.
    pub(super) fn flag(&mut self, section: Section<'_, 't>, key: &str) -> Option<bool> {
        let value = section.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                self.wrong_type(value.span().start, &section.full(key), "true or false", other);
                None
            }
        }
    }

    /// A string out of a few.
    pub(super) fn choice<T: Copy>(
        &mut self,
        section: Section<'_, 't>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let found = self.text(section, key)?;
        let chosen = choices.iter().find(|(word, _)| *word == found.value).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.note(found.at, format!("{} must be one of {}", section.full(key), words.join(", ")));
        }
        chosen
    }

    /// A whole number within a range.
    pub(super) fn number(
        &mut self,
        section: Section<'_, 't>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = section.get(key)?;
        let (at, name) = (value.span().start, section.full(key));
        let DeValue::Integer(digits) = value.get_ref() else {
            self.wrong_type(at, &name, "a whole number", value.get_ref());
            return None;
        };
        let number = i128::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number =
            number.and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
        if number.is_none() {
            self.note(at, format!("{name} must be from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A list of strings.
    pub(super) fn texts(&mut self, section: Section<'_, 't>, key: &str) -> Option<Vec<Found<String>>> {
        let value = section.get(key)?;
        let name = section.full(key);
        let DeValue::Array(list) = value.get_ref() else {
            self.wrong_type(value.span().start, &name, "a list of strings", value.get_ref());
            return None;
        };
        let mut all = Vec::new();
        for item in list.iter() {
            match item.get_ref() {
                DeValue::String(text) => all.push(Found { value: text.to_string(), at: item.span().start }),
                other => self.wrong_type(item.span().start, &name, "a list of strings", other),
            }
        }
        Some(all)
    }

    /// The value itself is not repeated: it may be a password in the wrong place.
    fn wrong_type(&mut self, at: usize, name: &str, wanted: &str, found: &DeValue<'_>) {
        self.note(at, format!("{name} must be {wanted}, not {}", article(found.type_str())));
    }

    /// All problems as one error, in the order of the file; Ok when there are none.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.problems.sort_by_key(|problem| problem.at);
        self.problems.dedup();
        let mut lines = self.problems.iter().map(|problem| {
            let (line, column) = position(self.text, problem.at);
            format!("{}:{line}:{column}: {}", self.file, problem.text)
        });
        let Some(first) = lines.next() else {
            return Ok(());
        };
        Err(lines.fold(Error::new(Code::BadConfig, first), Error::because))
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Line and column of a byte, both from 1; the column counts characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// A key of this table that looks alike, else one of another table with that very name.
fn nearest(full: &str, name: &str, known: &[&str], all: &'static [&'static str]) -> Option<String> {
    let lower = name.to_lowercase().replace('-', "_");
    let alike = |key: &&str| strsim::jaro_winkler(&lower, key);
    let best = known.iter().copied().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    if let Some(best) = best.filter(|best| alike(best) >= ALIKE) {
        let prefix = full.strip_suffix(name).unwrap_or_default();
        return Some(format!("{prefix}{best}"));
    }
    all.iter().find(|key| key.rsplit('.').next() == Some(lower.as_str())).map(|key| (*key).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters() {
        assert_eq!(position("a\näb = 1", 5), (2, 3));
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a\n", 99), (2, 1));
    }
}

//! Reading words and `-l` expressions. Owns the grammar; must not match anything.

use std::ops::Range;

use super::{Key, Pattern, Place, SelectorError, Term, What, Word};
use crate::error::Code;

/// Reads one TARGET word.
pub(super) fn word(text: &str) -> Result<Word, SelectorError> {
    let fault =
        |span: Range<usize>, message: String, remark: &str, suggestion: Option<String>| SelectorError {
            code: Code::SelectorSyntax,
            message,
            text: text.to_owned(),
            span,
            remark: remark.to_owned(),
            suggestion,
            place: Place::Word,
        };
    if text.is_empty() {
        return Err(SelectorError {
            code: Code::EmptySelection,
            ..fault(0..0, "a target is empty".to_owned(), "", None)
        });
    }
    if let Some((at, bad)) = text.char_indices().find(|(_, c)| !allowed(*c) && *c != '/') {
        let span = at..at + bad.len_utf8();
        let remark = if bad == '=' { "a selector stands behind -l" } else { "does not belong here" };
        return Err(fault(span, format!("{} cannot be a target", shown(text)), remark, None));
    }
    let (remote, name, at) = match text.split_once('/') {
        Some((remote, name)) => (Some(remote), name, remote.len() + 1),
        None => (None, text, 0),
    };
    if remote == Some("") {
        return Err(fault(0..1, format!("{text} has no remote before its slash"), "remote/vmid", None));
    }
    if name.is_empty() {
        let all = Some("/*".to_owned());
        return Err(fault(at - 1..at, format!("{text} names no container"), "", all));
    }
    if let Some(slash) = name.find('/') {
        return Err(fault(
            at + slash..text.len(),
            format!("{text} has two slashes"),
            "one slash: remote/vmid",
            None,
        ));
    }
    let what = if name.bytes().all(|byte| byte.is_ascii_digit()) {
        let Ok(vmid) = name.parse() else {
            return Err(fault(
                at..text.len(),
                format!("{name} is too large for a vmid"),
                "at most 999999999",
                None,
            ));
        };
        What::Vmid(vmid)
    } else if Pattern::new(name).is_glob() {
        What::Glob(Pattern::new(name))
    } else {
        What::Name(name.to_owned())
    };
    Ok(Word { text: text.to_owned(), remote: remote.map(Pattern::new), what })
}

/// Reads one `-l` expression: terms with commas between.
pub(super) fn label(text: &str) -> Result<Vec<Term>, SelectorError> {
    if text.trim().is_empty() {
        return Err(SelectorError {
            code: Code::EmptySelection,
            message: "a selector is empty".to_owned(),
            text: String::new(),
            span: 0..0,
            remark: String::new(),
            suggestion: None,
            place: Place::Label,
        });
    }
    let mut terms = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        terms.push(Expression { text, start, part }.term()?);
        start += part.len() + 1;
    }
    Ok(terms)
}

/// One term, and where it stands in its expression.
struct Expression<'a> {
    text: &'a str,
    start: usize,
    part: &'a str,
}

impl Expression<'_> {
    fn term(&self) -> Result<Term, SelectorError> {
        if self.part.is_empty() {
            // A comma too many: point at it, and suggest the expression without it.
            let comma = if self.start == 0 { 0..1 } else { self.start - 1..self.start };
            let fault = self.fault(Code::SelectorSyntax, comma, "a selector has a comma too many".to_owned());
            return Err(fault.remark("nothing stands behind it"));
        }
        let Some(equals) = self.part.find('=') else {
            let fault = self.fault(
                Code::SelectorSyntax,
                self.start..self.start + self.part.len(),
                format!("{} is no key=value", shown(self.part)),
            );
            let guess = self.part.chars().all(allowed).then(|| format!("name={}", self.part));
            return Err(fault.suggest(guess).remark("key=value"));
        };
        let negated = self.part[..equals].ends_with('!');
        let key_text = &self.part[..equals - usize::from(negated)];
        let key = self.key(key_text)?;
        let values_start = self.start + equals + 1;
        let mut values = Vec::new();
        let mut at = values_start;
        for value in self.part[equals + 1..].split('|') {
            values.push(self.value(key, value, at)?);
            at += value.len() + 1;
        }
        Ok(Term { key, negated, values })
    }

    fn key(&self, text: &str) -> Result<Key, SelectorError> {
        if let Some(key) = Key::ALL.into_iter().find(|key| key.as_str() == text) {
            return Ok(key);
        }
        let span = self.start..self.start + text.len();
        if text.is_empty() {
            let fault =
                self.fault(Code::SelectorSyntax, span, "a selector has no key before its =".to_owned());
            return Err(fault.remark("key=value"));
        }
        let nearest = nearest(text, Key::ALL.iter().map(|key| key.as_str()));
        let known = Key::ALL.map(Key::as_str).join(" ");
        let fault = self.fault(Code::SelectorKey, span, format!("a selector has no key {}", shown(text)));
        Err(fault.suggest(nearest).remark(&known))
    }

    fn value(&self, key: Key, text: &str, at: usize) -> Result<Pattern, SelectorError> {
        let span = at..at + text.len();
        let name = key.as_str();
        if text.is_empty() {
            let fault = self.fault(Code::EmptySelection, span, format!("{name}= has no value"));
            return Err(fault.remark("empty is never everything"));
        }
        if let Some((bad_at, bad)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
            let span = at + bad_at..at + bad_at + bad.len_utf8();
            let fault = self.fault(Code::SelectorSyntax, span, format!("{} cannot be a {name}", shown(text)));
            return Err(fault.remark("does not belong here"));
        }
        if let Some(words) = key.words()
            && !words.contains(&text)
        {
            let fault = self.fault(Code::SelectorSyntax, span, format!("{text} is no {name}"));
            return Err(fault.suggest(nearest(text, words.iter().copied())).remark(&words.join(" ")));
        }
        if key == Key::Vmid && text.parse::<u32>().is_err() {
            let fault = self.fault(Code::SelectorSyntax, span, format!("{text} is no vmid"));
            return Err(fault.remark("a number"));
        }
        Ok(Pattern::new(text))
    }

    fn fault(&self, code: Code, span: Range<usize>, message: String) -> SelectorError {
        SelectorError {
            code,
            message,
            text: self.text.to_owned(),
            span,
            remark: String::new(),
            suggestion: None,
            place: Place::Label,
        }
    }
}

impl SelectorError {
    fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    fn remark(mut self, remark: &str) -> Self {
        remark.clone_into(&mut self.remark);
        self
    }
}

/// Characters of names, tags, pools and globs on Proxmox, and a little more than it allows.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '*' | '?' | ':' | '@')
}

/// A text in a message: without control characters.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The nearest word, if one is near enough to have been meant.
fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<String> {
    let score = |word: &str| strsim::damerau_levenshtein(text, word);
    let best = words.min_by_key(|word| score(word))?;
    let near = score(best) <= 1 + best.len() / 4
        || (text.len() > 1 && best.starts_with(text))
        || text == format!("{best}s");
    near.then(|| best.to_owned())
}

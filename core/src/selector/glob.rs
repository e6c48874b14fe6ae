//! Globs: `*` for any characters, `?` for one. Owns their matching; must not know what they match.

/// A text in which `*` and `?` stand for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern as written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it holds a `*` or `?`.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        self.0.contains(['*', '?'])
    }

    /// True for `*` and its repetitions.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte == b'*')
    }

    /// Does the whole text match? Linear but for the last star, which is the only one ever tried again.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        if !self.is_glob() {
            return self.0 == text;
        }
        let (mut pattern, mut rest) = (self.0.as_str(), text);
        let mut retry: Option<(&str, &str)> = None;
        loop {
            match (pattern.chars().next(), rest.chars().next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    pattern = &pattern[1..];
                    retry = Some((pattern, rest));
                }
                (Some(wanted), Some(got)) if wanted == '?' || wanted == got => {
                    pattern = &pattern[wanted.len_utf8()..];
                    rest = &rest[got.len_utf8()..];
                }
                _ => {
                    let Some((after_star, from)) = retry else { return false };
                    let Some(skipped) = from.chars().next() else { return false };
                    let from = &from[skipped.len_utf8()..];
                    (pattern, rest) = (after_star, from);
                    retry = Some((after_star, from));
                }
            }
        }
    }
}

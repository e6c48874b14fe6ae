//! Source files as the rules see them: comments, strings and tests taken away, module paths worked out.
//! Not a parser; it knows just enough of Rust's lexical structure.

use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path from the top of the repository.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments, the contents of strings, and what follows `#[cfg(test)] mod`.
    pub(crate) code: String,
}

impl Source {
    /// A file of that path and text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = strip(text);
        let end = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
        Self { path: path.to_owned(), text: text.to_owned(), code: code[..end].to_owned() }
    }

    /// Every Rust file of the workspace.
    pub(crate) fn workspace() -> Vec<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the top");
        let mut files = Vec::new();
        for folder in ["proto", "core", "lxcd", "lxcctl", "tests"] {
            collect(&top.join(folder), &mut files);
        }
        files.sort();
        let read = |file: PathBuf| {
            let path = file.strip_prefix(&top).expect("below the top").display().to_string();
            Self::new(&path, &std::fs::read_to_string(&file).expect("readable"))
        };
        files.into_iter().map(read).collect()
    }

    /// Is it test code as a whole?
    pub(crate) fn is_test(&self) -> bool {
        let path = Path::new(&self.path);
        let folders = path.parent().into_iter().flat_map(Path::components).skip(1);
        folders.into_iter().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches")
            || path.file_name().is_some_and(|name| name == "tests.rs")
    }

    /// Its module path below `krate/src`, without the crate's roots; None for files elsewhere.
    pub(crate) fn module(&self, krate: &str) -> Option<Vec<&str>> {
        let inner = self.path.strip_prefix(krate)?.strip_prefix("/src/")?.strip_suffix(".rs")?;
        let mut parts: Vec<&str> = inner.split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        Some(parts)
    }

    /// Does its code name this identifier (or path, as `a::b`)?
    pub(crate) fn names(&self, name: &str) -> bool {
        let bytes = self.code.as_bytes();
        self.code.match_indices(name).any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|i| bytes.get(i)).copied();
            let after = bytes.get(at + name.len()).copied();
            !before.is_some_and(in_word) && !after.is_some_and(in_word)
        })
    }

    /// The top-level modules of its own crate it refers to: `crate::x`, `crate::{x, y::z}`, `super::x`.
    pub(crate) fn refers_to(&self, krate: &str) -> Vec<String> {
        let depth = self.module(krate).map_or(0, |module| module.len());
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("crate::") {
            if at == 0 || !in_word(self.code.as_bytes()[at - 1]) {
                heads(&self.code[at + "crate::".len()..], &mut found);
            }
        }
        // As many `super` as the file is deep lead to the crate itself.
        let climb = "super::".repeat(depth.max(1));
        for (at, _) in self.code.match_indices(&climb) {
            let before = self.code[..at].chars().next_back();
            if before != Some(':') && !before.is_some_and(|c| in_word(c as u8)) {
                heads(&self.code[at + climb.len()..], &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The first word of a path, or of every path in a group.
fn heads(rest: &str, found: &mut Vec<String>) {
    let word =
        |text: &str| text.chars().take_while(|c| c.is_ascii() && in_word(*c as u8)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else {
        found.push(word(rest));
        return;
    };
    let (mut level, mut begins) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => return,
            '}' => level -= 1,
            ',' if level == 0 => begins = true,
            c if c.is_whitespace() => {}
            _ if begins => {
                found.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
}

/// Blanks out comments and what is inside strings; line breaks stay.
fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word_before = out.chars().next_back().is_some_and(|c| c.is_ascii() && in_word(c as u8));
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if let Some(length) = raw_string(rest).filter(|_| !word_before) {
            length
        } else if c == '"' {
            string(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    out
}

fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let head = rest.len() - body.len();
    Some(body.find(&end).map_or(rest.len(), |at| head + at + end.len()))
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |at| at + 4),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn comments_strings_and_tests_are_no_code() {
    let text = r##"//! sqlx
/* sqlx */ const A: &str = "a \" sqlx"; const B: &str = r#"sqlx " "#; const C: char = '"'; fn f<'a>(x: &'a str) {}
#[cfg(test)]
mod tests { use sqlx; }
"##;
    let source = Source::new("lxcd/src/engine/x.rs", text);
    assert!(!source.names("sqlx"), "{}", source.code);
    assert!(source.names("f") && source.code.contains("const C"));
    assert!(
        Source::new("a", "use sqlx::Any;").names("sqlx") && !Source::new("a", "use sqlx_any;").names("sqlx")
    );
}

#[test]
fn references_are_found_in_every_form() {
    let of = |path: &str, text: &str| Source::new(path, text).refers_to("lxcd");
    assert_eq!(
        of("lxcd/src/a/b.rs", "use crate::{pve, store::{self, Row}};\nuse crate::bus::Bus;"),
        ["bus", "pve", "store"]
    );
    assert_eq!(of("lxcd/src/a/mod.rs", "use super::store::Row;"), ["store"]);
    assert_eq!(of("lxcd/src/a/b.rs", "use super::super::{pve::X};"), ["pve"]);
    assert!(of("lxcd/src/a/b.rs", "use super::store::Row; pub(crate) fn f() {}").is_empty());
}

#[test]
fn test_code_is_told_from_the_rest() {
    let is_test = |path: &str| Source::new(path, "").is_test();
    assert!(
        is_test("lxcd/tests/a.rs") && is_test("lxcd/src/pve/tests/wire.rs") && is_test("core/src/a/tests.rs")
    );
    assert!(!is_test("tests/src/pvesim/sim.rs") && is_test("tests/tests/a.rs") && !is_test("lxcd/src/a.rs"));
}

//! A template as one text that people edit: TOML, with the same parts as the directory. Owns its keys and where in the
//! text each part stands; what may be in a part is decided by what reads directories.

#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{CONF, FILES, Fault, PACKAGES, SCRIPTS, Source, Sources, read, shell};

pub use written::{blank_page, write_lists, write_page};

/// The keys of settings, there and here.
const KEYS: [(&str, &str); 11] = [
    ("TEMPLATE_TAGS", "tags"),
    ("TEMPLATE_DESCRIPTION", "description"),
    ("TEMPLATE_CPU", "cpu"),
    ("TEMPLATE_RAM", "ram_mb"),
    ("TEMPLATE_DISK", "disk_gb"),
    ("TEMPLATE_OS", "os"),
    ("TEMPLATE_VERSION", "version"),
    ("TEMPLATE_UNPRIVILEGED", "unprivileged"),
    ("TEMPLATE_NESTING", "nesting"),
    ("TEMPLATE_KEYCTL", "keyctl"),
    ("TEMPLATE_FUSE", "fuse"),
];

/// What such a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As the files of a directory.
    pub sources: Sources,
    /// What is copied into it.
    pub buckets: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    description: Option<Spanned<String>>,
    tags: Option<Spanned<Vec<String>>>,
    os: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    cpu: Option<Spanned<i64>>,
    ram_mb: Option<Spanned<i64>>,
    disk_gb: Option<Spanned<i64>>,
    unprivileged: Option<Spanned<bool>>,
    nesting: Option<Spanned<bool>>,
    keyctl: Option<Spanned<bool>>,
    fuse: Option<Spanned<bool>>,
    buckets: Vec<String>,
    packages: Lists,
    script: Vec<Script>,
    file: Vec<File>,
}

/// By name, then manager.
type Lists = BTreeMap<String, BTreeMap<String, Spanned<Vec<Spanned<String>>>>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    name: Spanned<String>,
    text: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    directory: Spanned<String>,
    policy: Option<Spanned<String>>,
    #[serde(default)]
    executable: bool,
    text: Spanned<String>,
}

/// Reads a text as the template of that name; `shown` is what the text is called in front of a line.
///
/// # Errors
/// Everything that is wrong with it, at least one thing.
pub fn read_page(text: &str, name: &str, shown: &str) -> Result<Page, Vec<Fault>> {
    let keys: Keys = parse(text, shown).map_err(|fault| vec![fault])?;
    let mut reader = Reader::new(text, shown);
    let buckets = keys.buckets.clone();
    reader.settings(name, &keys);
    reader.lists(&keys.packages);
    for script in keys.script {
        let path = format!("{SCRIPTS}/{}", script.name.get_ref());
        reader.part(path, &script.name, script.text, true);
    }
    for file in keys.file {
        let path = format!("{FILES}/{}", file.name.get_ref());
        reader.sidecar(format!("{path}.path"), file.directory);
        if let Some(policy) = file.policy {
            reader.sidecar(format!("{path}.policy"), policy);
        }
        reader.part(path, &file.name, file.text, file.executable);
    }
    if reader.faults.is_empty() {
        match read(&reader.sources, name) {
            Ok(_) => return Ok(Page { sources: reader.sources, buckets }),
            Err(found) => reader.found(found),
        }
    }
    Err(reader.faults)
}

/// Reads a text of lists by manager, `apt = ["nginx"]`: what a bucket of that name holds, as files of packages.
///
/// # Errors
/// Everything that is wrong with it, at least one thing.
pub fn read_lists(text: &str, name: &str, shown: &str) -> Result<Vec<super::PackageList>, Vec<Fault>> {
    let lists: BTreeMap<String, Spanned<Vec<Spanned<String>>>> =
        parse(text, shown).map_err(|fault| vec![fault])?;
    let mut reader = Reader::new(text, shown);
    reader.lists(&Lists::from([(name.to_owned(), lists)]));
    if reader.faults.is_empty() {
        match super::package_lists(&reader.sources) {
            Ok(lists) => return Ok(lists),
            Err(found) => reader.found(found),
        }
    }
    Err(reader.faults)
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str, shown: &str) -> Result<T, Fault> {
    toml::from_str(text).map_err(|fault| {
        let why = "the text is TOML; lxcctl explain LXC0216 says what stands in it";
        let line = fault.span().map(|span| line_of(text, span.start));
        Fault { line, ..Fault::file(shown, fault.message().replace('\n', ", "), why) }
    })
}

/// Counted from one.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Where in the text a source stands.
struct Place {
    /// What says that it is there; None = nothing does.
    whole: Option<usize>,
    lines: Lines,
}

enum Lines {
    /// Each of its lines by itself.
    Each(Vec<usize>),
    /// All of them, one below the other, from here on.
    From(usize),
}

struct Reader<'t> {
    text: &'t str,
    shown: &'t str,
    sources: Sources,
    places: BTreeMap<String, Place>,
    faults: Vec<Fault>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, shown: &'t str) -> Self {
        Self { text, shown, sources: Sources::new(), places: BTreeMap::new(), faults: Vec::new() }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        line_of(self.text, span.start)
    }

    fn fault(&mut self, line: usize, what: impl Into<String>, why: &str) {
        self.faults.push(Fault { line: Some(line), ..Fault::file(self.shown, what, why) });
    }

    /// Something that was found in a source, where it stands in the text.
    fn here(&self, fault: Fault) -> Fault {
        let line = self.places.get(&fault.file).and_then(|place| match (&place.lines, fault.line) {
            (_, None) => place.whole,
            (Lines::From(first), Some(line)) => Some(first + line - 1),
            (Lines::Each(lines), Some(line)) => lines.get(line - 1).copied(),
        });
        let said = |text: String| match fault.file == CONF {
            true => KEYS
                .iter()
                .chain(&[("TEMPLATE_APP", "the name of the template")])
                .fold(text, |text, (there, here)| text.replace(there, here)),
            false => text,
        };
        Fault {
            what: said(fault.what.clone()),
            why: said(fault.why),
            line,
            mend: None,
            file: self.shown.to_owned(),
        }
    }

    fn put(&mut self, path: String, content: String, executable: bool, place: Place) {
        if self.places.contains_key(&path) {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            let line = place.whole.unwrap_or(1);
            return self.fault(line, format!("{name} is there twice"), "each has a name of its own");
        }
        self.sources.insert(path.clone(), Source { content: content.into_bytes(), executable });
        self.places.insert(path, place);
    }

    fn found(&mut self, found: Vec<Fault>) {
        self.faults = found.into_iter().map(|fault| self.here(fault)).collect();
        self.faults.sort_by_key(|fault| fault.line);
    }

    fn settings(&mut self, name: &str, keys: &Keys) {
        let mut conf = shell::written("TEMPLATE_APP", name);
        let mut lines = vec![1];
        let number = |value: &Option<Spanned<i64>>| {
            value.as_ref().map(|value| (value.get_ref().to_string(), value.span()))
        };
        let flag = |value: &Option<Spanned<bool>>| {
            value.as_ref().map(|value| (u8::from(*value.get_ref()).to_string(), value.span()))
        };
        let word = |value: &Option<Spanned<String>>| {
            value.as_ref().map(|value| (value.get_ref().clone(), value.span()))
        };
        let tags = keys.tags.as_ref().map(|tags| (tags.get_ref().join(";"), tags.span()));
        let values = [
            tags,
            word(&keys.description),
            number(&keys.cpu),
            number(&keys.ram_mb),
            number(&keys.disk_gb),
            word(&keys.os),
            word(&keys.version),
            flag(&keys.unprivileged),
            flag(&keys.nesting),
            flag(&keys.keyctl),
            flag(&keys.fuse),
        ];
        for ((there, here), value) in KEYS.iter().zip(values) {
            let Some((value, span)) = value else { continue };
            let line = self.line(&span);
            if value.contains(['\n', '\r']) {
                self.fault(line, format!("{here} has several lines"), "a setting is one line");
                continue;
            }
            conf.push_str(&shell::written(there, &value));
            lines.push(line);
        }
        self.put(CONF.to_owned(), conf, false, Place { whole: None, lines: Lines::Each(lines) });
    }

    fn lists(&mut self, lists: &Lists) {
        for (name, managers) in lists {
            for (manager, items) in managers {
                let (mut content, mut lines) = (String::new(), Vec::new());
                for item in items.get_ref() {
                    let line = self.line(&item.span());
                    let text = item.get_ref();
                    if text.trim().is_empty() || text.contains(['\n', '\r']) || text.trim().starts_with('#') {
                        self.fault(line, "this is no package", "each is one line with something in it");
                    }
                    content.push_str(text);
                    content.push('\n');
                    lines.push(line);
                }
                let place = Place { whole: Some(self.line(&items.span())), lines: Lines::Each(lines) };
                self.put(format!("{PACKAGES}/{name}.{manager}"), content, false, place);
            }
        }
    }

    fn sidecar(&mut self, path: String, line: Spanned<String>) {
        let at = self.line(&line.span());
        if line.get_ref().trim().is_empty() || line.get_ref().contains(['\n', '\r']) {
            return self.fault(at, "this is one line with something in it", "a directory, or a policy");
        }
        let place = Place { whole: Some(at), lines: Lines::Each(vec![at]) };
        self.put(path, format!("{}\n", line.into_inner()), false, place);
    }

    fn part(&mut self, path: String, name: &Spanned<String>, text: Spanned<String>, executable: bool) {
        if name.get_ref().contains('/') {
            let line = self.line(&name.span());
            return self.fault(line, format!("{:?} is no name", name.get_ref()), "there is no / in a name");
        }
        let span = text.span();
        let literal = self.text.get(span.clone()).unwrap_or_default();
        let below =
            ["'''\n", "\"\"\"\n", "'''\r\n", "\"\"\"\r\n"].iter().any(|open| literal.starts_with(open));
        let first = self.line(&span) + usize::from(below);
        let place = Place { whole: Some(self.line(&name.span())), lines: Lines::From(first) };
        self.put(path, text.into_inner(), executable, place);
    }
}

//! What becomes of a template when another takes its place, part by part. Owns what counts as a change and how it is
//! said; must not change anything.

use std::fmt;

use super::{PackageList, Settings, Template};

/// What happens to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was not there.
    Added,
    /// It is another one.
    Changed,
    /// It is there no more.
    Removed,
}

impl How {
    /// `added`
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One part that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `setting`, `script`, `file` or `packages`.
    pub part: &'static str,
    /// Which one.
    pub name: String,
    /// What happens to it.
    pub how: How,
    /// `1 to 2`; empty where there is nothing short to say.
    pub detail: String,
}

/// What changes between them; nothing = they are the same.
#[must_use]
pub fn difference(before: &Template, after: &Template) -> Vec<Change> {
    let mut changes = Vec::new();
    for ((name, old), (_, new)) in settings(&before.settings).into_iter().zip(settings(&after.settings)) {
        if old != new {
            let detail = format!("{} to {}", some(&old), some(&new));
            changes.push(Change { part: "setting", name: name.to_owned(), how: How::Changed, detail });
        }
    }
    compare(
        "script",
        &before.scripts,
        &after.scripts,
        |one| one.name.clone(),
        |_, _| String::new(),
        &mut changes,
    );
    let moved = |old: &super::File, new: &super::File| {
        let mut said = Vec::new();
        if old.directory != new.directory {
            said.push(format!("{} to {}", old.directory, new.directory));
        }
        if old.policy != new.policy {
            said.push(format!("{} to {}", old.policy, new.policy));
        }
        said.join(", ")
    };
    compare("file", &before.files, &after.files, |one| one.name.clone(), moved, &mut changes);
    changes.extend(list_changes(&before.packages, &after.packages));
    changes
}

/// What changes between package lists; nothing = they are the same.
#[must_use]
pub fn list_changes(before: &[PackageList], after: &[PackageList]) -> Vec<Change> {
    let mut changes = Vec::new();
    let items = |old: &PackageList, new: &PackageList| {
        let gone =
            old.items.iter().filter(|item| !new.items.contains(item)).map(|item| format!("-{}", short(item)));
        let come =
            new.items.iter().filter(|item| !old.items.contains(item)).map(|item| format!("+{}", short(item)));
        gone.chain(come).collect::<Vec<_>>().join(" ")
    };
    let called = |list: &PackageList| format!("{}.{}", list.name, list.manager);
    compare("packages", before, after, called, items, &mut changes);
    changes
}

/// Of a line of a custom list its name is enough.
fn short(item: &str) -> &str {
    item.split('|').next().unwrap_or(item)
}

fn some(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

fn compare<T: PartialEq>(
    part: &'static str,
    before: &[T],
    after: &[T],
    name: impl Fn(&T) -> String,
    detail: impl Fn(&T, &T) -> String,
    changes: &mut Vec<Change>,
) {
    let find = |all: &'_ [T], wanted: &str| all.iter().position(|one| name(one) == wanted);
    for old in before {
        let called = name(old);
        let (how, detail) = match find(after, &called).map(|at| &after[at]) {
            None => (How::Removed, String::new()),
            Some(new) if new != old => (How::Changed, detail(old, new)),
            Some(_) => continue,
        };
        changes.push(Change { part, name: called, how, detail });
    }
    for new in after {
        let called = name(new);
        if find(before, &called).is_none() {
            changes.push(Change { part, name: called, how: How::Added, detail: String::new() });
        }
    }
}

fn settings(settings: &Settings) -> [(&'static str, String); 11] {
    let Settings {
        description,
        tags,
        os,
        version,
        cpu,
        ram_mb,
        disk_gb,
        unprivileged,
        nesting,
        keyctl,
        fuse,
    } = settings;
    let flag = |on: &bool| String::from(if *on { "on" } else { "off" });
    [
        ("description", description.clone()),
        ("tags", tags.join(";")),
        ("os", os.clone()),
        ("version", version.clone()),
        ("cpu", cpu.to_string()),
        ("ram", format!("{ram_mb} MB")),
        ("disk", format!("{disk_gb} GB")),
        ("unprivileged", flag(unprivileged)),
        ("nesting", flag(nesting)),
        ("keyctl", flag(keyctl)),
        ("fuse", flag(fuse)),
    ]
}

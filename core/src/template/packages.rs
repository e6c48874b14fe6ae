//! Package lists: `NAME.apt` and its kin, one package a line, `#` comments. Owns lines and names; what a package of a
//! manager looks like is `spec`'s.

use super::fault::shown;
use super::read::{Folder, text};
use super::{Custom, Fault, LARGEST_LIST, Manager, NAMES, PACKAGES, PackageList, is_name, spec};

pub(super) fn read(folder: &Folder<'_>, faults: &mut Vec<Fault>) -> Vec<PackageList> {
    let mut lists: Vec<PackageList> = Vec::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    for (name, source) in folder {
        let path = format!("{PACKAGES}/{name}");
        let parts = name.rsplit_once('.').and_then(|(name, kind)| Some((name, kind.parse().ok()?)));
        let Some((name, manager)) = parts else {
            let kinds: Vec<&str> = Manager::ALL.iter().map(|manager| manager.as_str()).collect();
            let why = format!("a list is called NAME.KIND, KIND being one of {}", kinds.join(" "));
            faults.push(Fault::file(&path, "this is no package list", why));
            continue;
        };
        if !is_name(name) {
            faults.push(Fault::file(&path, "this is no name of a package list", NAMES));
            continue;
        }
        let Some(text) = text(&path, source, LARGEST_LIST, faults) else { continue };
        let found = items(&path, text, manager, faults);
        let items = found.iter().map(|one| one.item.clone()).collect();
        wanted.extend(found);
        lists.push(PackageList { name: name.to_owned(), manager, items });
    }
    differing(&wanted, faults);
    lists.sort_by(|a, b| (&a.name, a.manager.as_str()).cmp(&(&b.name, b.manager.as_str())));
    lists
}

/// A package, and where it is wanted.
struct Wanted {
    manager: Manager,
    name: String,
    item: String,
    path: String,
    /// Counted from zero.
    at: usize,
}

/// All lists of a manager are one transaction, in which a package has one version. Without one any will do.
fn differing(all: &[Wanted], faults: &mut Vec<Fault>) {
    let versioned = |one: &Wanted| one.manager == Manager::Custom || one.item != one.name;
    let all: Vec<&Wanted> = all.iter().filter(|one| versioned(one)).collect();
    for (place, one) in all.iter().enumerate() {
        let same = |other: &&&Wanted| (other.manager, &other.name) == (one.manager, &one.name);
        let Some(first) = all[..place].iter().find(same) else { continue };
        if first.item != one.item {
            let why = format!("{}:{} wants {}", first.path, first.at + 1, shown(&first.item));
            faults.push(Fault::line(&one.path, one.at, format!("{} is wanted otherwise", one.name), why));
        }
    }
}

fn items(path: &str, text: &str, manager: Manager, faults: &mut Vec<Fault>) -> Vec<Wanted> {
    let mut items: Vec<Wanted> = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match manager {
            Manager::Custom => Custom::read(line).map(|custom| (custom.name.clone(), custom.written())),
            _ => {
                let package = without_comment(line);
                spec::check(manager, package).map(|name| (name.to_owned(), package.to_owned()))
            }
        };
        match read {
            Err((what, why)) => faults.push(Fault::line(path, at, what, why)),
            Ok((name, item)) => match items.iter().find(|known| known.name == name) {
                Some(before) => {
                    let why = format!("line {} has it already", before.at + 1);
                    faults.push(Fault::line(path, at, format!("{name} is there twice"), why));
                }
                None => items.push(Wanted { manager, name, item, path: path.to_owned(), at }),
            },
        }
    }
    items
}

/// What stands before a `#` that stands apart.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at]).trim_end()
}

//! Package lists: `NAME.apt` and its kin, one package a line, `#` comments. Owns lines and names; what a package of a
//! manager looks like is `spec`'s.

use super::read::{Folder, text};
use super::{Custom, Fault, LARGEST_LIST, Manager, NAMES, PACKAGES, PackageList, is_name, spec};

pub(super) fn read(folder: &Folder<'_>, faults: &mut Vec<Fault>) -> Vec<PackageList> {
    let mut lists: Vec<PackageList> = Vec::new();
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
        let items = items(&path, text, manager, faults);
        lists.push(PackageList { name: name.to_owned(), manager, items });
    }
    lists.sort_by(|a, b| (&a.name, a.manager.as_str()).cmp(&(&b.name, b.manager.as_str())));
    lists
}

fn items(path: &str, text: &str, manager: Manager, faults: &mut Vec<Fault>) -> Vec<String> {
    let mut items = Vec::new();
    let mut names: Vec<(String, usize)> = Vec::new();
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
            Ok((name, item)) => match names.iter().find(|(known, _)| *known == name) {
                Some((_, before)) => {
                    let why = format!("line {} has it already", before + 1);
                    faults.push(Fault::line(path, at, format!("{name} is there twice"), why));
                }
                None => {
                    names.push((name, at));
                    items.push(item);
                }
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

//! Buckets: named package lists that are chosen for templates. Owns what adding and removing a package does and how a
//! bucket becomes a part of a template; what a package is, is known where directories are read.

use super::{
    Custom, Fault, Manager, NAMES, PACKAGES, PackageList, Source, Sources, is_name, package_lists, spec,
};

/// What a bucket holds once these packages of a manager are in it: one that is there, in whichever version, is replaced.
#[must_use]
pub fn with(lists: &[PackageList], bucket: &str, manager: Manager, items: &[String]) -> Vec<PackageList> {
    let mut lists = lists.to_vec();
    let at = lists.iter().position(|list| list.manager == manager).unwrap_or_else(|| {
        lists.push(PackageList { name: bucket.to_owned(), manager, items: Vec::new() });
        lists.len() - 1
    });
    for item in items {
        let name = name_of(manager, item);
        match lists[at].items.iter_mut().find(|known| name_of(manager, known) == name) {
            Some(known) => known.clone_from(item),
            None => lists[at].items.push(item.clone()),
        }
    }
    lists
}

/// What it holds without them, however their versions are written.
#[must_use]
pub fn without(lists: &[PackageList], manager: Manager, items: &[String]) -> Vec<PackageList> {
    let mut lists = lists.to_vec();
    for list in lists.iter_mut().filter(|list| list.manager == manager) {
        let goes = |known: &String| {
            items.iter().any(|item| item == known || name_of(manager, item) == name_of(manager, known))
        };
        list.items.retain(|known| !goes(known));
    }
    lists.retain(|list| !list.items.is_empty());
    lists
}

/// The same lists as they are kept, under the name of their bucket.
///
/// # Errors
/// Everything that is wrong with them, at least one thing.
pub fn checked(bucket: &str, lists: &[PackageList]) -> Result<Vec<PackageList>, Vec<Fault>> {
    if !is_name(bucket) {
        let what = format!("{:?} is no name of a bucket", super::fault::shown(bucket));
        return Err(vec![Fault::file(bucket, what, NAMES)]);
    }
    let mut sources = Sources::new();
    put_into(&mut sources, bucket, lists);
    let mut lists = package_lists(&sources).map_err(|faults| {
        let below = format!("{PACKAGES}/");
        let short = |fault: Fault| Fault { file: fault.file.replace(&below, ""), ..fault };
        faults.into_iter().map(short).collect::<Vec<_>>()
    })?;
    lists.retain(|list| !list.items.is_empty());
    Ok(lists)
}

/// Copies a bucket into a template's files, in the place of lists of that name.
pub fn put_into(sources: &mut Sources, bucket: &str, lists: &[PackageList]) {
    for list in lists {
        let content: String = list.items.iter().map(|item| format!("{item}\n")).collect();
        let path = format!("{PACKAGES}/{bucket}.{}", list.manager);
        sources.insert(path, Source { content: content.into_bytes(), executable: false });
    }
}

/// What the manager calls it; what is none is called as it is written, and refused elsewhere.
fn name_of(manager: Manager, item: &str) -> String {
    match manager {
        Manager::Custom => Custom::read(item).map_or_else(|_| item.to_owned(), |custom| custom.name),
        _ => spec::check(manager, item).unwrap_or(item).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(items: &[&str]) -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn packages_come_and_go_by_name() {
        let lists = with(&[], "base", Manager::Apt, &words(&["nginx", "curl"]));
        let lists = with(&lists, "base", Manager::Npm, &words(&["pm2@5"]));
        let lists = with(&lists, "base", Manager::Apt, &words(&["nginx=1.26", "git"]));
        assert_eq!(lists[0].items, ["nginx=1.26", "curl", "git"]);
        let lists = without(&lists, Manager::Apt, &words(&["nginx", "git=1", "vim"]));
        assert_eq!((lists.len(), lists[0].items.as_slice()), (2, &["curl".to_owned()][..]));
        assert_eq!(without(&lists, Manager::Npm, &words(&["pm2"])).len(), 1, "an empty list is none");
        let custom = with(&[], "base", Manager::Custom, &words(&["node||one|", "node||two|"]));
        assert_eq!(custom[0].items, ["node||two|"]);
        assert!(without(&custom, Manager::Custom, &words(&["node"])).is_empty());
    }

    #[test]
    fn what_is_no_package_is_refused_by_its_list() {
        let told = |bucket: &str, manager, item: &str| {
            checked(bucket, &with(&[], bucket, manager, &words(&[item]))).unwrap_err()[0].to_string()
        };
        assert_eq!(told("base", Manager::Apt, "-y"), "base.apt:1: there is an option in it: -y");
        assert_eq!(told("../x", Manager::Apt, "a"), "../x: \"../x\" is no name of a bucket");
        let fine = with(&[], "base", Manager::Apt, &words(&["nginx"]));
        assert_eq!(checked("base", &fine).unwrap(), fine);
    }
}

//! From the files of a directory to a template. Owns which files are looked at and how large and of what kind they may
//! be; what stands in each is its own module's.

use std::collections::BTreeMap;

use super::{
    CONF, FILES, Fault, LARGEST_FILE, LARGEST_LIST, LARGEST_TEMPLATE, MOST_FILES, PACKAGES, PackageList,
    SCRIPTS, Source, Sources, Template, conf, files, is_name, packages, scripts, too_large,
};

/// The files of one folder by name.
pub(super) type Folder<'a> = BTreeMap<&'a str, &'a Source>;

/// What a path in a template's directory is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline {
    /// A file that is read, of at most so many bytes.
    Read(u64),
    /// Nothing to do with templates.
    Left,
}

/// Whether the file at a path (in the template's directory, with slashes) belongs to the template.
#[must_use]
pub fn outline(path: &str) -> Outline {
    // What editors, desktops and git leave behind is nobody's script.
    const LEFTOVERS: [&str; 3] = [".gitkeep", ".DS_Store", "Thumbs.db"];
    let name = path.rsplit('/').next().unwrap_or(path);
    let within = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    match path {
        CONF => Outline::Read(LARGEST_LIST),
        _ if LEFTOVERS.contains(&name) => Outline::Left,
        _ if within(SCRIPTS) || within(FILES) => Outline::Read(LARGEST_FILE),
        _ if within(PACKAGES) => Outline::Read(LARGEST_LIST),
        _ => Outline::Left,
    }
}

/// Reads a template. `called` is what its directory is called, for one that does not say its name.
///
/// # Errors
/// Everything that is wrong with it, at least one thing.
pub fn read(sources: &Sources, called: &str) -> Result<Template, Vec<Fault>> {
    let mut faults = Vec::new();
    let total: u64 = sources.values().map(|source| source.content.len() as u64).sum();
    if total > LARGEST_TEMPLATE || sources.len() > MOST_FILES {
        let what = format!("the template has {} files with {total} bytes", sources.len());
        let why = format!("at most {MOST_FILES} files and {LARGEST_TEMPLATE} bytes (8 MiB) together");
        return Err(vec![Fault::file(CONF, what, why)]);
    }
    for path in sources.keys().filter(|path| escapes(path)) {
        faults.push(Fault::file(
            path,
            "the path leads out of the template",
            "paths are below the template's directory",
        ));
    }
    let [scripts, files, packages] =
        [SCRIPTS, FILES, PACKAGES].map(|name| folder(sources, name, &mut faults));
    let conf = sources.get(CONF).and_then(|source| text(CONF, source, LARGEST_LIST, &mut faults));
    if !sources.contains_key(CONF) {
        faults.push(Fault::file(CONF, "it is missing", "it makes a directory a template"));
    }
    let settings = conf.map(|text| conf::read(text, &mut faults));
    let (scripts, files, packages) = (
        scripts::read(&scripts, &mut faults),
        files::read(&files, &mut faults),
        packages::read(&packages, &mut faults),
    );
    let (name, settings) = match settings {
        Some((name, settings)) if faults.is_empty() => (name.unwrap_or_else(|| called.to_owned()), settings),
        _ => return Err(faults),
    };
    if !is_name(&name) {
        let what = format!("TEMPLATE_APP is missing, and {:?} is no name", super::fault::shown(&name));
        return Err(vec![Fault::file(CONF, what, super::NAMES)]);
    }
    Ok(Template { name, settings, scripts, files, packages })
}

/// The package lists among these files.
///
/// # Errors
/// Everything that is wrong with them, at least one thing.
pub fn package_lists(sources: &Sources) -> Result<Vec<PackageList>, Vec<Fault>> {
    let mut faults = Vec::new();
    let folder = folder(sources, PACKAGES, &mut faults);
    let lists = packages::read(&folder, &mut faults);
    if faults.is_empty() { Ok(lists) } else { Err(faults) }
}

fn escapes(path: &str) -> bool {
    path.starts_with('/') || path.split('/').any(|part| matches!(part, "" | "." | ".."))
}

/// What lies directly in a folder; deeper there is nothing that could be meant.
fn folder<'a>(sources: &'a Sources, name: &str, faults: &mut Vec<Fault>) -> Folder<'a> {
    let mut folder = Folder::new();
    for (path, source) in sources.iter().filter(|(path, _)| matches!(outline(path), Outline::Read(_))) {
        let Some(file) = path.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if escapes(path) {
            continue;
        }
        if file.contains('/') {
            faults.push(Fault::file(
                path,
                "it lies in a folder of its own",
                format!("files lie directly in {name}"),
            ));
            continue;
        }
        folder.insert(file, source);
    }
    folder
}

/// The text of a file that is small enough to be one.
pub(super) fn text<'a>(
    path: &str,
    source: &'a Source,
    most: u64,
    faults: &mut Vec<Fault>,
) -> Option<&'a str> {
    let size = source.content.len() as u64;
    if size > most {
        faults.push(too_large(path, size, most));
        return None;
    }
    let binary = |line: Option<usize>| {
        let why = format!(
            "files of a template are UTF-8 text of at most {most} bytes; fetch anything else in a script"
        );
        Fault { line, ..Fault::file(path, "it is binary", why) }
    };
    match std::str::from_utf8(&source.content) {
        Ok(text) => match text.find('\0') {
            Some(_) => faults.push(binary(None)),
            None => return Some(text),
        },
        Err(fault) => {
            let before = &source.content[..fault.valid_up_to()];
            let lines = before.iter().filter(|byte| **byte == b'\n').count();
            // Text in another encoding has a line where it goes wrong; a picture has none worth naming.
            faults.push(binary((!source.content.contains(&0)).then_some(lines + 1)));
        }
    }
    None
}

//! Files with their sidecars: `NAME`, `NAME.path` (where it goes) and `NAME.policy` (what happens to one that is
//! there). Owns what may stand in the sidecars.

use super::fault::shown;
use super::read::{Folder, text};
use super::{FILES, Fault, File, LARGEST_FILE, LARGEST_LIST, Policy};

const SIDECARS: [&str; 2] = [".path", ".policy"];
const TARGET: &str = "the one line is the directory in the container, from / on, without .. in it";

pub(super) fn read(folder: &Folder<'_>, faults: &mut Vec<Fault>) -> Vec<File> {
    let mut files = Vec::new();
    for (name, source) in folder {
        let path = format!("{FILES}/{name}");
        if let Some(owner) = SIDECARS.iter().find_map(|suffix| name.strip_suffix(suffix)) {
            if SIDECARS.iter().any(|suffix| owner.ends_with(suffix)) || !folder.contains_key(owner) {
                let what = format!("there is no file {} beside it", shown(owner));
                faults.push(Fault::file(&path, what, "NAME.path and NAME.policy belong to a file NAME"));
            }
            continue;
        }
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            faults.push(Fault::file(&path, "this is no name of a file", "at most 255 bytes of plain text"));
            continue;
        }
        let content = text(&path, source, LARGEST_FILE, faults);
        let directory = directory(folder, name, faults);
        let policy = policy(folder, name, faults);
        if let (Some(content), Some(directory), Some(policy)) = (content, directory, policy) {
            files.push(File {
                name: (*name).to_owned(),
                directory,
                policy,
                executable: source.executable,
                text: content.to_owned(),
            });
        }
    }
    files
}

fn directory(folder: &Folder<'_>, name: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let path = format!("{FILES}/{name}.path");
    let Some(source) = folder.get(format!("{name}.path").as_str()) else {
        let what = format!("{name}.path is missing");
        faults.push(Fault::file(
            &format!("{FILES}/{name}"),
            what,
            "it says in which directory the file goes",
        ));
        return None;
    };
    let (at, line) = only_line(&path, text(&path, source, LARGEST_LIST, faults)?, TARGET, faults)?;
    match target(line) {
        Some(directory) => Some(directory),
        None => {
            let what = format!("{:?} is no directory a file can go to", shown(line));
            faults.push(Fault::line(&path, at, what, TARGET));
            None
        }
    }
}

/// The directory without what says nothing: `/etc//nginx/./` is `/etc/nginx`.
fn target(line: &str) -> Option<String> {
    if !line.starts_with('/') || line.len() > 1_024 || line.chars().any(char::is_control) {
        return None;
    }
    let parts: Vec<&str> = line.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.contains(&"..")).then(|| format!("/{}", parts.join("/")))
}

fn policy(folder: &Folder<'_>, name: &str, faults: &mut Vec<Fault>) -> Option<Policy> {
    const WORDS: &str = "replace, default (keep the one that is there) or backup (move it aside)";
    let Some(source) = folder.get(format!("{name}.policy").as_str()) else { return Some(Policy::Default) };
    let path = format!("{FILES}/{name}.policy");
    let (at, line) = only_line(&path, text(&path, source, LARGEST_LIST, faults)?, WORDS, faults)?;
    let policy = line.parse();
    if policy.is_err() {
        let what = format!("there is no policy {}", shown(line));
        faults.push(Fault::line(&path, at, what, WORDS));
    }
    policy.ok()
}

/// The only line that is not empty, with its place.
fn only_line<'a>(
    path: &str,
    text: &'a str,
    wanted: &str,
    faults: &mut Vec<Fault>,
) -> Option<(usize, &'a str)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let Some(first) = lines.next() else {
        faults.push(Fault::file(path, "it is empty", wanted));
        return None;
    };
    if let Some((at, line)) = lines.next() {
        faults.push(Fault::line(path, at, format!("there is one line too many: {}", shown(line)), wanted));
        return None;
    }
    Some(first)
}

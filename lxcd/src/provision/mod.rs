//! What the pieces of a create read: archives made once, when a create is submitted. Owns their contents; what runs and
//! when is core's (`provision`, `op`), who carries it to the node is `ssh`'s.

use lxc_core::create::Part;
use lxc_core::error::{Code, Error, Result};
use lxc_core::provision::{Chosen, PRELUDE, main};
use lxc_core::template::{Manager, Template, name_of};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// The input of each piece, in order.
///
/// # Errors
/// When an archive cannot be written, which is a fault of ours.
pub fn inputs(chosen: &Chosen) -> Result<Vec<Vec<u8>>> {
    let fault = |error: std::io::Error| {
        Error::new(Code::Internal, "the files of the template cannot be packed").because(error.to_string())
    };
    chosen.parts.iter().map(|part| archive(part, &chosen.template).map_err(fault)).collect()
}

/// The input of pieces that no template has a part in.
///
/// # Errors
/// When an archive cannot be written, which is a fault of ours.
pub fn bare_inputs(parts: &[Part]) -> Result<Vec<Vec<u8>>> {
    let packed = parts.iter().map(|part| begun(part).and_then(Builder::into_inner));
    packed.collect::<std::io::Result<_>>().map_err(unpackable)
}

/// The input of a look at what runs, which no template has a part in.
///
/// # Errors
/// When the archive cannot be written, which is a fault of ours.
pub fn look() -> Result<Vec<u8>> {
    let packed = begun(&Part::Discover).and_then(Builder::into_inner);
    packed.map_err(unpackable)
}

fn unpackable(error: std::io::Error) -> Error {
    Error::new(Code::Internal, "a script cannot be packed").because(error.to_string())
}

/// With what every piece has.
fn begun(part: &Part) -> std::io::Result<Builder<Vec<u8>>> {
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, "main", main(part))?;
    add(&mut archive, "prelude.sh", PRELUDE)?;
    Ok(archive)
}

fn archive(part: &Part, template: &Template) -> std::io::Result<Vec<u8>> {
    let mut archive = begun(part)?;
    match part {
        Part::Reach | Part::Discover => {}
        Part::Files { .. } => files(&mut archive, template)?,
        Part::Packages { manager, .. } => add(&mut archive, "items", &items(template, *manager))?,
        Part::Script { name, .. } => {
            let script = template.scripts.iter().find(|script| script.name == *name);
            add(&mut archive, "script", script.map_or("", |script| &script.text))?;
        }
    }
    archive.into_inner()
}

/// The files by number, so that no name of theirs is a path here, and a list of where each goes.
fn files(archive: &mut Builder<Vec<u8>>, template: &Template) -> std::io::Result<()> {
    let mut manifest = String::new();
    for (number, file) in template.files.iter().enumerate() {
        let mode = if file.executable { "755" } else { "644" };
        let sum = hex::encode(Sha256::digest(file.text.as_bytes()));
        manifest.push_str(&format!(
            "{number}\t{}\t{mode}\t{sum}\t{}\t{}\n",
            file.policy, file.directory, file.name
        ));
        add(archive, &format!("files/{number}"), &file.text)?;
    }
    add(archive, "manifest", &manifest)
}

/// The items of all lists of a manager, a line each, none twice. Of one that is wanted both in any version and in a
/// certain one, the second alone: which of them a manager takes is a matter of their order.
fn items(template: &Template, manager: Manager) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let lists = template.packages.iter().filter(|list| list.manager == manager);
    for item in lists.flat_map(|list| &list.items) {
        if !lines.contains(&item.as_str()) {
            lines.push(item);
        }
    }
    let name = |line| name_of(manager, line);
    let certain: Vec<&str> = lines.iter().filter_map(|line| name(line).filter(|name| name != line)).collect();
    lines.retain(|line| !certain.contains(line));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn add(archive: &mut Builder<Vec<u8>>, path: &str, text: &str) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(text.len() as u64);
    archive.append_data(&mut header, path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use lxc_core::provision::choose;
    use lxc_core::template::{Source, read};

    use super::*;

    fn unpacked(bytes: &[u8]) -> BTreeMap<String, String> {
        let mut archive = tar::Archive::new(bytes);
        let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), text)
        };
        archive.entries().unwrap().map(entry).collect()
    }

    #[test]
    fn every_piece_has_what_it_needs() {
        let source = |text: &str| Source { content: text.into(), executable: false };
        let sources = BTreeMap::from([
            ("template.conf".to_owned(), source("TEMPLATE_OS=debian\n")),
            ("container-configs/scripts/10-a.sh".to_owned(), source("echo a\n")),
            ("container-configs/files/motd".to_owned(), source("hello\n")),
            ("container-configs/files/motd.path".to_owned(), source("/etc\n")),
            ("container-configs/packages/base.apt".to_owned(), source("curl\nnginx\n")),
            ("container-configs/packages/more.apt".to_owned(), source("curl\nnginx=1.26.0-1\n")),
        ]);
        let template = read(&sources, "box").unwrap();
        let chosen = choose(&template, &[]).unwrap();
        let names: Vec<String> = chosen.parts.iter().map(Part::name).collect();
        assert_eq!(names, ["reach", "files", "packages:apt", "script:10-a.sh", "discover"]);
        let all: Vec<_> = inputs(&chosen).unwrap().iter().map(|input| unpacked(input)).collect();
        assert!(all.iter().all(|input| input.contains_key("main") && input.contains_key("prelude.sh")));
        assert_eq!(all[1]["files/0"], "hello\n");
        assert!(
            all[1]["manifest"].starts_with("0\tdefault\t644\t")
                && all[1]["manifest"].ends_with("\t/etc\tmotd\n")
        );
        assert_eq!(all[2]["items"], "curl\nnginx=1.26.0-1\n");
        assert_eq!(all[3]["script"], "echo a\n");
        let fewer = choose(&template, &["packages:apt".to_owned(), "script:10-a.sh".to_owned()]).unwrap();
        assert_eq!(fewer.parts.len(), 3);
        assert!(choose(&template, &["script:99-z.sh".to_owned()]).is_err());
    }
}

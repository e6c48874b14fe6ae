//! The files under `completions/` are what this program would write today. `BLESS=1 cargo test -p lxcctl
//! --test assets` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions")
}

/// Every file by its path in that folder.
fn made() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (shell, name) in [("bash", "lxcctl.bash"), ("zsh", "_lxcctl"), ("fish", "lxcctl.fish")] {
        let output = Command::new(env!("CARGO_BIN_EXE_lxcctl")).args(["completion", shell]).output().unwrap();
        assert!(output.status.success(), "{shell}");
        files.insert(name.to_owned(), output.stdout);
    }
    let mut root = lxcctl::cli::Cli::command();
    root.build();
    pages(&root, "lxcctl", &mut files);
    files
}

/// One man page per command; `lxcctl op watch` is `lxcctl-op-watch(1)`.
fn pages(command: &clap::Command, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let mut page = Vec::new();
    // A leaked name or two in a test; clap wants them to live for ever.
    let own: &'static str = name.to_owned().leak();
    let shown = command.clone().name(own).display_name(own).version(env!("CARGO_PKG_VERSION"));
    // Short help names the shared flags only by group; the manual has them all.
    let shown = shown.mut_args(|arg| arg.hide_short_help(false));
    clap_mangen::Man::new(shown).date("").render(&mut page).unwrap();
    files.insert(format!("man/{name}.1"), page);
    for child in command.get_subcommands() {
        pages(child, &format!("{name}-{}", child.get_name()), files);
    }
}

fn present(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            present(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

#[test]
fn completions_and_man_pages_are_current() {
    let files = made();
    let folder = folder();
    if std::env::var_os("BLESS").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("man")).unwrap();
        for (name, text) in &files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &files {
        let kept = std::fs::read(folder.join(name)).unwrap_or_default();
        assert!(
            kept == *text,
            "completions/{name} is out of date: BLESS=1 cargo test -p lxcctl --test assets"
        );
    }
    let mut found = Vec::new();
    present(&folder, "", &mut found);
    found.retain(|name| !files.contains_key(name));
    assert!(found.is_empty(), "nobody makes {found:?} any more");
}

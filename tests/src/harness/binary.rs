//! Where the programs are: beside this test's own executable, where cargo puts them.

use std::path::PathBuf;

/// The path of a program of this workspace, built with the same profile as this test.
///
/// # Panics
/// If it has not been built: `cargo test` builds no program of another package, the Makefile does.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the path of this executable");
    // target/debug/deps/cli_verbs-1f3… → target/debug/lxcd
    let found = own.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no {name} near {}: run `make build` first", own.display()))
}

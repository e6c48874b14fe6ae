//! Who may depend on whom, and a few habits, as ARCHITECTURE.md states them. The rules are in `rules` and
//! `modules`; `source` reads code well enough to apply them. Each rule has a test that shows it can fail.

mod crates;
mod modules;
mod rules;
mod source;

use source::Source;

/// Fails with every violation, one a line.
fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n  {}\n", violations.join("\n  "));
}

#[test]
fn crates_depend_only_on_what_they_may() {
    none(crates::check(&crates::Graph::of_workspace()));
}

#[test]
fn modules_depend_only_on_what_they_may() {
    let sources = Source::workspace();
    none(modules::check("lxcd", modules::LXCD, &sources));
    none(modules::check("lxcctl", modules::LXCCTL, &sources));
}

#[test]
fn every_file_keeps_the_rules() {
    let sources = Source::workspace();
    assert!(sources.len() > 200, "only {} files found", sources.len());
    none(rules::check(&sources));
}

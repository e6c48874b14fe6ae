//! Which module of a crate may see which. Every top-level module has a line; one that is not here is an error,
//! so that a new module says where it belongs.

use std::collections::BTreeSet;

use crate::source::Source;

/// What a module may see.
pub(crate) enum Sees {
    /// Only these.
    Only(&'static [&'static str]),
    /// Anything: the wiring.
    All,
}
use Sees::{All, Only};

/// A module, what it may see, and what it sees though it should not, each with the reason.
pub(crate) struct Rule(&'static str, Sees, &'static [(&'static str, &'static str)]);

/// rpc -> service -> the rest; the engine sees ports only; store, bus, pve and ssh see nothing of ours.
pub(crate) const LXCD: &[Rule] = &[
    Rule("main", All, &[]),
    Rule("lib", All, &[]),
    Rule("app", All, &[]),
    Rule("cli", Only(&["app", "config", "failpoint", "maintenance"]), &[]),
    Rule(
        "maintenance",
        Only(&["app", "clock", "config", "janitor", "keyring", "service", "state_dir", "store"]),
        &[],
    ),
    Rule("rpc", Only(&["service"]), &[]),
    Rule(
        "service",
        Only(&["bus", "engine", "inventory", "keyring", "peer", "provision", "pve", "ssh", "store"]),
        &[],
    ),
    Rule("edges", Only(&["pve", "rpc"]), &[]),
    Rule("engine", Only(&["bus", "failpoint"]), &[]),
    Rule("inventory", Only(&["bus", "pve", "store"]), &[]),
    Rule("heartbeat", Only(&["engine", "store"]), &[]),
    Rule("standing", Only(&["bus", "engine", "inventory", "pve", "store"]), &[]),
    Rule("janitor", Only(&["config", "store"]), &[]),
    Rule("monitor", Only(&["service"]), &[]),
    Rule("metrics", Only(&["bus", "service"]), &[]),
    Rule("others", Only(&["bus", "config", "service", "store"]), &[]),
    Rule("peer", Only(&["config"]), &[]),
    Rule("store", Only(&[]), &[]),
    Rule("bus", Only(&[]), &[]),
    Rule("provision", Only(&[]), &[]),
    Rule("pve", Only(&[]), &[]),
    Rule("ssh", Only(&[]), &[]),
    Rule("config", Only(&[]), &[]),
    Rule("keyring", Only(&[]), &[]),
    Rule("clock", Only(&[]), &[]),
    Rule("failpoint", Only(&[]), &[]),
    Rule("socket", Only(&[]), &[]),
    Rule("state_dir", Only(&[]), &[]),
];

/// commands -> follow, client, ui; the client and the screen do not know commands.
pub(crate) const LXCCTL: &[Rule] = &[
    Rule("main", All, &[]),
    Rule("lib", All, &[]),
    Rule("commands", Only(&["cli", "client", "context", "exit", "follow", "ui"]), &[]),
    Rule("follow", Only(&["cli", "client", "context", "ui"]), &[]),
    Rule("context", Only(&["cli", "client", "ui"]), &[]),
    Rule("complete", Only(&["client"]), &[]),
    Rule("exit", Only(&["client"]), &[]),
    Rule("cli", Only(&["complete", "ui"]), &[]),
    Rule("client", Only(&["ui"]), &[]),
    Rule(
        "ui",
        Only(&[]),
        &[("client", "the rows of verbs are laid out from what the client shows of operations")],
    ),
];

/// Every violation in one crate.
pub(crate) fn check(krate: &str, rules: &[Rule], sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut excused = BTreeSet::new();
    let known: Vec<&str> = rules.iter().map(|rule| rule.0).collect();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let Some(own) = source.module(krate).and_then(|module| module.first().copied()) else {
            continue;
        };
        let Some(Rule(_, sees, exceptions)) = rules.iter().find(|rule| rule.0 == own) else {
            violations.push(format!("{}: the module {own} has no rule", source.path));
            continue;
        };
        let Only(allowed) = sees else {
            continue;
        };
        for other in source.refers_to(krate) {
            let other = other.as_str();
            if other == own || !known.contains(&other) || allowed.contains(&other) {
                continue;
            }
            if exceptions.iter().any(|(name, _)| *name == other) {
                excused.insert((own, other.to_owned()));
            } else {
                violations.push(format!("{}: {own} may not see {other}", source.path));
            }
        }
    }
    for Rule(own, _, exceptions) in rules {
        for (name, reason) in *exceptions {
            if !excused.contains(&(*own, (*name).to_owned())) {
                violations
                    .push(format!("{own} does not see {name} any more ({reason}): remove the exception"));
            }
        }
    }
    violations
}

#[test]
fn a_wrong_reference_is_found() {
    const RULES: &[Rule] = &[
        Rule("rpc", Only(&["service"]), &[("store", "reason")]),
        Rule("service", Only(&[]), &[]),
        Rule("store", Only(&[]), &[]),
    ];
    let check = |files: &[(&str, &str)]| {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        check("x", RULES, &sources)
    };
    let fine = ("x/src/rpc/a.rs", "use crate::service::A; use crate::store::B; use crate::rpc::C;");
    assert!(check(&[fine]).is_empty());
    assert_eq!(
        check(&[fine, ("x/src/store.rs", "use crate::{service};")]),
        ["x/src/store.rs: store may not see service"]
    );
    assert_eq!(
        check(&[("x/src/rpc.rs", "")]),
        ["rpc does not see store any more (reason): remove the exception"]
    );
    assert_eq!(check(&[fine, ("x/src/new.rs", "")]), ["x/src/new.rs: the module new has no rule"]);
    let in_test = ("x/src/store/tests/a.rs", "use crate::service;");
    assert!(check(&[fine, in_test, ("y/src/store.rs", "use crate::service;")]).is_empty());
}

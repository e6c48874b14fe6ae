//! Which crates may depend on which, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What our crates may need of each other, in exactly these kinds.
const OURS: &[(&str, &[&str])] = &[
    ("lxc-proto", &[]),
    ("lxc-core", &[]),
    ("lxcd", &["lxc-core", "lxc-proto"]),
    ("lxcctl", &["lxc-core", "lxc-proto"]),
];

/// Test code: nobody may need it but as a dev-dependency.
const TESTS: &str = "lxc-tests";

/// What does I/O: never below core.
const IO: &[&str] = &[
    "async-std",
    "futures",
    "hyper",
    "mio",
    "nix",
    "redis",
    "reqwest",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tokio",
    "tonic",
    "ureq",
];

/// Databases, HTTP clients and SSH: never below lxcctl. (tonic itself speaks HTTP/2 through hyper.)
const CONNECTIONS: &[&str] = &[
    "async-ssh2-lite",
    "curl",
    "deadpool",
    "fred",
    "isahc",
    "libsqlite3-sys",
    "libssh2-sys",
    "openssh",
    "postgres",
    "redis",
    "reqwest",
    "rusqlite",
    "russh",
    "sqlx",
    "sqlx-core",
    "ssh2",
    "tokio-postgres",
    "ureq",
];

/// (crate, what must not be below it)
const NEVER_BELOW: &[(&str, &[&str])] =
    &[("lxc-core", IO), ("lxc-proto", CONNECTIONS), ("lxcctl", CONNECTIONS)];

/// Crate → what it needs to be built and run (no dev-dependencies).
#[derive(Debug, Default)]
pub(crate) struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// As cargo resolves this workspace.
    pub(crate) fn of_workspace() -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            // One platform: the others' packages need not be on this machine.
            .other_options(["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned))
            .exec()
            .expect("cargo metadata");
        let name = |id| metadata[id].name.to_string();
        let mut graph = Self::default();
        for node in &metadata.resolve.as_ref().expect("a resolve").nodes {
            let needs = node
                .deps
                .iter()
                .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
            // Two versions of one crate are one here.
            let needs = needs.map(|dep| name(&dep.pkg)).collect::<Vec<_>>();
            graph.0.entry(name(&node.id)).or_default().extend(needs);
        }
        graph
    }

    /// A path from one crate to the other.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut queue = vec![vec![from.to_owned()]];
        let mut seen = BTreeSet::new();
        while let Some(path) = queue.pop() {
            let last = path.last()?;
            if last == to {
                return Some(path);
            }
            for next in self.0.get(last).into_iter().flatten().filter(|next| seen.insert((*next).clone())) {
                queue.push(path.iter().cloned().chain([next.clone()]).collect());
            }
        }
        None
    }
}

/// Every violation.
pub(crate) fn check(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    let ours: Vec<&str> = OURS.iter().map(|(krate, _)| *krate).chain([TESTS]).collect();
    for (krate, allowed) in OURS {
        let Some(needs) = graph.0.get(*krate) else {
            violations.push(format!("{krate} is not in the workspace any more; this rule is out of date"));
            continue;
        };
        for need in
            needs.iter().filter(|need| ours.contains(&need.as_str()) && !allowed.contains(&need.as_str()))
        {
            violations.push(format!("{krate} may not depend on {need}"));
        }
    }
    for (krate, forbidden) in NEVER_BELOW {
        for path in forbidden.iter().filter_map(|name| graph.path(krate, name)) {
            violations.push(format!("{krate} reaches {}", path.join(" -> ")));
        }
    }
    violations
}

#[test]
fn a_wrong_dependency_is_found() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::default();
        for (krate, _) in OURS {
            graph.0.entry((*krate).to_owned()).or_default();
        }
        for (from, to) in edges {
            graph.0.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        check(&graph)
    };
    assert!(graph(&[("lxcd", "lxc-core"), ("lxcd", "sqlx"), ("lxcctl", "tonic")]).is_empty());
    assert_eq!(graph(&[("lxcctl", "lxcd")]), ["lxcctl may not depend on lxcd"]);
    assert_eq!(graph(&[("lxcd", "lxc-tests")]), ["lxcd may not depend on lxc-tests"]);
    assert_eq!(graph(&[("lxc-core", "a"), ("a", "tokio")]), ["lxc-core reaches lxc-core -> a -> tokio"]);
    assert_eq!(graph(&[("lxcctl", "b"), ("b", "sqlx")]), ["lxcctl reaches lxcctl -> b -> sqlx"]);
    assert_eq!(check(&Graph::default()).len(), OURS.len());
}

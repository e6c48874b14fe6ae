//! Rules for single files: where a library's types stop, what is printed where, how long a file is.

use crate::source::Source;

/// No file is longer. Aim below 300.
const LONGEST: usize = 500;

/// A name that stays in its places. Checked in code that ships, below `within`.
struct Stays {
    names: &'static [&'static str],
    within: &'static [&'static str],
    places: &'static [&'static str],
    why: &'static str,
}

const EVERYWHERE: &[&str] = &["core/src/", "proto/src/", "lxcd/src/", "lxcctl/src/", "tests/src/"];

const STAY: &[Stays] = &[
    Stays {
        names: &["lxc_proto", "prost", "prost_types"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/rpc/", "lxcctl/src/client/"],
        why: "protobuf types stop at the edge",
    },
    Stays {
        names: &["tonic", "tonic_health", "tonic_reflection"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/rpc/", "lxcd/src/app.rs", "lxcctl/src/client/"],
        why: "gRPC stops at the edge",
    },
    Stays {
        names: &["sqlx", "sqlx_core"],
        within: EVERYWHERE,
        places: &["lxcd/src/store/"],
        why: "rows stop in the store",
    },
    Stays {
        names: &["reqwest", "rustls", "rustls_native_certs", "tokio_rustls", "x509_parser"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/pve/"],
        why: "HTTP and TLS stop in pve",
    },
    Stays {
        names: &["hyper"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/pve/", "lxcd/src/metrics.rs"],
        why: "HTTP stops in pve, but for the one page that Prometheus reads",
    },
    Stays {
        names: &["serde_json::Value", "serde_json::json", "serde_json::Map"],
        within: &["core/src/", "lxcd/src/"],
        places: &["lxcd/src/pve/", "lxcd/src/store/row.rs"],
        why: "loose JSON, as Proxmox sends it, stops in pve",
    },
    Stays {
        names: &["use redis", "redis::RedisResult", "redis::cmd", "redis::pipe"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/bus/"],
        why: "Redis stops in the bus",
    },
    Stays {
        names: &["russh", "shlex"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcd/src/ssh/"],
        why: "SSH stops in ssh",
    },
    Stays {
        names: &["inquire"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["lxcctl/src/ui/printer/"],
        why: "the Printer owns the terminal, and what draws on it",
    },
    Stays {
        names: &["aes_gcm"],
        within: EVERYWHERE,
        places: &["lxcd/src/keyring/"],
        why: "only the keyring encrypts",
    },
    Stays {
        names: &["toml"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        // A template is such a file while it is edited, and what stands in it is the format's to know.
        places: &["lxcd/src/config/", "lxcctl/src/commands/create/file.rs", "core/src/template/page.rs"],
        why: "TOML is what people write into files, and nothing else",
    },
    Stays {
        names: &["std::fs", "std::net::Tcp", "std::process", "std::thread", "std::env", "std::io"],
        within: &["core/src/"],
        places: &[],
        why: "core does no I/O",
    },
    Stays {
        names: &["Instant::now", "SystemTime::now", "Timestamp::now", "tokio::time", "Zoned::now"],
        within: &["core/src/", "lxcd/src/engine/", "lxcd/src/store/", "lxcd/src/inventory/"],
        // How long a connection may take to open, or be silent, is nobody's decision.
        places: &["lxcd/src/store/bound.rs", "lxcd/src/store/bound/execute.rs", "lxcd/src/store/open.rs"],
        why: "time comes through the Clock port",
    },
    Stays {
        names: &["pub trait", "pub(crate) trait", "pub(super) trait"],
        within: &["core/src/", "lxcd/src/", "lxcctl/src/"],
        places: &["core/src/ports.rs", "core/src/ports/", "lxcd/src/peer/accounts.rs"],
        why: "ports are the only traits; peer's lets tests bring their own users",
    },
    Stays {
        names: &["process::exit", "process::abort"],
        within: EVERYWHERE,
        places: &["lxcd/src/failpoint.rs"],
        why: "a program ends by returning from main; failpoints die as by kill -9",
    },
    Stays {
        names: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        within: EVERYWHERE,
        places: &[
            "lxcctl/src/ui/printer.rs",
            "lxcd/src/cli.rs",
            "lxcd/src/maintenance.rs",
            "tests/src/bin/",
            "tests/src/harness/",
            "tests/src/pvesim/replay/",
            "tests/src/shared.rs",
        ],
        why: "lxcctl prints through its Printer, lxcd logs",
    },
    Stays { names: &["unsafe"], within: EVERYWHERE, places: &[], why: "unsafe is forbidden" },
    Stays {
        names: &["dbg!", "todo!", "unimplemented!"],
        within: EVERYWHERE,
        places: &[],
        why: "not finished",
    },
];

/// Every violation.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(in_file).collect()
}

fn in_file(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = source.text.lines().count();
    if lines > LONGEST {
        violations.push(format!("{}: {lines} lines; {LONGEST} at most", source.path));
    }
    if !source.text.starts_with("//!") {
        violations.push(format!("{}: begins without //! that says what it owns", source.path));
    }
    if source.code.contains("#[allow(") || source.code.contains("#![allow(") {
        violations.push(format!("{}: #[expect(lint, reason)] instead of allow", source.path));
    }
    if source.is_test() {
        return violations;
    }
    let below = |folders: &[&str]| folders.iter().any(|folder| source.path.starts_with(folder));
    for rule in STAY.iter().filter(|rule| below(rule.within) && !below(rule.places)) {
        for name in rule.names.iter().filter(|name| source.names(name)) {
            violations.push(format!("{}: {name} does not belong here: {}", source.path, rule.why));
        }
    }
    violations
}

#[test]
fn what_does_not_belong_is_found() {
    let found = |path: &str, code: &str| in_file(&Source::new(path, &format!("//! Doc.\n{code}\n"))).len();
    for (path, code, fine) in [
        ("lxcd/src/engine/a.rs", "use lxc_proto::v1;", "lxcd/src/rpc/a.rs"),
        ("lxcctl/src/ui/a.rs", "use tonic::Status;", "lxcctl/src/client/a.rs"),
        ("lxcd/src/service/a.rs", "use sqlx::Row;", "lxcd/src/store/a.rs"),
        ("lxcd/src/inventory/a.rs", "fn f(c: reqwest::Client) {}", "lxcd/src/pve/a.rs"),
        ("lxcd/src/inventory/a.rs", "use serde_json::Value;", "lxcd/src/pve/a.rs"),
        ("lxcd/src/engine/a.rs", "use redis::Client;", "lxcd/src/bus/a.rs"),
        ("lxcd/src/service/a.rs", "use russh::client;", "lxcd/src/ssh/a.rs"),
        ("lxcd/src/store/a.rs", "use aes_gcm::Aead;", "lxcd/src/keyring/a.rs"),
        ("lxcd/src/store/a.rs", "use toml::Table;", "lxcd/src/config/a.rs"),
        ("core/src/a.rs", "use std::fs::File;", "lxcd/src/a.rs"),
        ("lxcd/src/engine/a.rs", "let t = Instant::now();", "lxcd/src/pve/a.rs"),
        ("lxcd/src/store/a.rs", "pub trait Row {}", "core/src/ports.rs"),
        ("lxcctl/src/a.rs", "std::process::exit(1);", "lxcctl/tests/a.rs"),
        ("lxcctl/src/commands/a.rs", "println!();", "lxcctl/src/ui/printer.rs"),
        ("lxcd/src/a.rs", "unsafe {}", "lxcd/tests/a.rs"),
        ("core/src/a.rs", "todo!()", "core/tests/a.rs"),
    ] {
        assert_eq!(found(path, code), 1, "{path}: {code}");
        assert_eq!(found(fine, code), 0, "{fine}: {code}");
    }
}

#[test]
fn long_undocumented_and_silenced_files_are_found() {
    let found = |text: &str| in_file(&Source::new("lxcd/tests/a.rs", text));
    assert!(found("//! Doc.\n").is_empty());
    assert_eq!(found("fn f() {}\n").len(), 1);
    assert_eq!(found("//! Doc.\n#[allow(dead_code)]\nfn f() {}\n").len(), 1);
    assert_eq!(found(&format!("//! Doc.\n{}", "\n".repeat(LONGEST))).len(), 1);
}

//! Recorded material that is not part of the repository: the official API schema and the exchanges
//! recorded from a genuine Proxmox VE.
//!
//! Owns where it is looked for (`LXC_SHARED`, else `../shared` beside the workspace). Tests that need it
//! skip, loudly, where it is absent.

use std::path::PathBuf;

use serde_json::Value;

/// The directory of recorded material.
#[must_use]
pub fn dir() -> PathBuf {
    std::env::var_os("LXC_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from)
}

/// The text of a file; says so where it is absent.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen in its output")]
pub fn text(name: &str) -> Option<String> {
    let path = dir().join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("SKIPPED: {} cannot be read ({error}); set LXC_SHARED", path.display());
            None
        }
    }
}

/// A JSON file.
#[must_use]
pub fn json(name: &str) -> Option<Value> {
    text(name).and_then(|text| serde_json::from_str(&text).ok())
}

/// All recorded exchanges, in order.
#[must_use]
pub fn exchanges() -> Option<Vec<Value>> {
    let text = text("pve/exchanges.jsonl")?;
    Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The answer recorded under a name.
#[must_use]
pub fn recorded(name: &str) -> Option<Value> {
    let found = exchanges()?.into_iter().find(|e| e["name"] == name)?;
    found["response_body"].as_str().and_then(|body| serde_json::from_str(body).ok())
}

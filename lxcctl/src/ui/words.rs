//! The words of states and steps as people read them; JSON keeps the daemon's own. Must not print.

use crate::client::view::Operation;

/// Not begun: a lock, its turn or an answer is waited for.
pub const WAITING: &str = "waiting";

/// The participle of a verb.
#[must_use]
pub fn doing(verb: &str) -> &'static str {
    match verb {
        "start" => "starting",
        "stop" | "shutdown" => "stopping",
        "restart" => "restarting",
        "delete" => "deleting",
        "forget" => "forgetting",
        "create" => "creating",
        _ => "working",
    }
}

/// How an operation stands, in a list: `started`, `refused`, `starting`, `waiting`.
#[must_use]
pub fn result(operation: &Operation) -> String {
    match (operation.state.as_str(), &operation.result) {
        ("needs_attention", _) => "unknown".to_owned(),
        ("queued", None) => WAITING.to_owned(),
        ("running", None) => doing(&operation.verb).to_owned(),
        (state, None) => state.to_owned(),
        (_, Some(result)) => result.clone(),
    }
}

/// How an operation stands, about itself: `succeeded`, `running`, `waiting`.
#[must_use]
pub fn state(operation: &Operation) -> &str {
    match (operation.state.as_str(), operation.result.as_deref()) {
        (_, Some("unchanged")) => "unchanged",
        ("queued", _) => WAITING,
        ("needs_attention", _) => "outcome unknown",
        (state, _) => state,
    }
}

/// How a step stands.
#[must_use]
pub fn step(state: &str) -> &str {
    match state {
        "pending" => "not begun",
        "dispatching" => "calling Proxmox",
        "watching" => "running",
        "verifying" => "checking",
        other => other,
    }
}

/// Where an operation is: `1/2 watching` becomes `1/2 running`.
#[must_use]
pub fn phase(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((before, state)) => format!("{before} {}", step(state)),
        None => step(text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_the_engines_own_words() {
        assert_eq!(phase("1/2 watching"), "1/2 running");
        assert_eq!(phase("pending"), "not begun");
        assert_eq!(phase(""), "");
        assert_eq!(step("done"), "done");
    }
}

//! What a refusal of Proxmox means. A refused POST and a task that failed with the same words are the
//! same refusal, so exit codes agree (ARCHITECTURE.md, rule 10). Owns the texts; must not decide on retries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A class of refusals; the texts are Proxmox's (docs/proxmox.md, Errors).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// `CT N already running`
    AlreadyRunning,
    /// `CT N not running`; also said of unknown vmids.
    NotRunning,
    /// `CT is locked (x)`
    Locked(String),
    /// `can't lock file '…' - got timeout`: busy, had no effect.
    Busy,
    /// `protection mode enabled`
    Protected,
    /// `you can't start a CT if it's a template`
    Template,
    /// `Configuration file '…' does not exist`: gone, or on another node.
    NoConfig,
    /// `container is running` (delete without force)
    StillRunning,
    /// `CT N already exists on node 'x'`
    Exists,
    /// `used in HA resources and purge parameter not set`
    HaWithoutPurge,
    /// `container did not stop`
    DidNotStop,
    /// `no such cluster node`, `hostname lookup 'x' failed`
    NoNode,
    /// `Permission check failed (path, priv)`
    Permission {
        /// `/vms/104`, when said.
        path: Option<String>,
        /// `VM.PowerMgmt`, when said.
        privilege: Option<String>,
    },
    /// `Parameter verification failed.`
    Parameters(BTreeMap<String, String>),
    /// Passes by itself: `failed to read from command socket`, `nsenter … failed`.
    Transient,
    /// Any other words.
    Other,
}

/// What Proxmox answered, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The class.
    pub kind: RefusalKind,
    /// Proxmox's words, one line, no secrets: they never hold any.
    pub text: String,
}

impl Refusal {
    /// Classifies an error text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let text = text.trim().replace(['\n', '\r'], " ");
        Self { kind: classify(&text), text }
    }

    /// A 400 with its map of parameter errors.
    #[must_use]
    pub fn parameters(errors: BTreeMap<String, String>) -> Self {
        let text =
            errors.iter().map(|(key, what)| format!("{key}: {}", what.trim())).collect::<Vec<_>>().join("; ");
        Self { kind: RefusalKind::Parameters(errors), text }
    }
}

fn classify(text: &str) -> RefusalKind {
    let has = |part: &str| text.contains(part);
    if let Some(inside) = text.split("CT is locked (").nth(1) {
        let lock = inside.split(')').next().unwrap_or_default();
        return RefusalKind::Locked(lock.to_owned());
    }
    if let Some(rest) = text.strip_prefix("Permission check failed") {
        let inside = rest.trim().trim_start_matches('(').trim_end_matches(')');
        // Some say in a sentence what only root@pam may do, instead of a path and a privilege.
        let (path, privilege) = inside.split_once(',').unwrap_or((inside, ""));
        let path = Some(path.trim()).filter(|path| path.starts_with('/')).map(str::to_owned);
        let privilege = Some(privilege.trim()).filter(|privilege| !privilege.is_empty()).map(str::to_owned);
        return RefusalKind::Permission { path, privilege };
    }
    if has("can't lock file") && has("got timeout") {
        RefusalKind::Busy
    } else if has("already running") {
        RefusalKind::AlreadyRunning
    } else if has("container is running") {
        RefusalKind::StillRunning
    } else if has("not running") {
        RefusalKind::NotRunning
    } else if has("protection mode enabled") {
        RefusalKind::Protected
    } else if has("if it's a template") {
        RefusalKind::Template
    } else if has("Configuration file") && has("does not exist") {
        RefusalKind::NoConfig
    } else if has("already exists on node") {
        RefusalKind::Exists
    } else if has("purge parameter not set") {
        RefusalKind::HaWithoutPurge
    } else if has("container did not stop") {
        RefusalKind::DidNotStop
    } else if has("no such cluster node") || has("hostname lookup") {
        RefusalKind::NoNode
    } else if has("failed to read from command socket") || has("nsenter") {
        RefusalKind::Transient
    } else {
        RefusalKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_texts() {
        let cases = [
            ("CT 104 already running\n", RefusalKind::AlreadyRunning),
            ("CT 104 not running", RefusalKind::NotRunning),
            ("VM 104 not running", RefusalKind::NotRunning),
            ("CT is locked (backup)", RefusalKind::Locked("backup".into())),
            ("can't lock file '/run/lock/lxc/pve-config-111.lock' - got timeout", RefusalKind::Busy),
            ("can't remove CT 105 - protection mode enabled", RefusalKind::Protected),
            ("you can't start a CT if it's a template", RefusalKind::Template),
            ("Configuration file 'nodes/pve/lxc/999.conf' does not exist", RefusalKind::NoConfig),
            ("unable to destroy CT 105 - container is running", RefusalKind::StillRunning),
            ("container did not stop", RefusalKind::DidNotStop),
            ("bridge 'vmbr9' does not exist", RefusalKind::Other),
            ("failed to read from command socket: Connection reset by peer", RefusalKind::Transient),
            (
                "Permission check failed (/vms/106, VM.PowerMgmt)",
                RefusalKind::Permission {
                    path: Some("/vms/106".into()),
                    privilege: Some("VM.PowerMgmt".into()),
                },
            ),
            ("Permission check failed", RefusalKind::Permission { path: None, privilege: None }),
            (
                "Permission check failed (changing the hookscript is only allowed for root@pam)",
                RefusalKind::Permission { path: None, privilege: None },
            ),
            (
                "Permission check failed (, VM.Audit)",
                RefusalKind::Permission { path: None, privilege: Some("VM.Audit".into()) },
            ),
        ];
        for (text, kind) in cases {
            assert_eq!(Refusal::from_text(text).kind, kind, "{text}");
        }
    }
}

//! The calls that change a container, as data: one place for path, parameters and the text a dry run
//! shows. Must not send anything.

use serde::{Deserialize, Serialize};

use crate::ids::Vmid;

/// One mutation of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum Call {
    /// `POST /nodes/N/lxc`
    Create {
        /// Its parameters, in order.
        options: Vec<(String, String)>,
    },
    /// `POST …/status/start`
    Start,
    /// `POST …/status/stop`
    Stop {
        /// Abort a running shutdown task of ours first (PVE 8.1 and later, never under HA).
        overrule_shutdown: bool,
    },
    /// `POST …/status/shutdown`
    Shutdown {
        /// Seconds, at least 1: 0 never ends.
        timeout: u32,
        /// Proxmox kills it when the timeout is over.
        force_stop: bool,
    },
    /// `DELETE …/lxc/ID`
    Delete {
        /// Stop it first, in the same task.
        force: bool,
        /// Also frees volumes found by vmid alone.
        destroy_unreferenced_disks: bool,
    },
}

/// HTTP method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Parameters go into the body.
    Post,
    /// Parameters go into the query: Proxmox refuses a body (501).
    Delete,
}

impl Call {
    /// Its HTTP method.
    #[must_use]
    pub fn method(&self) -> Method {
        match self {
            Self::Delete { .. } => Method::Delete,
            _ => Method::Post,
        }
    }

    /// What comes behind `/nodes/NODE/lxc`.
    #[must_use]
    pub fn path(&self, vmid: Vmid) -> String {
        match self {
            Self::Create { .. } => String::new(),
            Self::Start => format!("/{vmid}/status/start"),
            Self::Stop { .. } => format!("/{vmid}/status/stop"),
            Self::Shutdown { .. } => format!("/{vmid}/status/shutdown"),
            Self::Delete { .. } => format!("/{vmid}"),
        }
    }

    /// Its parameters; booleans are 0 and 1, the only spelling a form may have.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, String)> {
        let flag = |on: bool| String::from(if on { "1" } else { "0" });
        match self {
            Self::Create { options } => {
                options.iter().map(|(key, value)| (key.as_str(), value.clone())).collect()
            }
            Self::Start => Vec::new(),
            Self::Stop { overrule_shutdown: false } => Vec::new(),
            Self::Stop { overrule_shutdown: true } => vec![("overrule-shutdown", flag(true))],
            Self::Shutdown { timeout, force_stop } => {
                let mut all = vec![("timeout", timeout.to_string())];
                if *force_stop {
                    all.push(("forceStop", flag(true)));
                }
                all
            }
            Self::Delete { force, destroy_unreferenced_disks } => {
                let mut all = vec![("purge", flag(true)), ("force", flag(*force))];
                // Sent also when off: what "absent" means has changed between generations.
                all.push(("destroy-unreferenced-disks", flag(*destroy_unreferenced_disks)));
                all
            }
        }
    }

    /// Types a task of this call may have (docs/proxmox.md, Tasks); under HA the request is a task of its own.
    #[must_use]
    pub fn task_types(&self) -> &'static [&'static str] {
        match self {
            Self::Create { .. } => &["vzcreate"],
            Self::Start => &["vzstart", "hastart"],
            Self::Stop { .. } => &["vzstop", "hastop"],
            Self::Shutdown { .. } => &["vzshutdown", "hastop"],
            Self::Delete { .. } => &["vzdestroy"],
        }
    }

    /// `POST …/104/status/shutdown timeout=30 forceStop=1`
    #[must_use]
    pub fn describe(&self, vmid: Vmid) -> String {
        let method = match self.method() {
            Method::Post => "POST",
            Method::Delete => "DELETE",
        };
        let path = match self {
            Self::Create { .. } => "/lxc".to_owned(),
            _ => self.path(vmid),
        };
        let mut text = format!("{method} …{path}");
        for (key, value) in self.parameters() {
            // Of what has lines of its own the first one is enough.
            let first = value.lines().next().unwrap_or_default();
            let more = if first.len() < value.len() { "…" } else { "" };
            text.push_str(&format!(" {key}={first}{more}"));
        }
        text
    }
}

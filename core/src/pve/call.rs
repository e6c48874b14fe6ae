//! The calls that change a container, or bring what it is made from, as data: one place for path, parameters and the
//! text a dry run shows. Must not send anything.

use serde::{Deserialize, Serialize};

use crate::ids::Vmid;

/// One mutation, of one container or for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum Call {
    /// `POST /nodes/N/aplinfo`: harmless to repeat, Proxmox leaves a file alone that is there and right.
    Download {
        /// Where it goes.
        storage: String,
        /// Its name in Proxmox's list of images (`aplinfo`).
        file: String,
    },
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

    /// What comes behind `/nodes/NODE`.
    #[must_use]
    pub fn path(&self, vmid: Vmid) -> String {
        let of_container = |rest: &str| format!("/lxc/{vmid}{rest}");
        match self {
            Self::Download { .. } => "/aplinfo".to_owned(),
            Self::Create { .. } => "/lxc".to_owned(),
            Self::Start => of_container("/status/start"),
            Self::Stop { .. } => of_container("/status/stop"),
            Self::Shutdown { .. } => of_container("/status/shutdown"),
            Self::Delete { .. } => of_container(""),
        }
    }

    /// What a task of this call is about, as its UPID says.
    #[must_use]
    pub fn subject(&self, vmid: Vmid) -> String {
        match self {
            Self::Download { file, .. } => file.clone(),
            _ => vmid.to_string(),
        }
    }

    /// Its parameters; booleans are 0 and 1, the only spelling a form may have.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, String)> {
        let flag = |on: bool| String::from(if on { "1" } else { "0" });
        match self {
            Self::Download { storage, file } => {
                vec![("storage", storage.clone()), ("template", file.clone())]
            }
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
            Self::Download { .. } => &["download"],
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
        let path = self.path(vmid);
        // That it is a container is known wherever its number stands.
        let path = path.strip_prefix("/lxc").filter(|rest| !rest.is_empty()).unwrap_or(&path);
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

//! Faults on demand.
//!
//! Owns their grammar, their counting and the decision whether one fires. What a fired fault does to a
//! connection is `wire`'s business, what it does to a task `model`'s.
//!
//! ```text
//! lost-before:METHOD:GLOB[:COUNT]      the connection drops before the request takes effect
//! lost-after:METHOD:GLOB[:COUNT]       the effect happens, the answer never comes
//! reset-body:METHOD:GLOB[:COUNT]       the connection drops in the middle of the answer
//! truncated:METHOD:GLOB[:COUNT]        half a JSON document, with a matching Content-Length
//! html:METHOD:GLOB[:COUNT]             a proxy's HTML page with status 502
//! wrong-types:METHOD:GLOB[:COUNT]      numbers become strings, strings numbers
//! huge:METHOD:GLOB[:COUNT]             ten megabytes of answer
//! non-ascii:METHOD:GLOB[:COUNT]        500 with a reason phrase beyond ASCII
//! 595:METHOD:GLOB[:COUNT]              595 Connection refused, before the effect
//! 596:METHOD:GLOB[:COUNT]              596 after the effect, without a body
//! slow:METHOD:GLOB:DURATION[:COUNT]    the answer takes so much longer (500ms, 3s; real time)
//! http500:METHOD:GLOB:TEXT             500 with that text, before the effect
//! task-fail:VERB:ID:TEXT               the task fails with that text
//! task-warn:VERB:ID:TEXT               the task ends with a warning
//! task-hang:VERB:ID                    the task never ends
//! lock-timeout:VMID[:COUNT]            the config lock cannot be had
//! transient-list[:COUNT]               a list or current fails while a container goes down
//! list-lag:SECONDS                     lists notice what happens that much later
//! log-rotate                           finished tasks are forgotten, now
//! ```
//!
//! A fault fires once; `NAME#3:…` fires three times, `NAME#*:…` for ever. METHOD may be `*`.

use serde::{Deserialize, Serialize};

mod glob;
mod parse;

pub use parse::FaultError;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireFault {
    /// Connection dropped, no effect.
    LostBefore,
    /// Effect, then the connection is dropped.
    LostAfter,
    /// Effect, then the connection is dropped within the body.
    ResetBody,
    /// Effect, then half of the JSON.
    Truncated,
    /// Effect, then an HTML page.
    Html,
    /// Effect, then an answer of the wrong types.
    WrongTypes,
    /// Effect, then ten megabytes.
    Huge,
    /// No effect, a reason phrase beyond ASCII.
    NonAscii,
    /// No effect, 595.
    Refused,
    /// Effect, then 596.
    Broken,
    /// Effect, then a pause of so many real milliseconds.
    Slow(u64),
    /// No effect, 500 with this text.
    Failed(String),
}

/// What happens to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFault {
    /// It fails with this text.
    Fail(String),
    /// It never ends.
    Hang,
    /// It warns with this text.
    Warn(String),
}

/// What a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Request { method: String, glob: String, fault: WireFault },
    Task { verb: String, id: String, fault: TaskFault },
    LockTimeout(u32),
    TransientList,
    ListLag(u64),
    LogRotate,
}

/// A fault as it was ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The specification it was made from.
    pub spec: String,
    /// How often it still fires; `None` is for ever.
    pub left: Option<u32>,
    target: Target,
}

/// A fault as the control API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultInfo {
    /// Its specification.
    pub spec: String,
    /// How often it still fires; absent is for ever.
    pub left: Option<u32>,
}

/// Faults that are waiting.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Vec<Fault>,
    /// Specifications that fired since this was last emptied; the ledger takes them.
    fired: Vec<String>,
}

impl Faults {
    /// Adds a fault; true if it asks for the logs to be rotated at once.
    pub fn add(&mut self, fault: Fault) -> bool {
        let rotate = fault.target == Target::LogRotate;
        if !rotate {
            self.waiting.push(fault);
        }
        rotate
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// What is waiting.
    #[must_use]
    pub fn list(&self) -> Vec<FaultInfo> {
        self.waiting.iter().map(|f| FaultInfo { spec: f.spec.clone(), left: f.left }).collect()
    }

    /// Specifications that fired since the last call.
    pub fn take_fired(&mut self) -> Vec<String> {
        std::mem::take(&mut self.fired)
    }

    fn fire<T>(&mut self, matches: impl Fn(&Target) -> Option<T>) -> Option<T> {
        let (at, found) =
            self.waiting.iter().enumerate().find_map(|(i, f)| matches(&f.target).map(|t| (i, t)))?;
        let fault = &mut self.waiting[at];
        self.fired.push(fault.spec.clone());
        if let Some(left) = fault.left.as_mut() {
            *left -= 1;
            if *left == 0 {
                self.waiting.remove(at);
            }
        }
        Some(found)
    }

    /// The fault for a request, if one was ordered.
    pub fn take_request(&mut self, method: &str, path: &str) -> Option<WireFault> {
        if self.waiting.is_empty() {
            return None;
        }
        self.fire(|target| match target {
            Target::Request { method: m, glob, fault }
                if glob::matches(m, method) && glob::matches(glob, path) =>
            {
                Some(fault.clone())
            }
            Target::TransientList if method == "GET" && is_status(path) => Some(WireFault::Failed(
                "failed to read from command socket: Connection reset by peer".to_owned(),
            )),
            _ => None,
        })
    }

    /// The fault for a task, if one was ordered. `start` names `vzstart` and `hastart`.
    pub fn take_task(&mut self, kind: &str, id: &str) -> Option<TaskFault> {
        let short = kind.strip_prefix("vz").or_else(|| kind.strip_prefix("ha")).unwrap_or(kind);
        let short = if short == "destroy" { "delete" } else { short };
        self.fire(|target| match target {
            Target::Task { verb, id: wanted, fault }
                if (glob::matches(verb, kind) || glob::matches(verb, short)) && glob::matches(wanted, id) =>
            {
                Some(fault.clone())
            }
            _ => None,
        })
    }

    /// Must the lock of this container be denied?
    pub fn take_lock_timeout(&mut self, vmid: u32) -> bool {
        self.fire(|target| (*target == Target::LockTimeout(vmid)).then_some(())).is_some()
    }

    /// How much later lists notice what happens, in model milliseconds.
    #[must_use]
    pub fn list_lag_ms(&self) -> u64 {
        let lags = self.waiting.iter().filter_map(|f| match f.target {
            Target::ListLag(seconds) => Some(seconds * 1000),
            _ => None,
        });
        lags.max().unwrap_or(0)
    }
}

fn is_status(path: &str) -> bool {
    path.starts_with("/nodes/") && (path.ends_with("/lxc") || path.ends_with("/status/current"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(specs: &[&str]) -> Faults {
        let mut faults = Faults::default();
        for spec in specs {
            faults.add(spec.parse().expect("spec"));
        }
        faults
    }

    #[test]
    fn a_fault_fires_as_often_as_it_says() {
        let mut faults = faults(&["lost-before:POST:*/status/start:2"]);
        let path = "/nodes/pve/lxc/104/status/start";
        assert_eq!(faults.take_request("GET", path), None);
        assert_eq!(faults.take_request("POST", path), Some(WireFault::LostBefore));
        assert_eq!(faults.take_request("POST", path), Some(WireFault::LostBefore));
        assert_eq!(faults.take_request("POST", path), None);
        assert_eq!(faults.take_fired().len(), 2);
    }

    #[test]
    fn a_task_is_named_by_its_verb() {
        let mut faults = faults(&["task-fail:start:104:no: space left", "task-hang#*:*:*"]);
        assert_eq!(faults.take_task("vzstart", "104"), Some(TaskFault::Fail("no: space left".into())));
        assert_eq!(faults.take_task("vzdestroy", "9"), Some(TaskFault::Hang));
        assert_eq!(faults.take_task("vzdestroy", "9"), Some(TaskFault::Hang));
    }
}

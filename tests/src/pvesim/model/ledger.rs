//! What happened, in order, and how often what was asked.
//!
//! Owns the record that tests read to prove "exactly one task, exactly one effect". Nothing in the model
//! reads it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pvesim::clock::Ms;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// A mutating request and its outcome.
    Request {
        /// HTTP method.
        method: String,
        /// Path below `/api2/json`.
        path: String,
        /// Who asked, empty if unknown.
        who: String,
        /// Answered status; 0 while it is under way, or if the connection was dropped before any effect.
        status: u16,
        /// The UPID, the error text, or empty.
        outcome: String,
        /// Did the answer reach the caller?
        answered: bool,
    },
    /// A task began.
    TaskStart {
        /// Its name.
        upid: String,
    },
    /// A task ended.
    TaskEnd {
        /// Its name.
        upid: String,
        /// Its exit status.
        status: String,
    },
    /// A container changed.
    Effect {
        /// Which one.
        vmid: u32,
        /// started, stopped, created, destroyed, config, ha-error …
        what: String,
        /// The UPID that caused it, or the reason.
        by: String,
    },
    /// A fault was injected or fired.
    Fault {
        /// Its specification.
        spec: String,
        /// added, fired, removed.
        what: String,
    },
    /// Something was done over the control API.
    Control {
        /// What.
        what: String,
    },
}

/// A record with its place in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1.
    pub seq: u64,
    /// Model milliseconds since the start.
    pub at_ms: Ms,
    /// What.
    #[serde(flatten)]
    pub record: Record,
}

/// Requests answered, by class (`GET /nodes/{node}/lxc`), plus totals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// All requests.
    pub total: u64,
    /// All connections accepted.
    pub connections: u64,
    /// Requests by method and path template.
    pub by_class: BTreeMap<String, u64>,
}

/// The ledger.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// Request counters.
    pub counters: Counters,
}

impl Ledger {
    /// Notes what happened.
    pub fn note(&mut self, at_ms: Ms, record: Record) {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry { seq, at_ms, record });
    }

    /// Notes that a mutating request arrived; what became of it is told to [`Ledger::close_request`].
    pub fn open_request(&mut self, at_ms: Ms, method: &str, path: &str) -> u64 {
        let (method, path) = (method.to_owned(), path.to_owned());
        let (who, outcome) = (String::new(), String::new());
        self.note(at_ms, Record::Request { method, path, who, status: 0, outcome, answered: false });
        self.entries.len() as u64
    }

    /// Notes what became of a request.
    pub fn close_request(&mut self, seq: u64, by: &str, answer: (u16, String), reached: bool) {
        let entry = self.entries.get_mut((seq as usize).saturating_sub(1));
        if let Some(Record::Request { who, status, outcome, answered, .. }) = entry.map(|e| &mut e.record) {
            by.clone_into(who);
            (*status, *outcome) = answer;
            *answered = reached;
        }
    }

    /// Counts a request.
    pub fn count(&mut self, class: &str) {
        self.counters.total += 1;
        *self.counters.by_class.entry(class.to_owned()).or_default() += 1;
    }

    /// Everything so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

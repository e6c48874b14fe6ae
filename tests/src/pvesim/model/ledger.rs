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
        /// Answered status; 0 if the connection was dropped before the request took effect.
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

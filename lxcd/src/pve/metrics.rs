//! How often Proxmox was asked what, and what became of it. Owns the counters; must not sit between a request and
//! its answer.

use std::sync::atomic::{AtomicU64, Ordering};

use lxc_core::ports::PveError;

use super::exchange::{Broken, Received};

macro_rules! words {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[$doc])* $name,)*
        }

        impl $kind {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

words! {
/// What a request was for.
Class {
    /// `/version`
    Version = "version",
    /// `/nodes`, `/cluster/status`, `/nodes/N/status`
    Nodes = "nodes",
    /// `/nodes/N/certificates/info`
    Certificates = "certificates",
    /// `/access/permissions`
    Permissions = "permissions",
    /// Users, tokens, roles and who has them.
    Access = "access",
    /// `/cluster/resources`
    Resources = "resources",
    /// `/nodes/N/lxc`
    List = "list",
    /// `…/status/current`
    Current = "current",
    /// `…/config`
    Config = "config",
    /// `…/interfaces`
    Interfaces = "interfaces",
    /// `/nodes/N/tasks`
    Tasks = "tasks",
    /// `…/tasks/UPID/status`
    TaskStatus = "task_status",
    /// `…/tasks/UPID/log`
    TaskLog = "task_log",
    /// A mutation of a container.
    Dispatch = "dispatch",
    /// `DELETE …/tasks/UPID`
    StopTask = "stop_task",
    /// `/access/ticket`
    LogIn = "log_in",
}
}

words! {
/// What became of a request: few, however strange the answers are.
Outcome {
    /// Any 2xx.
    Good = "200",
    /// Neither token nor ticket was accepted.
    Unauthorized = "401",
    /// A right is missing.
    Forbidden = "403",
    /// Any other 4xx.
    Client = "4xx",
    /// Most of what Proxmox refuses.
    Refused = "500",
    /// Its proxy has not reached the node.
    Unreached = "595",
    /// Its proxy has lost the node's answer: 596 to 599.
    Proxy = "59x",
    /// Any other 5xx.
    Server = "5xx",
    /// What is no answer of Proxmox's.
    Strange = "other",
    /// No connection was made.
    NotDelivered = "not_delivered",
    /// The certificate was another one.
    Untrusted = "untrusted",
    /// No answer in time.
    Late = "late",
    /// Cut off after it may have arrived.
    Lost = "lost",
    /// An answer longer than what is taken.
    Oversized = "oversized",
    /// Whoever asked has not waited for it.
    GivenUp = "given_up",
}
}

impl Outcome {
    const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Good,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            400..=499 => Self::Client,
            500 => Self::Refused,
            595 => Self::Unreached,
            596..=599 => Self::Proxy,
            501..=594 => Self::Server,
            _ => Self::Strange,
        }
    }

    fn of(result: &Result<Received, Broken>) -> Self {
        match result {
            Ok(received) => Self::of_status(received.answer().status),
            Err(Broken::Before(PveError::Untrusted { .. })) => Self::Untrusted,
            Err(Broken::Before(_)) => Self::NotDelivered,
            Err(Broken::Late(_)) => Self::Late,
            Err(Broken::Cut(_)) => Self::Lost,
            Err(Broken::Oversized(_)) => Self::Oversized,
        }
    }
}

/// Requests since the start, by what they were for and what became of them; every attempt counts, once it is over.
#[derive(Debug, Default)]
pub struct Counters {
    ended: [[AtomicU64; Outcome::ALL.len()]; Class::ALL.len()],
}

/// A request that is not over. Dropped without an outcome it was given up.
pub(super) struct Asking<'a> {
    counters: &'a Counters,
    class: Class,
    outcome: Outcome,
}

impl Asking<'_> {
    pub(super) fn ended(mut self, result: &Result<Received, Broken>) {
        self.outcome = Outcome::of(result);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.counters.ended[self.class as usize][self.outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Counters {
    pub(super) fn begin(&self, class: Class) -> Asking<'_> {
        Asking { counters: self, class, outcome: Outcome::GivenUp }
    }

    /// Requests of one class that ended so.
    #[must_use]
    pub fn ended(&self, class: Class, outcome: Outcome) -> u64 {
        self.ended[class as usize][outcome as usize].load(Ordering::Relaxed)
    }

    /// Requests of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.ended(class, *outcome)).sum()
    }

    /// What was asked, what became of it, and how often; without what never happened.
    pub fn each(&self) -> impl Iterator<Item = (Class, Outcome, u64)> {
        let pairs = Class::ALL.iter().flat_map(|class| Outcome::ALL.iter().map(|outcome| (*class, *outcome)));
        pairs
            .map(|(class, outcome)| (class, outcome, self.ended(class, outcome)))
            .filter(|(.., times)| *times > 0)
    }

    /// Requests of all classes.
    #[must_use]
    pub fn total(&self) -> u64 {
        Class::ALL.iter().map(|class| self.of(*class)).sum()
    }

    /// Answers 401.
    #[must_use]
    pub fn refused_tokens(&self) -> u64 {
        Class::ALL.iter().map(|class| self.ended(*class, Outcome::Unauthorized)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_one_of_few() {
        let word = |status| Outcome::of_status(status).as_str();
        let all = [(204, "200"), (302, "other"), (401, "401"), (403, "403"), (404, "4xx"), (500, "500")];
        let proxy = [(501, "5xx"), (502, "5xx"), (595, "595"), (596, "59x"), (599, "59x"), (600, "other")];
        for (status, text) in all.into_iter().chain(proxy) {
            assert_eq!(word(status), text, "{status}");
        }
    }

    #[test]
    fn what_nobody_waited_for_is_counted_too() {
        let counters = Counters::default();
        drop(counters.begin(Class::List));
        counters.begin(Class::List).ended(&Err(Broken::Cut("cut".to_owned())));
        let each: Vec<_> = counters.each().collect();
        assert_eq!(each, [(Class::List, Outcome::Lost, 1), (Class::List, Outcome::GivenUp, 1)]);
        assert_eq!((counters.of(Class::List), counters.total()), (2, 2));
    }
}

//! How often Proxmox was asked what. Owns the counters; must not sit between a request and its answer.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a request was for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Class {
            $($(#[$doc])* $name,)*
        }

        impl Class {
            /// Every class, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

classes! {
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
}

/// Requests sent since the start, by class; every attempt counts.
#[derive(Debug, Default)]
pub struct Counters {
    sent: [AtomicU64; Class::ALL.len()],
    unauthorized: AtomicU64,
}

impl Counters {
    pub(super) fn sent(&self, class: Class) {
        self.sent[class as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unauthorized(&self) {
        self.unauthorized.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests of one class.
    #[must_use]
    pub fn of(&self, class: Class) -> u64 {
        self.sent[class as usize].load(Ordering::Relaxed)
    }

    /// Each class by its name.
    pub fn by_class(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Class::ALL.iter().map(|class| (class.as_str(), self.of(*class)))
    }

    /// Requests of all classes.
    #[must_use]
    pub fn total(&self) -> u64 {
        Class::ALL.iter().map(|class| self.of(*class)).sum()
    }

    /// Answers 401.
    #[must_use]
    pub fn refused_tokens(&self) -> u64 {
        self.unauthorized.load(Ordering::Relaxed)
    }
}

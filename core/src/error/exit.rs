//! The exit codes of lxcctl. A number never changes its meaning; which code means which is told by its digits.

/// Every way lxcctl can end (`lxcctl help exit-codes`). The numbers are the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The operation failed or was cancelled.
    Failed = 1,
    /// Wrong usage, ambiguous, or the answer was no.
    Usage = 2,
    /// Not found, or not yours to see.
    NotFound = 3,
    /// Locked, here or on Proxmox.
    Locked = 4,
    /// Wrong state, protected, pre-flight refused.
    Refused = 5,
    /// Not permitted.
    Denied = 6,
    /// Proxmox unreachable.
    Unreachable = 7,
    /// lxcd unreachable, or of another protocol version.
    NoDaemon = 8,
    /// Some succeeded, some did not; or a strict listing was incomplete.
    Partial = 9,
    /// Gave up waiting; still running.
    StillRunning = 10,
    /// Needs attention: outcome unknown.
    Attention = 11,
    /// Done with warnings, and --fail-on-warnings was given.
    Warnings = 12,
    /// Interrupted, detached.
    Interrupted = 130,
    /// Terminated, detached.
    Terminated = 143,
}

impl Exit {
    pub(super) const fn from_digits(number: u8) -> Self {
        match number {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::NotFound,
            4 => Self::Locked,
            5 => Self::Refused,
            6 => Self::Denied,
            7 => Self::Unreachable,
            8 => Self::NoDaemon,
            9 => Self::Partial,
            10 => Self::StillRunning,
            11 => Self::Attention,
            12 => Self::Warnings,
            _ => Self::Failed,
        }
    }

    /// The number the shell sees.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

//! The numbers of a connection to Proxmox, each with the reason it has. Must not be read from anywhere
//! but code: they follow from how pveproxy works, not from taste.

use std::time::Duration;

use super::limits::Share;

/// How long, how many, how often. The defaults follow docs/proxmox.md.
#[derive(Debug, Clone)]
pub struct Options {
    /// For name, TCP and TLS together.
    pub connect: Duration,
    /// For the answer to begin, and between its parts. Longer than the 30 s after which pveproxy
    /// gives up on another node, so that its 596 is seen.
    pub read: Duration,
    /// For a question in all.
    pub total: Duration,
    /// No requests for so long after a 401.
    pub unauthorized_pause: Duration,
    /// A ticket of a user with a password is renewed at this age; it lives two hours.
    pub ticket_age: Duration,
    /// Requests in flight at one node, of all daemons together.
    pub per_node: usize,
    /// How many daemons those are shared by.
    pub share: Share,
    /// Requests in flight at one remote.
    pub per_remote: usize,
    /// How long a change waits for its turn at a busy node before it counts as not delivered; its
    /// caller holds a lease meanwhile.
    pub change_patience: Duration,
    /// A second of Proxmox's time as seen from here: what is asked at once is measured by it.
    pub second: Duration,
    /// Pauses between attempts of a question that was refused with a text that passes.
    pub transient_pauses: Vec<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(35),
            total: Duration::from_secs(60),
            unauthorized_pause: Duration::from_secs(30),
            ticket_age: Duration::from_secs(3600),
            per_node: 4,
            share: Share::default(),
            per_remote: 20,
            second: Duration::from_secs(1),
            change_patience: Duration::from_secs(3),
            transient_pauses: vec![Duration::from_millis(150), Duration::from_millis(500)],
        }
    }
}

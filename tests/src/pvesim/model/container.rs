//! One container.
//!
//! Owns its configuration, its power state with the recent history (the lagging views need it) and how it
//! behaves when it is told to start or stop. Must not decide when anything happens.

use super::config::Config;
use crate::pvesim::clock::Ms;

/// A container's number.
pub type Vmid = u32;

/// The HA service of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ha {
    /// The state shown as `ha.state`: started, stopped, `request_stop`, error …
    pub state: String,
    /// The state that was asked for: started, stopped, disabled.
    pub requested: String,
    /// Seconds a requested shutdown is given; 0 kills.
    pub timeout: u64,
    /// Where it was told to go, and with which word: `migrate` or `relocate`.
    pub motion: Option<(&'static str, usize)>,
    /// Counts requests, so that an overtaken one does nothing.
    pub turn: u64,
}

impl Ha {
    /// A service in the given state.
    #[must_use]
    pub fn new(state: &str) -> Self {
        Self { state: state.to_owned(), requested: state.to_owned(), timeout: 0, motion: None, turn: 0 }
    }
}

impl Ha {
    /// Is it on its way between two nodes?
    #[must_use]
    pub fn moving(&self) -> bool {
        matches!(self.state.as_str(), "migrate" | "relocate")
    }

    /// Does HA keep it running, or try to?
    #[must_use]
    pub fn alive(&self) -> bool {
        !matches!(self.state.as_str(), "stopped" | "error" | "disabled" | "ignored")
    }
}

/// How a container behaves, apart from what its configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Ignores a clean shutdown.
    pub stubborn: bool,
    /// How long a start takes, in model milliseconds; `None` is the usual second or two.
    pub start_ms: Option<Ms>,
    /// A start ends with a warning.
    pub warns: bool,
    /// A start fails inside LXC with these lines.
    pub fails_start: bool,
    /// DHCP never answers.
    pub no_lease: bool,
}

/// One container.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its number.
    pub vmid: Vmid,
    /// Index of its node.
    pub node: usize,
    /// Its configuration.
    pub config: Config,
    /// Changes waiting for a restart.
    pub pending: Config,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// Its HA service, if it is managed.
    pub ha: Option<Ha>,
    /// When it came to be.
    pub created: Ms,
    /// When it last became running; meaningless while stopped.
    pub started: Ms,
    /// Seconds it had already been running at model time zero.
    pub head_start_s: i64,
    /// Process id of its init.
    pub pid: u32,
    /// Differs between two containers that had the same number one after the other.
    pub incarnation: u64,
    /// Power changes, newest last; only recent ones are kept.
    history: Vec<(Ms, bool)>,
}

impl Container {
    /// A stopped container.
    #[must_use]
    pub fn new(vmid: Vmid, node: usize, config: Config, created: Ms, incarnation: u64) -> Self {
        Self {
            vmid,
            node,
            config,
            pending: Config::default(),
            behaviour: Behaviour::default(),
            ha: None,
            created,
            started: 0,
            head_start_s: 0,
            pid: 0,
            incarnation,
            history: vec![(created, false)],
        }
    }

    /// Does its init run?
    #[must_use]
    pub fn running(&self) -> bool {
        self.history.last().is_some_and(|(_, on)| *on)
    }

    /// Did its init run at an earlier moment? `None` if it did not exist then.
    #[must_use]
    pub fn running_at(&self, t: Ms) -> Option<bool> {
        self.history.iter().rev().find(|(since, _)| *since <= t).map(|(_, on)| *on)
    }

    /// Turns it on or off.
    pub(super) fn set_power(&mut self, on: bool, t: Ms) {
        if self.running() == on {
            return;
        }
        self.history.push((t, on));
        if self.history.len() > 8 {
            self.history.remove(0);
        }
        if on {
            self.started = t;
            self.head_start_s = 0;
        }
    }

    /// Declares that it has been running for `seconds` at model time zero.
    pub fn run_since(&mut self, seconds: i64, pid: u32) {
        self.history = vec![(self.created, true)];
        self.started = self.created;
        self.head_start_s = seconds;
        self.pid = pid;
    }

    /// Its name; Proxmox calls a nameless one `CT` and its number.
    #[must_use]
    pub fn name(&self) -> String {
        self.config.get("hostname").map_or_else(|| format!("CT{}", self.vmid), str::to_owned)
    }

    /// The `lock` in its configuration.
    #[must_use]
    pub fn lock(&self) -> Option<&str> {
        self.config.get("lock")
    }

    /// Is it a template?
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.config.flag("template")
    }

    /// Is HA in charge of it?
    #[must_use]
    pub fn ha_managed(&self) -> bool {
        self.ha.as_ref().is_some_and(|ha| ha.requested != "ignored")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_can_be_asked() {
        let mut ct = Container::new(100, 0, Config::default(), 1000, 1);
        ct.set_power(true, 5000);
        ct.set_power(false, 9000);
        assert_eq!(ct.running_at(500), None);
        assert_eq!(ct.running_at(1000), Some(false));
        assert_eq!(ct.running_at(7000), Some(true));
        assert!(!ct.running());
    }
}

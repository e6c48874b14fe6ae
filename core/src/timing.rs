//! Every time constant of the engine, in one place, with their relations checked. Owns numbers; must
//! not read a clock.

use std::time::Duration;

use crate::ids::Micros;

/// Duration as microseconds, for adding to a point in time.
#[must_use]
pub fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

/// How long things take and how often we look. Tests shrink it with [`Timing::scaled`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Between two heartbeats of a daemon.
    pub heartbeat: Duration,
    /// How long a heartbeat is good for.
    pub lease: Duration,
    /// A driver stops dispatching so long before its lease ends.
    pub dispatch_margin: Duration,
    /// When to look for a task whose UPID was lost, counted from the dispatch.
    pub adopt: Vec<Duration>,
    /// Least and most wait before a busy config file is tried again.
    pub busy_wait: (Duration, Duration),
    /// How often a busy config file is tried again.
    pub busy_tries: u32,
    /// Between two looks at a container that waits for Proxmox's lock, HA or a slot.
    pub look: Duration,
    /// First and longest pause between polls of a task.
    pub poll: (Duration, Duration),
    /// First and longest pause when a node does not answer.
    pub trouble: (Duration, Duration),
    /// A node that does not answer for so long is looked past: HA may have taken its container elsewhere.
    pub elsewhere: Duration,
    /// An operation whose node does not answer for so long needs a person.
    pub attention_after: Duration,
    /// How long HA may take to act beyond what the verb itself allows.
    pub ha: Duration,
    /// A second of Proxmox's time (grace, task timeouts), as seen from here.
    pub pve_second: Duration,
    /// Between two keep-alive messages on an idle stream.
    pub keep_alive: Duration,
    /// How long a shutdown waits for drivers to reach a boundary.
    pub drain: Duration,
    /// Samples of a node while somebody looks, and while nobody does.
    pub sample: (Duration, Duration),
    /// How long after the last listing somebody counts as looking.
    pub looking: Duration,
    /// How often what other daemons may have done is read again: while they are not heard, and in any case.
    pub reread: (Duration, Duration),
    /// Between two looks into a container in the background; and from its start to the first.
    pub inside: (Duration, Duration),
    /// After the first attempt at an SSH connection; it doubles.
    pub connect: Duration,
    /// How long a container may take from its start until it can be worked in.
    pub reach: Duration,
    /// When to look again for events that were written but could not be told yet.
    pub settle: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let s = Duration::from_secs;
        let ms = Duration::from_millis;
        Self {
            heartbeat: s(10),
            lease: s(30),
            dispatch_margin: s(5),
            adopt: [1, 2, 5, 10, 20, 30, 45, 60, 90].map(s).to_vec(),
            busy_wait: (s(2), s(10)),
            busy_tries: 3,
            look: s(2),
            poll: (ms(100), s(5)),
            trouble: (s(1), s(60)),
            elsewhere: s(30),
            attention_after: s(24 * 3600),
            ha: s(120),
            pve_second: s(1),
            keep_alive: s(15),
            drain: s(20),
            sample: (s(10), s(60)),
            looking: s(300),
            reread: (s(2), s(30)),
            inside: (s(300), s(15)),
            connect: s(2),
            reach: s(120),
            settle: ms(200),
        }
    }
}

impl Timing {
    /// The same, `factor` times as fast; for tests against a simulator that is as fast.
    #[must_use]
    pub fn scaled(factor: u32) -> Self {
        let base = Self::default();
        let f = |duration: Duration| (duration / factor.max(1)).max(Duration::from_millis(1));
        let pair = |(a, b): (Duration, Duration)| (f(a), f(b));
        Self {
            heartbeat: f(base.heartbeat),
            lease: f(base.lease),
            dispatch_margin: f(base.dispatch_margin),
            adopt: base.adopt.iter().map(|d| f(*d)).collect(),
            busy_wait: pair(base.busy_wait),
            busy_tries: base.busy_tries,
            look: f(base.look),
            poll: pair(base.poll),
            trouble: pair(base.trouble),
            elsewhere: f(base.elsewhere),
            attention_after: f(base.attention_after),
            ha: f(base.ha),
            pve_second: f(base.pve_second),
            keep_alive: f(base.keep_alive),
            drain: f(base.drain),
            sample: pair(base.sample),
            looking: f(base.looking),
            reread: pair(base.reread),
            inside: pair(base.inside),
            connect: f(base.connect),
            // It is waited for in the container, whose own time is as it is, and in whole seconds.
            reach: f(base.reach).max(Duration::from_secs(3)),
            settle: f(base.settle),
        }
    }

    /// The relations that keep two daemons from dispatching the same step.
    ///
    /// # Errors
    /// Names the relation that does not hold.
    pub fn check(&self) -> Result<(), &'static str> {
        let rules = [
            (self.heartbeat * 2 < self.lease, "a lease must outlast two heartbeats"),
            (
                self.heartbeat + self.dispatch_margin < self.lease,
                "dispatching must stop before the lease ends",
            ),
            (self.adopt.is_sorted() && !self.adopt.is_empty(), "the adoption schedule must ascend"),
            (self.busy_wait.0 <= self.busy_wait.1, "busy_wait is least, then most"),
            (self.poll.0 <= self.poll.1 && !self.poll.0.is_zero(), "poll is first, then longest"),
            (self.trouble.0 <= self.trouble.1 && !self.trouble.0.is_zero(), "trouble is first, then longest"),
            (self.reach >= Duration::from_secs(1), "a container has a second to find its way, at least"),
            (!self.connect.is_zero(), "between two attempts to connect there is a pause"),
            (self.elsewhere < self.attention_after, "a node must be looked past before it is given up"),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err(rule))
    }

    /// When to look again for a lost task, `elapsed` after its dispatch: the next point of the
    /// schedule that is later; None when the schedule is over.
    #[must_use]
    pub fn next_adoption(&self, elapsed: Duration) -> Option<Duration> {
        self.adopt.iter().copied().find(|point| *point > elapsed)
    }

    /// How long Proxmox takes for `seconds` of its own time.
    #[must_use]
    pub fn pve(&self, seconds: u32) -> Duration {
        self.pve_second * seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_at_every_scale() {
        for factor in [1, 10, 50, 100] {
            Timing::scaled(factor).check().unwrap();
        }
    }

    #[test]
    fn adoption_ends() {
        let timing = Timing::default();
        assert_eq!(timing.next_adoption(Duration::ZERO), Some(Duration::from_secs(1)));
        assert_eq!(timing.next_adoption(Duration::from_secs(1)), Some(Duration::from_secs(2)));
        assert_eq!(timing.next_adoption(Duration::from_secs(90)), None);
    }
}

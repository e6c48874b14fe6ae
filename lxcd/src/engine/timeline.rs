//! Times that begin at a clock people read and go on by the boot clock: [`Timeline`] for one driver, [`Steady`]
//! for all stored deadlines. A wall clock that jumps neither ends an adoption early nor makes an operation
//! wait for an hour that never was. Owns that relation; must not know what is timed.

use std::time::Duration;

use lxc_core::ids::Micros;
use lxc_core::op::{Operation, StepState};
use lxc_core::ports::{Clock, Now};
use lxc_core::timing::micros;

/// What stored deadlines (`--wait-lock`) are set and compared on. It begins at the database's clock, so that
/// daemons agree and a deadline still means something after a restart; from there on it goes by the boot clock,
/// so that a jump of the wall clock makes nobody wait longer or shorter. Only a daemon that begins after a jump
/// sees the deadlines from before it off by as much: by then nothing remembers what the clock was.
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    began: Micros,
    boot: Duration,
}

impl Steady {
    /// Begins now, when the database's clock says so.
    #[must_use]
    pub fn new(database: Micros, clock: &dyn Clock) -> Self {
        Self { began: database, boot: clock.boot() }
    }

    /// Now, on both.
    #[must_use]
    pub fn now(&self, clock: &dyn Clock) -> Now {
        let passed = micros(clock.boot().saturating_sub(self.boot));
        Now { wall: clock.now(), steady: self.began.saturating_add(passed) }
    }
}

/// Where a driver's time began, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    wall: Micros,
    boot: Duration,
}

impl Timeline {
    /// Never before what the operation has recorded already: the wall clock may have been put back
    /// between two runs.
    pub(super) fn of(op: &Operation, clock: &dyn Clock) -> Self {
        let recorded = op.steps.iter().filter_map(|step| match &step.state {
            StepState::Dispatching { dispatch, .. } => Some(dispatch.at),
            StepState::Watching { watch, .. } => Some(watch.dispatch.at),
            StepState::Verifying { ended, .. } => Some(*ended),
            _ => step.finished,
        });
        let latest = recorded.chain([op.created]).chain(op.started).chain(op.degraded_since).max();
        Self { wall: clock.now().max(latest.unwrap_or(0)), boot: clock.boot() }
    }

    /// Now.
    pub(super) fn now(&self, clock: &dyn Clock) -> Micros {
        self.wall.saturating_add(micros(clock.boot().saturating_sub(self.boot)))
    }

    /// A stored deadline in this time; for ever stays for ever.
    pub(super) fn deadline(&self, stored: Micros, steady: &Steady, clock: &dyn Clock) -> Micros {
        if stored == Micros::MAX {
            return stored;
        }
        self.now(clock).saturating_add(stored.saturating_sub(steady.now(clock).steady))
    }

    /// How long it is until then; nothing when that has passed.
    pub(super) fn until(&self, then: Micros, clock: &dyn Clock) -> Duration {
        Duration::from_micros(u64::try_from(then.saturating_sub(self.now(clock))).unwrap_or(0))
    }

    /// How long that is ago.
    pub(super) fn since(&self, then: Micros, clock: &dyn Clock) -> Duration {
        Duration::from_micros(u64::try_from(self.now(clock).saturating_sub(then)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// A wall clock that can be put, and a boot clock that goes on.
    struct Hands {
        wall: AtomicI64,
        boot: AtomicI64,
    }

    impl Hands {
        fn pass(&self, time: Micros) {
            self.wall.fetch_add(time, Ordering::Relaxed);
            self.boot.fetch_add(time, Ordering::Relaxed);
        }
    }

    #[async_trait]
    impl Clock for Hands {
        fn now(&self) -> Micros {
            self.wall.load(Ordering::Relaxed)
        }
        fn boot(&self) -> Duration {
            Duration::from_micros(self.boot.load(Ordering::Relaxed).unsigned_abs())
        }
        async fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn a_deadline_survives_a_jump() {
        for jump in [3_600_000_000, -3_600_000_000] {
            let hands = Hands { wall: AtomicI64::new(5_000_000_000), boot: AtomicI64::new(70) };
            let steady = Steady::new(5_000_000_000, &hands);
            let deadline = steady.now(&hands).steady + 100;
            hands.pass(40);
            hands.wall.fetch_add(jump, Ordering::Relaxed);
            assert_eq!(steady.now(&hands), Now { wall: 5_000_000_040 + jump, steady: 5_000_000_040 });
            // A driver that begins only now has the new wall clock, and as much time left.
            let timeline = Timeline { wall: hands.now(), boot: hands.boot() };
            hands.pass(10);
            let here = timeline.deadline(deadline, &steady, &hands);
            assert_eq!(timeline.until(here, &hands), Duration::from_micros(50));
            assert_eq!(timeline.deadline(Micros::MAX, &steady, &hands), Micros::MAX);
        }
    }
}

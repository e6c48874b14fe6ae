//! This run's lease, as known locally. Counts from *before* the heartbeat was sent, on a clock that never
//! jumps, so that the local end is never later than the one in the database (DESIGN.md, rule 4).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lxc_core::ports::Clock;
use lxc_core::timing::Timing;

/// Until when this run may dispatch.
#[derive(Debug, Default)]
pub struct Lease {
    /// Microseconds of the boot clock; 0 = none.
    until: AtomicU64,
}

impl Lease {
    /// A heartbeat that was sent at `sent` has been accepted.
    pub fn extend(&self, sent: Duration, timing: &Timing) {
        let until = u64::try_from((sent + timing.lease).as_micros()).unwrap_or(u64::MAX);
        self.until.fetch_max(until, Ordering::AcqRel);
    }

    /// This run was declared over.
    pub fn lose(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Whether there is time to send a call and to write down its answer.
    pub fn may_dispatch(&self, clock: &dyn Clock, timing: &Timing) -> bool {
        let until = Duration::from_micros(self.until.load(Ordering::Acquire));
        clock.boot() + timing.dispatch_margin < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

    struct At(Duration);

    #[async_trait]
    impl Clock for At {
        fn now(&self) -> i64 {
            0
        }
        fn boot(&self) -> Duration {
            self.0
        }
        async fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn stops_before_the_end() {
        let (timing, lease) = (Timing::default(), Lease::default());
        let at = |seconds| At(Duration::from_secs(seconds));
        assert!(!lease.may_dispatch(&at(1), &timing));
        lease.extend(Duration::from_secs(100), &timing);
        assert!(lease.may_dispatch(&at(124), &timing));
        assert!(!lease.may_dispatch(&at(125), &timing));
        lease.lose();
        assert!(!lease.may_dispatch(&at(101), &timing));
    }
}

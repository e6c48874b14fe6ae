//! This run's lease, as known locally. Counts from *before* the heartbeat was sent, on a clock that never
//! jumps, so that the local end is never later than the one in the database (ARCHITECTURE.md, rule 4).

use std::time::Duration;

use lxc_core::ports::Clock;
use lxc_core::timing::Timing;
use parking_lot::Mutex;

/// Until when this run may dispatch.
#[derive(Debug, Default)]
pub struct Lease(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// On the boot clock; zero = none.
    until: Duration,
    /// Which unbroken stretch of leases this is.
    stretch: u64,
}

/// A permission to dispatch; good only within the stretch it was given in. A run that was paused past the
/// end of its lease renews it at once when it wakes, but what it was about to send may be another's by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit(u64);

impl Lease {
    /// A heartbeat that was sent at `sent` has been accepted.
    pub fn extend(&self, sent: Duration, timing: &Timing) {
        let mut state = self.0.lock();
        if sent > state.until {
            state.stretch += 1;
        }
        state.until = state.until.max(sent + timing.lease);
    }

    /// This run was declared over.
    pub fn lose(&self) {
        self.0.lock().until = Duration::ZERO;
    }

    /// Whether there is time to send a call and to write down its answer.
    pub fn permit(&self, clock: &dyn Clock, timing: &Timing) -> Option<Permit> {
        let state = self.0.lock();
        (clock.boot() + timing.dispatch_margin < state.until).then_some(Permit(state.stretch))
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
        let may = |seconds| lease.permit(&at(seconds), &timing).is_some();
        assert!(!may(1));
        lease.extend(Duration::from_secs(100), &timing);
        assert!(may(124));
        assert!(!may(125));
        lease.lose();
        assert!(!may(101));
    }

    #[test]
    fn a_lease_that_lapsed_is_another_one() {
        let (timing, lease) = (Timing::default(), Lease::default());
        let permit = |seconds| lease.permit(&At(Duration::from_secs(seconds)), &timing);
        lease.extend(Duration::from_secs(100), &timing);
        let first = permit(101);
        lease.extend(Duration::from_secs(110), &timing);
        assert_eq!(permit(111), first, "renewed in time");
        lease.extend(Duration::from_secs(141), &timing);
        assert!(permit(142).is_some());
        assert_ne!(permit(142), first, "renewed too late: somebody may have claimed in between");
    }
}

//! The time of one driver: begins at the wall clock, goes on by the boot clock. A wall clock that jumps
//! neither ends an adoption early nor makes an operation wait for an hour that never was. Owns that
//! relation; must not know what is timed.

use std::time::Duration;

use lxc_core::ids::Micros;
use lxc_core::op::{Operation, StepState};
use lxc_core::ports::Clock;
use lxc_core::timing::micros;

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

    /// How long it is until then; nothing when that has passed.
    pub(super) fn until(&self, then: Micros, clock: &dyn Clock) -> Duration {
        Duration::from_micros(u64::try_from(then.saturating_sub(self.now(clock))).unwrap_or(0))
    }

    /// How long that is ago.
    pub(super) fn since(&self, then: Micros, clock: &dyn Clock) -> Duration {
        Duration::from_micros(u64::try_from(self.now(clock).saturating_sub(then)).unwrap_or(0))
    }
}

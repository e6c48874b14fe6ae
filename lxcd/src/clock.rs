//! The real clock. Everything else takes time through `lxc_core::ports::Clock`.

use std::time::Duration;

use async_trait::async_trait;
use lxc_core::ids::Micros;
use lxc_core::ports::Clock;
use nix::time::{ClockId, clock_gettime};

/// Wall clock and CLOCK_BOOTTIME of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Micros {
        jiff::Timestamp::now().as_microsecond()
    }

    fn boot(&self) -> Duration {
        clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

//! Time inside the simulator.
//!
//! Owns the mapping between *model time* (milliseconds since start, running `speed` times faster than
//! the world outside), and *wall time* (what the simulated nodes stamp on their tasks). Durations of
//! work live in model time and shrink with `--speed`; stamps stay close to the caller's own clock, as a
//! node's clock does, plus whatever skew a test asks for. Must not know what time is used for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Model milliseconds since the simulator started.
pub type Ms = u64;

/// Translates model time into the unix time the simulated nodes show.
#[derive(Debug, Clone, Copy)]
pub struct Wall {
    epoch_ms: i64,
    speed: f64,
    skew_s: i64,
}

impl Wall {
    /// A wall clock that showed `epoch_ms` (unix milliseconds) at model time zero.
    #[must_use]
    pub fn new(epoch_ms: i64, speed: f64) -> Self {
        Self { epoch_ms, speed, skew_s: 0 }
    }

    /// Unix seconds at model time `t`, as the nodes show them.
    #[must_use]
    pub fn at(&self, t: Ms) -> i64 {
        (self.epoch_ms + self.elapsed_ms(t)).div_euclid(1000) + self.skew_s
    }

    /// Real milliseconds between the start and model time `t`.
    #[must_use]
    pub fn elapsed_ms(&self, t: Ms) -> i64 {
        (t as f64 / self.speed) as i64
    }

    /// Lets the nodes' clocks differ from the caller's by `seconds`.
    pub fn set_skew(&mut self, seconds: i64) {
        self.skew_s = seconds;
    }
}

/// The source of model time: the machine's clock, or a hand-turned one for tests.
#[derive(Debug)]
pub struct Clock {
    speed: f64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Real(Instant),
    Manual(AtomicU64),
}

impl Clock {
    /// Runs `speed` times as fast as real time from now on.
    #[must_use]
    pub fn real(speed: f64) -> Self {
        Self { speed, source: Source::Real(Instant::now()) }
    }

    /// Stands still until [`Clock::sleep`] or [`Clock::turn`] moves it.
    #[must_use]
    pub fn manual() -> Self {
        Self { speed: 1.0, source: Source::Manual(AtomicU64::new(0)) }
    }

    /// The current model time.
    #[must_use]
    pub fn now(&self) -> Ms {
        match &self.source {
            Source::Real(start) => (start.elapsed().as_secs_f64() * self.speed * 1000.0) as Ms,
            Source::Manual(t) => t.load(Ordering::SeqCst),
        }
    }

    /// Turns a manual clock forward; a real one takes no orders.
    pub fn turn(&self, by: Ms) {
        if let Source::Manual(t) = &self.source {
            t.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Waits for `ms` of model time; a manual clock jumps there instead.
    pub async fn sleep(&self, ms: Ms) {
        match &self.source {
            Source::Real(_) => {
                tokio::time::sleep(Duration::from_secs_f64(ms as f64 / 1000.0 / self.speed)).await;
            }
            Source::Manual(_) => self.turn(ms),
        }
    }

    /// How many times faster than real time the model runs.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

/// The machine's unix time in milliseconds.
#[must_use]
pub fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_follow_the_real_clock_whatever_the_speed() {
        let wall = Wall::new(1_000_000_000_000, 50.0);
        assert_eq!(wall.at(0), 1_000_000_000);
        assert_eq!(wall.at(50_000), 1_000_000_001);
    }

    #[test]
    fn skew_moves_the_stamps_only() {
        let mut wall = Wall::new(1_000_000_000_000, 1.0);
        wall.set_skew(-90);
        assert_eq!(wall.at(0), 999_999_910);
        assert_eq!(wall.elapsed_ms(1000), 1000);
    }
}

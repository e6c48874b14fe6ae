//! How long tasks take here, learned from those that ended. Owns the guess when to look first; must not
//! know what is looked at.
//!
//! The guess is to be just late enough: a task that is found ended at the first look pulls it a little
//! down, one that is found running pushes it three times as much up. So it settles where one look in four
//! comes too early, which costs one request; a late one costs the person who waits.

use std::collections::HashMap;
use std::time::Duration;

use lxc_core::ids::Installation;
use lxc_core::pve::Upid;
use parking_lot::Mutex;

/// How many guesses are kept; then they are learned anew.
const REMEMBERED: usize = 20_000;

/// How much a look that came late pulls the guess down.
const DOWN: f64 = 1.0 / 64.0;
/// How much one that came too early pushes it up.
const UP: f64 = 3.0 * DOWN;
/// A task that took so many times what was expected is another kind of task: its time is the new guess.
const OTHERWISE: f64 = 1.25;

/// What is learned about: a type of task on one container, or (without an id) anywhere in the installation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    installation: Installation,
    kind: String,
    id: String,
}

impl Key {
    fn of(installation: &Installation, upid: &Upid) -> [Self; 2] {
        let key = |id: &str| Self {
            installation: installation.clone(),
            kind: upid.kind.clone(),
            id: id.to_owned(),
        };
        [key(&upid.id), key("")]
    }
}

/// What has been learned.
#[derive(Debug)]
pub(super) struct Pace {
    /// A second of Proxmox's time, as seen from here.
    second: Duration,
    guesses: Mutex<HashMap<Key, Duration>>,
}

impl Pace {
    pub(super) fn new(second: Duration) -> Self {
        Self { second, guesses: Mutex::default() }
    }

    /// How long this task will take: as its container's last one, else as any such task here, else as
    /// measured elsewhere (docs/proxmox.md, Power operations).
    pub(super) fn expected(&self, installation: &Installation, upid: &Upid) -> Duration {
        let guesses = self.guesses.lock();
        let known = Key::of(installation, upid).iter().find_map(|key| guesses.get(key).copied());
        known.unwrap_or_else(|| {
            self.second.mul_f64(match upid.kind.as_str() {
                "vzstart" => 1.1,
                "vzshutdown" => 1.0,
                "vzstop" => 0.8,
                "vzdestroy" => 0.3,
                _ => 0.1,
            })
        })
    }

    /// The task took so long as far as we saw; `at_once` = the first look found it ended.
    pub(super) fn learn(&self, installation: &Installation, upid: &Upid, took: Duration, at_once: bool) {
        let expected = self.expected(installation, upid);
        let guess = if at_once {
            expected.min(took).mul_f64(1.0 - DOWN)
        } else if took > expected.mul_f64(OTHERWISE) {
            took
        } else {
            expected.mul_f64(1.0 + UP).min(took)
        };
        let mut guesses = self.guesses.lock();
        if guesses.len() >= REMEMBERED {
            guesses.clear();
        }
        for key in Key::of(installation, upid) {
            guesses.insert(key, guess);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn upid(id: u32) -> Upid {
        format!("UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzstart:{id}:lxcd@pve!cli:").parse().unwrap()
    }

    #[test]
    fn settles_where_it_is_seldom_too_early() {
        let (pace, here) = (Pace::new(MS * 1000), Installation("a".into()));
        assert_eq!(pace.expected(&here, &upid(104)), MS * 1100);
        let mut early = 0;
        for round in 0_u32..200 {
            let really = MS * (2000 + round * 37 % 100);
            let expected = pace.expected(&here, &upid(104));
            let at_once = expected >= really;
            early += u32::from(!at_once);
            pace.learn(&here, &upid(104), if at_once { expected } else { really + MS * 20 }, at_once);
        }
        assert!((20..100).contains(&early), "{early} of 200 looks came too early");
        let other = pace.expected(&here, &upid(105));
        assert!(other > MS * 1900, "what one container taught helps with the next: {other:?}");
    }
}

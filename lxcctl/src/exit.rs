//! How a command ends: the one place that turns outcomes into an exit code
//! (`lxcctl help exit-codes`). Owns the rules for many targets; must not print.

use lxc_core::error::{Code, Exit};

use crate::client::view::Operation;

/// How it went with one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or nothing to do.
    Succeeded {
        /// Something is to be said about it.
        warned: bool,
    },
    /// Failed, refused or cancelled, for that reason.
    Failed(Code),
    /// Not ended yet; nobody waits for it any more.
    Running,
    /// Nobody knows.
    Unknown,
}

impl Outcome {
    /// How that operation went.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        match operation.state.as_str() {
            "succeeded" => Self::Succeeded { warned: has_warnings(operation) },
            "needs_attention" => Self::Unknown,
            "failed" => Self::Failed(operation.error.as_ref().map_or(Code::TaskFailed, |error| error.code)),
            "cancelled" => Self::Failed(operation.error.as_ref().map_or(Code::Cancelled, |error| error.code)),
            _ => Self::Running,
        }
    }
}

/// A kill after the grace is worth a warning, though the row says "done".
fn has_warnings(operation: &Operation) -> bool {
    !operation.warnings.is_empty() || operation.how.as_deref() == Some("forced")
}

/// The exit code for one target or many.
#[must_use]
pub fn decide(outcomes: &[Outcome], fail_on_warnings: bool) -> Exit {
    let mut succeeded = false;
    let mut warned = false;
    let mut running = false;
    let mut codes: Vec<Exit> = Vec::new();
    let mut not_begun = false;
    for outcome in outcomes {
        match outcome {
            Outcome::Unknown => return Exit::Attention,
            Outcome::Succeeded { warned: with } => {
                succeeded = true;
                warned |= with;
            }
            // Never begun because another one failed: that one's reason is the reason.
            Outcome::Failed(Code::BatchStopped) => not_begun = true,
            Outcome::Failed(code) => codes.push(code.exit()),
            Outcome::Running => running = true,
        }
    }
    if codes.is_empty() && not_begun {
        codes.push(Code::BatchStopped.exit());
    }
    match codes.first() {
        Some(_) if succeeded => Exit::Partial,
        Some(first) if codes.iter().all(|code| code == first) => *first,
        Some(_) => Exit::Failed,
        None if running => Exit::StillRunning,
        None if warned && fail_on_warnings => Exit::Warnings,
        None => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Outcome::Succeeded { warned: false };
    const WARNED: Outcome = Outcome::Succeeded { warned: true };
    const LOCKED: Outcome = Outcome::Failed(Code::Locked);
    const PVE_LOCKED: Outcome = Outcome::Failed(Code::PveLocked);
    const RUNNING_ALREADY: Outcome = Outcome::Failed(Code::AlreadyRunning);
    const NOT_BEGUN: Outcome = Outcome::Failed(Code::BatchStopped);

    #[test]
    fn the_rules_by_example() {
        use Outcome::{Running, Unknown};
        let cases: &[(&[Outcome], u8)] = &[
            (&[], 0),
            (&[OK], 0),
            (&[LOCKED], 4),
            (&[Running], 10),
            (&[Unknown], 11),
            (&[OK, OK], 0),
            (&[OK, Unknown, LOCKED], 11),
            (&[OK, LOCKED], 9),
            (&[LOCKED, PVE_LOCKED], 4),
            (&[LOCKED, RUNNING_ALREADY], 1),
            (&[OK, Running], 10),
            (&[LOCKED, Running], 4),
            (&[OK, LOCKED, Running], 9),
            (&[LOCKED, NOT_BEGUN], 4),
            (&[OK, NOT_BEGUN], 9),
            (&[NOT_BEGUN], 1),
        ];
        for (outcomes, exit) in cases {
            assert_eq!(decide(outcomes, false).number(), *exit, "{outcomes:?}");
        }
    }

    #[test]
    fn warnings_count_only_when_asked_for_and_last() {
        assert_eq!(decide(&[WARNED], false), Exit::Done);
        assert_eq!(decide(&[WARNED, OK], true), Exit::Warnings);
        assert_eq!(decide(&[OK], true), Exit::Done);
        assert_eq!(decide(&[WARNED, Outcome::Running], true), Exit::StillRunning);
        assert_eq!(decide(&[WARNED, LOCKED], true), Exit::Partial);
    }

    /// Every list of up to four outcomes against the rules said one by one, in the contract's order.
    #[test]
    fn every_short_list_follows_the_rules() {
        let kinds = [OK, WARNED, LOCKED, PVE_LOCKED, RUNNING_ALREADY, Outcome::Running, Outcome::Unknown];
        for length in 1..=4u32 {
            for number in 0..kinds.len().pow(length) {
                let mut rest = number;
                let list: Vec<Outcome> = (0..length)
                    .map(|_| {
                        let kind = kinds[rest % kinds.len()];
                        rest /= kinds.len();
                        kind
                    })
                    .collect();
                let any = |test: fn(&Outcome) -> bool| list.iter().any(test);
                let succeeded = any(|o| matches!(o, Outcome::Succeeded { .. }));
                let failed: Vec<Exit> = list
                    .iter()
                    .filter_map(|o| if let Outcome::Failed(code) = o { Some(code.exit()) } else { None })
                    .collect();
                let alike = failed.windows(2).all(|pair| pair[0] == pair[1]);
                let want = if any(|o| matches!(o, Outcome::Unknown)) {
                    Exit::Attention
                } else if succeeded && !failed.is_empty() {
                    Exit::Partial
                } else if !failed.is_empty() {
                    if alike { failed[0] } else { Exit::Failed }
                } else if any(|o| matches!(o, Outcome::Running)) {
                    Exit::StillRunning
                } else if any(|o| matches!(o, Outcome::Succeeded { warned: true })) {
                    Exit::Warnings
                } else {
                    Exit::Done
                };
                assert_eq!(decide(&list, true), want, "{list:?}");
            }
        }
    }
}

//! A piece of work in a container, done by a job on its node (ARCHITECTURE.md, rule 13): when it begins, what its output
//! and its end mean, and how it is cut off.

use super::{Change, Next, Turn};
use crate::create::Part;
use crate::job::{JobExit, JobState};
use crate::op::kind::StepKind;
use crate::op::outcome::Outcome;
use crate::op::step::{StepState, Work};
use crate::op::words;
use crate::pve::{Live, Power};
use crate::timing::micros;

impl Turn<'_> {
    /// The container was looked at: it is there and the one that is meant.
    pub(super) fn begin_work(&self, node: &str, live: &Live) -> Next {
        if live.power != Power::Running {
            return self.fail(words::stopped_meanwhile(self.op, node));
        }
        Next::Commit(Change::Working { step: self.step, node: node.to_owned() })
    }

    /// A piece of work right behind another one needs no look of its own: the container was there a moment ago, under our
    /// lock, and one that was stopped since cannot be entered. Each look is two requests, and a template may have
    /// many scripts.
    pub(super) fn follows_at_once(&self) -> Option<Change> {
        let before = &self.op.steps[self.step.checked_sub(1)?];
        let pieces = [before.kind, self.kind].iter().all(|kind| matches!(kind, StepKind::Part(_)));
        let ended = before.finished.filter(|_| matches!(before.state, StepState::Done { .. }))?;
        let just = (0..micros(self.timing.pve_second * 2)).contains(&(self.facts.now - ended));
        let node = self.op.target.node.clone();
        (pieces && just).then_some(Change::Working { step: self.step, node })
    }

    pub(super) fn working(&self, work: &Work) -> Next {
        if let Some(error) = &self.facts.no_access {
            return self.fail(words::no_access(self.op, &work.node, error));
        }
        if self.op.cancel && !work.stop_requested {
            return Next::StopWork { step: self.step, node: work.node.clone() };
        }
        let again = Next::Work { step: self.step, node: work.node.clone(), next: work.next };
        let Some(reading) = &self.facts.reading else { return again };
        match &reading.state {
            JobState::Ended(JobExit::Code(0)) => {
                Next::Commit(Change::Worked { step: self.step, reading: reading.clone() })
            }
            // What was to be made is made; that nobody could look is worth a word.
            JobState::Ended(exit)
                if self.op.kind.part(self.kind) == Some(&Part::Discover) && !self.op.cancel =>
            {
                self.done(&exit.to_string(), Some(format!("its services could not be looked at: {exit}")))
            }
            _ if !reading.output.is_empty() || reading.skipped > 0 => {
                Next::Commit(Change::Output { step: self.step, reading: reading.clone() })
            }
            JobState::Running => again,
            // It was there: what ran under its name must not run again.
            JobState::Absent => {
                self.fail(words::work_lost(self.op, self.step, work, "its directory on the node is gone"))
            }
            JobState::Ended(JobExit::Cancelled) => {
                let part = self.op.kind.step_name(self.kind);
                self.finish(Outcome::cancelled(format!("in {part}"), true))
            }
            JobState::Ended(exit) => {
                self.fail(words::work_failed(self.op, self.step, work, exit, self.facts.now))
            }
            JobState::Lost(why) => self.fail(words::work_lost(self.op, self.step, work, why)),
        }
    }
}

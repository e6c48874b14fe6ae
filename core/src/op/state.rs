//! An operation and its states, as enums with data. Owns their shape and the questions
//! about it; must not move anything (`op::change`).

use serde::{Deserialize, Serialize};

use super::kind::{Kind, StepKind};
use super::outcome::{Ending, Outcome};
use super::step::{Step, StepState};
use crate::ids::{ContainerId, Installation, Micros, OperationId, RequestId, Vmid};

/// The container an operation is about, by value: the row may be gone before the operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Proxmox installation it lives in.
    pub installation: Installation,
    /// Its number there.
    pub vmid: Vmid,
    /// The incarnation that was meant.
    pub container_id: ContainerId,
    /// Remote it was named by.
    pub remote: String,
    /// Host name, as far as known.
    pub name: Option<String>,
    /// Node it was last seen on.
    pub node: String,
}

impl Target {
    /// `remote/vmid`
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.remote, self.vmid)
    }

    /// `remote/vmid (name)`
    #[must_use]
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.path()),
            None => self.path(),
        }
    }
}

/// What an operation is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for its lock or a slot; holds no lock.
    Queued,
    /// Holds its lock; some daemon drives it, or will.
    Running,
    /// Over.
    Ended(Box<Outcome>),
}

/// One durable request on one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name.
    pub id: OperationId,
    /// The batch it came with.
    pub request_id: RequestId,
    /// What was asked for.
    pub kind: Kind,
    /// Of whom.
    pub target: Target,
    /// Where it stands.
    pub state: State,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Already so = success.
    pub if_needed: bool,
    /// Until when to wait for locks, on the steady clock (`ports::Now`): None = not at all, `Micros::MAX` = for
    /// ever.
    pub lock_deadline: Option<Micros>,
    /// A person asked to end it.
    pub cancel: bool,
    /// … and to give up on an unreachable node.
    pub abandon: bool,
    /// +1 at each claim; every write by an owner names it.
    pub fence: i64,
    /// Since when its node does not answer.
    pub degraded_since: Option<Micros>,
    /// Submitted.
    pub created: Micros,
    /// Admitted.
    pub started: Option<Micros>,
    /// Ended.
    pub finished: Option<Micros>,
    /// Number of its last event.
    pub last_seq: i64,
    /// The operation this one takes up again.
    pub retry_of: Option<OperationId>,
    /// The token of their own that whoever asked works with; None = the remote's.
    pub login: Option<String>,
    /// Who asked, by name.
    pub actor: String,
    /// What has to be said in the end, gathered on the way.
    pub warnings: Vec<String>,
}

impl State {
    /// Its name in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended(outcome) => match outcome.ending {
                Ending::Succeeded => "succeeded",
                Ending::Failed => "failed",
                Ending::Cancelled => "cancelled",
                Ending::NeedsAttention => "needs_attention",
            },
        }
    }
}

impl Operation {
    /// One that was just asked for, by itself: it waits, with every step of its kind before it.
    #[must_use]
    pub fn queued(request_id: RequestId, kind: Kind, target: Target, actor: &str, created: Micros) -> Self {
        Self {
            id: OperationId::generate(),
            request_id,
            target,
            state: State::Queued,
            steps: Step::all_of(&kind, &[]),
            kind,
            if_needed: false,
            lock_deadline: None,
            cancel: false,
            abandon: false,
            fence: 0,
            degraded_since: None,
            created,
            started: None,
            finished: None,
            last_seq: 1,
            retry_of: None,
            login: None,
            actor: actor.to_owned(),
            warnings: Vec::new(),
        }
    }

    /// The first step that is not done. One that failed is followed by what cleans up after it.
    #[must_use]
    pub fn current_step(&self) -> Option<usize> {
        let over = |state: &StepState| {
            matches!(state, StepState::Done { .. } | StepState::Failed { error: Some(_), .. })
        };
        // What was behind it is not done any more.
        let cleaning = self
            .steps
            .iter()
            .rposition(|step| matches!(step.state, StepState::Failed { error: Some(_), .. }));
        let from = cleaning.map_or(0, |_| self.steps.len().saturating_sub(1));
        (from..self.steps.len()).find(|step| !over(&self.steps[*step].state))
    }

    /// Whether any call of it may have had an effect.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.steps.iter().any(|step| step.state.touched())
    }

    /// Whether it holds the number of its container from its submit on: nobody else knows that number yet.
    #[must_use]
    pub fn reserves(&self) -> bool {
        matches!(self.kind, Kind::Create { marker, .. } if marker == self.id)
    }

    /// Of a create: its container is there, or may be. Where it never came to that, nothing holds its number, its name
    /// or its addresses once the operation has ended.
    #[must_use]
    pub fn has_made(&self) -> bool {
        self.steps.iter().any(|step| {
            step.kind == StepKind::Create
                && matches!(step.state, StepState::Done { .. } | StepState::Unknown { .. })
        })
    }

    /// The first line about it: `op b3e8115f goes on from 7d20c4aa, script 3/5 30-app.sh`.
    #[must_use]
    pub fn opening(&self) -> String {
        let id = self.id.short();
        let Some(before) = self.retry_of else { return format!("op {id}{}", self.kind.opening()) };
        let next = self.current_step().map(|step| self.kind.step_words(self.steps[step].kind));
        let next = next.map_or_else(String::new, |words| format!(", {words}"));
        format!("op {id} goes on from {}{next}", before.short())
    }

    /// How much of it is done, of a create; the steps of a phase count alike.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        let at = self.current_step().unwrap_or(self.steps.len().checked_sub(1)?);
        let phase = self.kind.phase(self.steps[at].kind)?;
        let (from, to) = phase.percent();
        let of_phase = || self.steps.iter().filter(|one| self.kind.phase(one.kind) == Some(phase));
        let done = of_phase().filter(|one| matches!(one.state, StepState::Done { .. })).count();
        Some(from + (to - from) * done as f64 / of_phase().count().max(1) as f64)
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            State::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// `1/2 ` in front of a step's progress when there are several; else nothing.
    #[must_use]
    pub fn step_prefix(&self, step: usize) -> String {
        // The steps of a create have words of their own.
        if self.steps.len() < 2 || matches!(self.kind, Kind::Create { .. }) {
            return String::new();
        }
        format!("{}/{} {}, ", step + 1, self.steps.len(), self.steps[step].kind.doing())
    }
}

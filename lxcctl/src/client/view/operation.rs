//! Operations, their steps, and what a dry run says.

use lxc_core::error::Error;
use lxc_core::ids::Micros;
use lxc_proto::v1 as pb;
use serde::{Serialize, Serializer};

use super::super::status::error_from_wire;
use super::{Actor, ContainerRef};
use crate::ui::error::ErrorView;
use crate::ui::time::Instant;

/// One durable request on one container.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Operation {
    pub kind: &'static str,
    pub target: String,
    pub name: Option<String>,
    pub verb: String,
    pub result: Option<String>,
    pub changed: bool,
    #[serde(serialize_with = "error_view")]
    pub error: Option<Error>,
    pub id: String,
    pub request_id: String,
    pub remote: String,
    pub vmid: u32,
    pub node: Option<String>,
    pub state: String,
    pub detail: Option<String>,
    pub how: Option<String>,
    pub warnings: Vec<String>,
    pub steps: Vec<Step>,
    pub actor: Option<Actor>,
    pub created_at: Instant,
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
    pub duration_seconds: Option<f64>,
    pub retry_of: Option<String>,
    pub cancel_requested: bool,
    pub degraded_since: Option<Instant>,
    pub phase: Option<String>,
    /// Position in the stream; not part of the contract.
    #[serde(skip)]
    pub last_seq: i64,
}

fn error_view<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(ErrorView::from).serialize(serializer)
}

impl Operation {
    /// True when nothing more will happen to it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "cancelled" | "needs_attention")
    }

    /// When it began: waiting for a lock or for its turn is no part of it. What never began, when it was made.
    #[must_use]
    pub fn began_at(&self) -> Instant {
        self.started_at.unwrap_or(self.created_at)
    }

    /// How long it took, as far as that is known.
    #[must_use]
    pub fn took(&self) -> Option<Micros> {
        self.finished_at.map(|end| (end.0 - self.began_at().0).max(0))
    }
}

impl From<pb::Operation> for Operation {
    fn from(o: pb::Operation) -> Self {
        let target = o.target.unwrap_or_default();
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            kind: "Operation",
            target: format!("{}/{}", target.remote, target.vmid),
            name: text(target.name),
            verb: o.verb,
            result: text(o.result),
            changed: o.changed,
            error: o.error.map(error_from_wire),
            id: o.id,
            request_id: o.request_id,
            remote: target.remote,
            vmid: target.vmid,
            node: text(target.node),
            state: o.state,
            detail: text(o.detail),
            how: o.how,
            warnings: o.warnings,
            steps: o.steps.into_iter().map(Step::from).collect(),
            actor: o.actor.map(Actor::from),
            created_at: Instant(o.created_us),
            started_at: o.started_us.map(Instant),
            finished_at: o.finished_us.map(Instant),
            duration_seconds: o
                .finished_us
                .map(|end| micros_to_seconds(end - o.started_us.unwrap_or(o.created_us))),
            retry_of: o.retry_of,
            cancel_requested: o.cancel_requested,
            degraded_since: o.degraded_since_us.map(Instant),
            phase: text(o.phase),
            last_seq: o.last_seq,
        }
    }
}

/// Seconds with milliseconds; more digits would only be noise.
fn micros_to_seconds(micros: Micros) -> f64 {
    let millis = u32::try_from(micros.max(0) / 1000).unwrap_or(u32::MAX);
    f64::from(millis) / 1000.0
}

/// A part of an operation.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Step {
    pub name: String,
    pub state: String,
    pub outcome: Option<String>,
    pub upid: Option<String>,
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
}

impl From<pb::Step> for Step {
    fn from(s: pb::Step) -> Self {
        Self {
            name: s.name,
            state: s.state,
            outcome: s.outcome,
            upid: s.upid,
            started_at: s.started_us.map(Instant),
            finished_at: s.finished_us.map(Instant),
        }
    }
}

/// What a verb would do to one container.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct DryRun {
    pub kind: &'static str,
    pub target: String,
    pub name: Option<String>,
    pub result: String,
    pub changed: bool,
    #[serde(serialize_with = "error_view")]
    pub error: Option<Error>,
    pub checks: Vec<Check>,
    pub calls: Vec<String>,
}

impl From<pb::DryRunItem> for DryRun {
    fn from(d: pb::DryRunItem) -> Self {
        let target = ContainerRef::new(d.target.unwrap_or_default(), None);
        Self {
            kind: "DryRun",
            target: target.target(),
            name: Some(target.name().to_owned()).filter(|name| name != "-"),
            result: d.verdict,
            changed: d.changed,
            error: d.error.map(error_from_wire),
            checks: d.checks.into_iter().map(Check::from).collect(),
            calls: d.calls,
        }
    }
}

/// One pre-flight check.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Check {
    pub name: String,
    pub result: String,
    pub detail: String,
}

impl From<pb::Check> for Check {
    fn from(c: pb::Check) -> Self {
        Self { name: c.name, result: c.result, detail: c.detail }
    }
}

//! Operations as rows. Owns the spelling of states in the database; must not write.

use lxc_core::ids::{Installation, Vmid};
use lxc_core::op::{Kind, Operation, Outcome, State, Step, StepKind, StepState, Target, Weight};
use lxc_core::ports::StoreError;
use sqlx::any::AnyRow;

use super::{Result, get, get_json, get_parsed};

/// The columns of an operation, in no particular order.
pub(super) const OPERATION: &str = "id, request_id, verb, kind, kind_version, installation, vmid, container_id, remote, name, \
     node, actor, state, outcome, warnings, if_needed, lock_deadline_us, cancel, abandon, fence, \
     degraded_since_us, created_us, started_us, finished_us, last_seq, retry_of, login";

/// A row of `operation`, without its steps.
pub(super) fn operation(row: &AnyRow) -> Result<Operation> {
    let state: String = get(row, "state")?;
    let outcome: Option<String> = get(row, "outcome")?;
    let state = match (state.as_str(), outcome) {
        ("queued", None) => State::Queued,
        ("running", None) => State::Running,
        (_, Some(text)) => {
            let outcome: Outcome = serde_json::from_str(&text)
                .map_err(|e| StoreError::Corrupt(format!("column outcome: {e}")))?;
            State::Ended(Box::new(outcome))
        }
        (other, None) => {
            return Err(StoreError::Corrupt(format!("operation in state {other:?} without outcome")));
        }
    };
    Ok(Operation {
        id: get_parsed(row, "id")?,
        request_id: get_parsed(row, "request_id")?,
        kind: kind(row)?,
        target: Target {
            installation: Installation(get(row, "installation")?),
            vmid: vmid(row)?,
            container_id: get_parsed(row, "container_id")?,
            remote: get(row, "remote")?,
            name: get(row, "name")?,
            node: get(row, "node")?,
        },
        state,
        steps: Vec::new(),
        if_needed: flag(row, "if_needed")?,
        lock_deadline: get(row, "lock_deadline_us")?,
        cancel: flag(row, "cancel")?,
        abandon: flag(row, "abandon")?,
        fence: get(row, "fence")?,
        degraded_since: get(row, "degraded_since_us")?,
        created: get(row, "created_us")?,
        started: get(row, "started_us")?,
        finished: get(row, "finished_us")?,
        last_seq: get(row, "last_seq")?,
        login: get(row, "login")?,
        retry_of: get::<Option<String>>(row, "retry_of")?.and_then(|id| id.parse().ok()),
        actor: get(row, "actor")?,
        warnings: get_json(row, "warnings")?,
    })
}

/// What a newer lxcd has made is not read with our eyes: it may mean something else.
fn kind(row: &AnyRow) -> Result<Kind> {
    if get::<i64>(row, "kind_version")? > Kind::VERSION {
        return Ok(Kind::Newer { verb: get(row, "verb")? });
    }
    get_json(row, "kind")
}

/// A row of `step`.
pub(super) fn step(row: &AnyRow) -> Result<Step> {
    Ok(Step {
        kind: get_parsed::<StepKind>(row, "kind")?,
        state: get_json::<StepState>(row, "data")?,
        started: get(row, "started_us")?,
        finished: get(row, "finished_us")?,
    })
}

pub(super) fn vmid(row: &AnyRow) -> Result<Vmid> {
    let number: i64 = get(row, "vmid")?;
    Vmid::try_from(number).map_err(|_| StoreError::Corrupt(format!("column vmid: {number}")))
}

pub(super) fn flag(row: &AnyRow, column: &str) -> Result<bool> {
    Ok(get::<i64>(row, column)? != 0)
}

pub(super) fn weight(row: &AnyRow) -> Result<Weight> {
    let name: String = get(row, "weight")?;
    Weight::from_name(&name).ok_or_else(|| StoreError::Corrupt(format!("column weight: {name:?}")))
}

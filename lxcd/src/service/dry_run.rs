//! What a verb would do: the same look and the same `plan` as the real run, without the commit. Calls
//! nothing that changes anything, takes no lock.

use lxc_core::error::{Code, Error, Result};
use lxc_core::op::{Change, Facts, Next, Operation, Outcome, Seen, State, StepKind, plan};
use lxc_core::ports::{PveDirectory, PveError};

use super::access::Caller;
use super::verbs::VerbRequest;
use super::{Services, store_error};
use crate::engine::{Sight, observe};

/// One pre-flight check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// ok, warning, refused.
    pub result: &'static str,
    /// In words.
    pub detail: String,
}

/// What one target would come to.
#[derive(Debug)]
pub struct Forecast {
    /// The target, as an operation that is never stored.
    pub op: Operation,
    /// The checks, in order.
    pub checks: Vec<Check>,
    /// The calls, as they would be made.
    pub calls: Vec<String>,
    /// How it would be refused, or succeed without a call.
    pub outcome: Option<Outcome>,
}

impl Services {
    /// Forecasts every target of a request.
    ///
    /// # Errors
    /// When the request cannot be taken as a whole.
    pub async fn dry_run(&self, caller: &Caller, request: &VerbRequest) -> Result<Vec<Forecast>> {
        self.access.enter(caller)?;
        let mut forecasts = Vec::new();
        for target in &request.refs {
            let id = lxc_core::ids::RequestId::generate();
            let mut op = self.queued(caller, request, target, id, self.engine.now())?;
            op.state = State::Running;
            forecasts.push(self.forecast(op).await?);
        }
        Ok(forecasts)
    }

    async fn forecast(&self, op: Operation) -> Result<Forecast> {
        let mut forecast = Forecast { op, checks: Vec::new(), calls: Vec::new(), outcome: None };
        forecast.check("role", Ok("may".to_owned()));
        let locks = self.store.held_locks().await.map_err(store_error)?;
        let target = forecast.op.target.clone();
        let holder = locks.iter().find(|lock| lock.0 == target.installation && lock.1 == target.vmid);
        if let Some(holder) = holder
            && let Ok(id) = holder.2.parse()
            && let Some(holder) = self.store.operation(id).await.map_err(store_error)?
        {
            let error = lxc_core::op::words::locked(&target, forecast.op.kind.verb(), &holder, self.now());
            forecast.refuse("lock", Outcome::refused(error));
            return Ok(forecast);
        }
        forecast.check("lock", Ok("free".to_owned()));
        if forecast.op.kind.steps() == [StepKind::Forget] {
            forecast.check("state", Ok("our record is there".to_owned()));
            return Ok(forecast);
        }
        // What is compared here is a lock deadline.
        let now = self.engine.now().steady;
        let facts = match self.look(&forecast.op).await {
            Ok(seen) => Facts { now, seen: Some(seen), ..Facts::default() },
            Err(trouble) => Facts { now, trouble: Some(trouble), ..Facts::default() },
        };
        forecast.decide(facts, &self.timing);
        Ok(forecast)
    }

    async fn look(&self, op: &Operation) -> Result<Seen, PveError> {
        let target = &op.target;
        let api = self.registry.api_as(&target.installation, op.login.as_deref()).await;
        let api =
            api.ok_or_else(|| PveError::NotDelivered(format!("{} is not registered", target.remote)))?;
        Ok(observe(&*api, &self.store, op, Sight::WHOLE).await?)
    }
}

impl Forecast {
    fn check(&mut self, name: &'static str, found: Result<String, String>) {
        let (result, detail) = match found {
            Ok(detail) => ("ok", detail),
            Err(detail) => ("warning", detail),
        };
        self.checks.push(Check { name, result, detail });
    }

    fn refuse(&mut self, name: &'static str, outcome: Outcome) {
        let detail = outcome.error.as_ref().map_or_else(String::new, |error| error.message.clone());
        self.checks.push(Check { name, result: "refused", detail });
        self.outcome = Some(outcome);
    }

    /// Lets `plan` say what the first act would be, and what follows from a success of it.
    fn decide(&mut self, facts: Facts, timing: &lxc_core::timing::Timing) {
        if let Some(Seen::There { node, live, .. }) = &facts.seen {
            let up = live.usage.uptime.filter(|_| live.power == lxc_core::pve::Power::Running);
            let since = up.map_or_else(String::new, |up| format!(" for {}", lxc_core::text::span(up)));
            self.check("state", Ok(format!("{} on {node}{since}", live.power.as_str())));
            if let Some(ha) = &live.ha {
                let forced = self.op.kind.grace().is_some_and(|(_, force)| force);
                let words = format!("managed by HA ({})", ha.state);
                let no_force =
                    "Proxmox never forces a shutdown under HA, and a missed grace puts it into error";
                self.check("ha", if forced { Err(format!("{words}; {no_force}")) } else { Ok(words) });
            }
        }
        match plan(&self.op, &facts, timing) {
            Next::Dispatch { step, call, ha, .. } => {
                self.calls.push(call.describe(self.op.target.vmid));
                for later in &self.op.kind.steps()[step + 1..] {
                    self.calls.extend(
                        later
                            .call(&self.op.kind, self.op.target.vmid, ha)
                            .map(|call| call.describe(self.op.target.vmid)),
                    );
                }
            }
            Next::Commit(Change::Finish(outcome)) if outcome.error.is_some() => {
                self.refuse(name_of(&outcome), outcome);
            }
            Next::Commit(Change::Finish(outcome)) => self.outcome = Some(outcome),
            // A restart of a stopped container: the shutdown is done, the start remains.
            Next::Commit(Change::StepDone { step, .. }) => {
                let rest = &self.op.kind.steps()[step + 1..];
                let vmid = self.op.target.vmid;
                self.calls.extend(
                    rest.iter().filter_map(|s| s.call(&self.op.kind, vmid, false)).map(|c| c.describe(vmid)),
                );
            }
            Next::Wait { .. } => {
                self.check("lock", Err("Proxmox holds a lock; would wait for it".to_owned()))
            }
            other => {
                let error =
                    Error::new(Code::Internal, "no forecast can be made").because(format!("{other:?}"));
                self.outcome = Some(Outcome::refused(error));
            }
        }
    }
}

/// Which check an outcome belongs to.
fn name_of(outcome: &Outcome) -> &'static str {
    match outcome.error.as_ref().map(|error| error.code) {
        Some(Code::PveLocked) => "lock",
        Some(Code::Protected) => "protection",
        Some(Code::HaFailed) => "ha",
        Some(Code::PvePrivilege | Code::PveUnauthorized) => "permission",
        Some(Code::NodeUnreachable | Code::RemoteUnreachable | Code::CertificateChanged) => "reach",
        _ => "state",
    }
}

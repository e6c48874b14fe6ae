//! What a create would come to.

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::{Check, ContainerRef, DryRun};
use crate::client::status::error_from_wire;

/// A dry run of a create: as of any verb, and where each value comes from.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct CreatePlan {
    #[serde(flatten)]
    pub run: DryRun,
    pub settings: Vec<Setting>,
}

/// One value of a container to be made.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Setting {
    pub name: String,
    pub value: String,
    /// flag, file, template, default or chosen
    pub origin: String,
}

impl From<pb::PlanCreateReply> for CreatePlan {
    fn from(plan: pb::PlanCreateReply) -> Self {
        let target = ContainerRef::new(plan.target.unwrap_or_default(), None);
        let setting = |one: pb::Setting| Setting { name: one.name, value: one.value, origin: one.origin };
        let error = plan.error.map(error_from_wire);
        let result = match (&error, plan.unchanged) {
            (Some(_), _) => "would refuse",
            (None, true) => "would leave unchanged",
            (None, false) => "would create",
        };
        Self {
            run: DryRun {
                kind: "DryRun",
                target: target.target(),
                name: Some(target.name().to_owned()).filter(|name| name != "-"),
                result: result.to_owned(),
                changed: error.is_none() && !plan.unchanged,
                error,
                checks: plan.checks.into_iter().map(Check::from).collect(),
                calls: plan.calls,
            },
            settings: plan.settings.into_iter().map(setting).collect(),
        }
    }
}

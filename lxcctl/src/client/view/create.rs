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

/// What a remote has to choose from.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Its name.
    pub remote: String,
    /// Its nodes, those that answer.
    pub nodes: Vec<SurveyedNode>,
    /// Host names that are taken.
    pub names: Vec<String>,
}

/// What one node has.
#[derive(Debug, Clone, Default)]
pub struct SurveyedNode {
    /// Its name.
    pub name: String,
    /// Bytes of memory nobody uses; None = it may not be seen.
    pub free: Option<u64>,
    /// OS images, as volumes.
    pub images: Vec<String>,
    /// Storages that take root disks, with the bytes that are free.
    pub storages: Vec<(String, Option<u64>)>,
    /// Bridges; none also where they may not be seen.
    pub bridges: Vec<String>,
    /// File names of the OS images that it has not, and that could be downloaded to it.
    pub downloads: Vec<String>,
}

impl From<pb::SurveyReply> for Survey {
    fn from(reply: pb::SurveyReply) -> Self {
        let node = |node: pb::SurveyedNode| SurveyedNode {
            name: node.name,
            free: node.free_bytes,
            images: node.images,
            storages: node.storages.into_iter().map(|one| (one.name, one.free_bytes)).collect(),
            bridges: node.bridges,
            downloads: node.downloads,
        };
        Self { remote: reply.remote, nodes: reply.nodes.into_iter().map(node).collect(), names: reply.names }
    }
}

//! Creates on the wire. Owns the reading of words and addresses; what they mean together is core's.

use std::str::FromStr;

use lxc_core::create::{Check, OnFailure, Phase, Verdict, Wish};
use lxc_core::error::{Code, Error, Result};
use lxc_proto::v1;

use crate::service::create::{CreateRequest, Plan, Survey, Surveyed};

pub(in crate::rpc) fn create_request(request: v1::CreateRequest) -> Result<CreateRequest> {
    Ok(CreateRequest {
        request_id: request.request_id,
        remote: Some(request.remote).filter(|remote| !remote.is_empty()),
        flags: wish(request.flags.unwrap_or_default())?,
        file: wish(request.file.unwrap_or_default())?,
        if_needed: request.if_needed,
    })
}

fn wish(wish: v1::Wish) -> Result<Wish> {
    let words = |words: Option<v1::Words>| words.map(|words| words.items);
    let vlan = wish.vlan.map(|vlan| u16::try_from(vlan).map_err(|_| bad("vlan", &vlan.to_string())));
    Ok(Wish {
        name: wish.name,
        template: wish.template,
        image: wish.image,
        download: wish.download,
        node: wish.node,
        vmid: wish.vmid,
        cores: wish.cores,
        memory_mb: wish.memory_mb,
        swap_mb: wish.swap_mb,
        storage: wish.storage,
        disk_gb: wish.disk_gb,
        unprivileged: wish.unprivileged,
        nesting: wish.nesting,
        keyctl: wish.keyctl,
        fuse: wish.fuse,
        bridge: wish.bridge,
        vlan: vlan.transpose()?,
        ip: wish.ip,
        gateway: word("gateway", wish.gateway)?,
        ip6: wish.ip6,
        gateway6: word("gateway6", wish.gateway6)?,
        nameserver: wish.nameserver,
        searchdomain: wish.searchdomain,
        tags: words(wish.tags),
        pool: wish.pool,
        onboot: wish.onboot,
        start_order: wish.start_order,
        description: wish.description,
        ssh_keys: words(wish.ssh_keys),
        without: words(wish.without),
        stop_after: word::<Phase>("stop-after", wish.stop_after)?,
        on_failure: word::<OnFailure>("on-failure", wish.on_failure)?,
    })
}

fn word<T: FromStr>(field: &str, text: Option<String>) -> Result<Option<T>> {
    text.map(|text| text.parse().map_err(|_| bad(field, &text))).transpose()
}

fn bad(field: &str, text: &str) -> Error {
    let shown: String = text.chars().take(60).collect();
    Error::new(Code::BadValue, format!("--{field} cannot be {shown:?}")).hint("lxcctl create --help")
}

pub(in crate::rpc) fn create_plan(plan: &Plan) -> v1::PlanCreateReply {
    let target = &plan.target;
    let setting = |setting: &lxc_core::create::Setting| v1::Setting {
        name: setting.name.to_owned(),
        value: setting.value.clone(),
        origin: setting.origin.name().to_owned(),
    };
    v1::PlanCreateReply {
        target: Some(v1::ContainerRef {
            installation: target.installation.0.clone(),
            vmid: target.vmid,
            container_id: target.container_id.to_string(),
            remote: target.remote.clone(),
            name: target.name.clone().unwrap_or_default(),
            node: target.node.clone(),
            ..v1::ContainerRef::default()
        }),
        settings: plan.preflight.settings.iter().map(setting).collect(),
        checks: plan.preflight.checks.iter().map(check).collect(),
        calls: plan.calls.clone(),
        error: plan.preflight.refusal().map(super::error),
        unchanged: plan.unchanged,
    }
}

fn check(check: &Check) -> v1::Check {
    let result = match check.verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Refused(_) => "refused",
    };
    v1::Check { name: check.name.to_owned(), result: result.to_owned(), detail: check.detail.clone() }
}

pub(in crate::rpc) fn survey(survey: Survey) -> v1::SurveyReply {
    let node = |node: Surveyed| v1::SurveyedNode {
        name: node.name,
        free_bytes: node.free,
        images: node.images,
        downloads: node.downloads,
        storages: node
            .storages
            .into_iter()
            .map(|one| v1::SurveyedStorage { name: one.name, free_bytes: one.available })
            .collect(),
        bridges: node.bridges,
    };
    v1::SurveyReply {
        remote: survey.remote,
        nodes: survey.nodes.into_iter().map(node).collect(),
        names: survey.names,
    }
}

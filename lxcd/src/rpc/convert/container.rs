//! Containers, nodes and warnings of a listing.

use lxc_core::picture::{NodeView, RemoteView};
use lxc_core::pve::Power;
use lxc_proto::v1;

use crate::service::listing::{Listed, Warning};

pub(in crate::rpc) fn container(item: &Listed, with_config: bool) -> v1::Container {
    let row = &item.entry.row;
    let running = item.power == Some(Power::Running);
    // What runs in one that is stopped is what ran.
    let maybe = running || item.power.is_none();
    let inside = row.inside.as_ref().filter(|_| maybe);
    let addresses = row.addresses();
    let usage = &row.live.usage;
    // Figures of a run are of no use once nobody can say that it still runs.
    let now = |figure: Option<u64>| figure.filter(|_| running);
    let values = row.config.as_ref().map(|config| &config.values);
    let value = |key: &str| values.and_then(|values| values.get(key)).cloned();
    v1::Container {
        id: row.id.to_string(),
        installation: row.installation.to_string(),
        remote: item.remote.clone(),
        vmid: row.vmid,
        name: row.name.clone(),
        status: item.status.clone(),
        lifecycle: item.lifecycle.clone(),
        power: item.power.map(|power| power.as_str().to_owned()),
        node: Some(row.node.clone()),
        cpu: usage.cpu.filter(|_| running).map(|cpu| cpu.max(0.0)),
        cpus: usage.cpus,
        memory_bytes: now(usage.memory),
        memory_max_bytes: usage.memory_max,
        swap_bytes: now(usage.swap),
        swap_max_bytes: usage.swap_max,
        disk_bytes: now(usage.disk),
        disk_max_bytes: usage.disk_max,
        net_in_bytes: now(usage.net_in),
        net_out_bytes: now(usage.net_out),
        uptime_seconds: now(usage.uptime),
        ip: addresses.first().filter(|_| maybe).cloned(),
        ips: addresses,
        tags: row.live.tags.clone(),
        pool: row.pool.clone(),
        template: row.template.clone(),
        services_healthy: inside.map(|inside| inside.healthy),
        services_total: inside.map(|inside| inside.total),
        pve_lock: row.live.lock.clone(),
        is_pve_template: row.live.template,
        protected: row.config.as_ref().is_some_and(lxc_core::pve::Config::protected),
        ha_state: row.live.ha.as_ref().map(|ha| ha.state.clone()),
        os_type: value("ostype"),
        unprivileged: value("unprivileged").map(|value| value == "1"),
        created_us: None,
        observed_us: Some(row.observed),
        freshness: item.freshness.as_str().to_owned(),
        gone_since_us: row.gone_since,
        attention: row.attention.clone(),
        operation_id: item.operation.clone(),
        config: values
            .filter(|_| with_config)
            .map(|values| values.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
            .unwrap_or_default(),
        error_operation_id: row.error_op.clone(),
        error_summary: None,
    }
}

pub(in crate::rpc) fn warning(warning: &Warning) -> v1::Warning {
    v1::Warning {
        code: warning.code.to_string(),
        message: warning.message.clone(),
        target: warning.target.clone(),
        since_us: warning.since.unwrap_or(0),
        unknown_rows: warning.unknown,
    }
}

pub(in crate::rpc) fn node(view: &RemoteView, node: &NodeView, containers: u32, running: u32) -> v1::Node {
    let trouble = node.trouble.as_ref().or(view.trouble.as_ref());
    let figures = &node.node;
    v1::Node {
        remote: view.name.clone(),
        name: figures.name.clone(),
        status: match (trouble, figures.online) {
            (None, true) => "online",
            (_, false) => "offline",
            (Some(_), true) => "unknown",
        }
        .to_owned(),
        cpu: figures.cpu,
        cpus: figures.cpus.and_then(|cpus| u32::try_from(cpus).ok()),
        memory_bytes: figures.memory,
        memory_max_bytes: figures.memory_max,
        uptime_seconds: figures.uptime,
        pve_version: None,
        containers,
        running,
        observed_us: Some(node.observed),
        freshness: if trouble.is_some() { "stale" } else { "live" }.to_owned(),
        unreachable_since_us: trouble.map(|trouble| trouble.since),
        unreachable_why: trouble.map(|trouble| trouble.why.clone()),
    }
}

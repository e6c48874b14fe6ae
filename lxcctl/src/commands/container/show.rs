//! `lxcctl show`: one container with its resources, config and last events.

use lxc_core::error::{Exit, Result};
use lxc_core::selector::Selection;
use lxc_core::text;

use crate::cli::ShowArgs;
use crate::client::view::{Container, Shown};
use crate::commands::journal::events;
use crate::commands::{services, warnings};
use crate::context::{Context, filled};
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(crate) async fn run(context: &mut Context, args: &ShowArgs) -> Result<Exit> {
    let selection = Selection {
        targets: vec![args.target.clone()],
        remote: args.remote.clone().filter(|name| !name.is_empty()),
        ..Selection::default()
    };
    context.check(&selection)?;
    let client = context.connect().await?;
    let shown = client.show(&selection).await.map_err(|fault| filled(&fault, &args.target))?;
    if context.structured_one(&shown, &shown.container.target)? {
        return Ok(Exit::Done);
    }
    let now = Now::read();
    let text = render(&shown, &now, context.printer.look);
    context.printer.answer(&text);
    for warning in &shown.warnings {
        context.printer.warn(&warnings::line(warning, &now));
    }
    Ok(Exit::Done)
}

fn render(shown: &Shown, now: &Now, look: Look) -> String {
    let container = &shown.container;
    let name = container.name.as_deref().unwrap_or("-");
    let mut out = format!(
        "{} ({})  {}",
        paint(&container.target, Tone::Bold, look),
        escape(name),
        paint(&container.status, Tone::of_status(&container.status), look),
    );
    if let Some(seconds) = container.uptime_seconds.filter(|&seconds| seconds > 0) {
        out.push_str(&format!("  {}", text::uptime(seconds)));
    }
    out.push('\n');
    let mut facts = Table::new(vec![Column::left(""), Column::left("")]).headers(false).indented(2);
    for (name, value) in resources(container, now) {
        facts.row(vec![Cell::toned(name, Tone::Dim), Cell::new(value)]);
    }
    out.push_str(&facts.render(look));
    out.push_str(&services::table(&shown.services).render(look));
    let mut config = Table::new(vec![Column::left("CONFIG"), Column::left("VALUE")]);
    for (key, value) in &shown.config {
        config.row(vec![Cell::new(key), Cell::new(value)]);
    }
    out.push_str(&config.render(look));
    out.push_str(&events::table(&shown.events, now, false, true).render(look));
    out
}

/// `1 core`, `0.5 cores`
fn cores(number: f64) -> String {
    let whole = (number - 1.0).abs() < f64::EPSILON;
    format!("{number} {}", if whole { "core" } else { "cores" })
}

/// What is known, a line each; what is not known has none but for the address.
fn resources(container: &Container, now: &Now) -> Vec<(&'static str, String)> {
    let of = |part: Option<u64>, whole: Option<u64>| match (part, whole) {
        (None, None) | (None | Some(0), Some(0)) => None,
        (part, whole) => {
            let figure = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), text::bytes);
            Some(format!("{} / {}", figure(part), figure(whole)))
        }
    };
    let cpu = container.cpu.map(|share| match container.cpus {
        Some(cores) => format!("{} of {}", text::percent(share), self::cores(cores)),
        None => text::percent(share),
    });
    let net = container.net_in_bytes.zip(container.net_out_bytes);
    let ips = if container.ips.is_empty() { container.ip.clone() } else { Some(container.ips.join(", ")) };
    let services = container.services_healthy.zip(container.services_total);
    let flag = |is: bool, text: &str| is.then(|| text.to_owned());
    let lines = [
        ("node", container.node.clone()),
        ("ip", Some(ips.unwrap_or_else(|| "-".to_owned()))),
        ("cpu", cpu.or_else(|| container.cpus.map(cores))),
        ("memory", of(container.memory_bytes, container.memory_max_bytes)),
        ("swap", of(container.swap_bytes, container.swap_max_bytes)),
        ("disk", of(container.disk_bytes, container.disk_max_bytes)),
        ("net", net.map(|(i, o)| format!("{} in, {} out", text::bytes(i), text::bytes(o)))),
        ("template", container.template.clone()),
        ("services", services.map(|(healthy, total)| format!("{healthy}/{total}"))),
        ("tags", Some(container.tags.join(", ")).filter(|tags| !tags.is_empty())),
        ("pool", container.pool.clone()),
        ("os", container.os_type.clone()),
        ("ha", container.ha_state.clone()),
        ("lock", container.pve_lock.as_ref().map(|lock| format!("Proxmox holds '{lock}'"))),
        ("protected", flag(container.protected, "yes")),
        ("kind", flag(container.is_pve_template, "a Proxmox template")),
        ("created", container.created_at.map(|at| format!("{}, {}", now.full(at), now.ago(at)))),
        ("gone", container.gone_since.map(|at| format!("from Proxmox since {}", now.clock(at)))),
        ("operation", container.operation_id.as_deref().map(|id| format!("op {}", text::short_id(id)))),
        (
            "attention",
            container
                .attention
                .as_deref()
                .map(|id| format!("nobody knows how op {} ended", text::short_id(id))),
        ),
        ("id", Some(container.id.clone()).filter(|id| !id.is_empty())),
        ("observed", container.observed_at.map(|at| format!("{} ({})", now.ago(at), container.freshness))),
    ];
    lines.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_is_no_cores() {
        assert_eq!([cores(1.0), cores(0.5), cores(4.0)], ["1 core", "0.5 cores", "4 cores"]);
    }
}

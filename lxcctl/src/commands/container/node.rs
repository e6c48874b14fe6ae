//! `lxcctl node ls`: the Proxmox nodes and how they are.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use crate::cli::{Format, NodeCommand, NodeList, NodeVerb};
use crate::client::view::Node;
use crate::commands::{columns, warnings};
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

const COLUMNS: [&str; 10] =
    ["node", "status", "cpu", "memory", "uptime", "running", "containers", "pve", "observed", "detail"];

pub(crate) async fn run(context: &mut Context, args: &NodeCommand) -> Result<Exit> {
    match &args.command {
        Some(NodeVerb::Ls(list)) => ls(context, list).await,
        None => ls(context, &args.list).await,
    }
}

async fn ls(context: &mut Context, args: &NodeList) -> Result<Exit> {
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..8] };
    let chosen = columns::choose(args.tables.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.tables.sort.as_deref(), &COLUMNS)?;
    let client = context.connect().await?;
    let (mut nodes, missing) =
        client.nodes(args.remote.as_deref().unwrap_or_default(), args.lists.asks()).await?;
    nodes.sort_by(|a, b| a.target.cmp(&b.target));
    for (name, turned) in order.into_iter().rev() {
        nodes.sort_by(|a, b| {
            let order = sort_key(a, name)
                .total_cmp(&sort_key(b, name))
                .then_with(|| word(a, name).cmp(word(b, name)));
            if turned { order.reverse() } else { order }
        });
    }
    let now = Now::read();
    if !context.structured("NodeList", &nodes, &missing, |node| &node.target)? {
        let columns = chosen.iter().map(|name| column(name)).collect();
        let mut table = Table::new(columns).headers(!args.tables.no_headers);
        for node in &nodes {
            table.row(chosen.iter().map(|name| cell(node, name, &now)).collect());
        }
        let text = table.render(context.printer.look);
        context.printer.answer(&text);
        for warning in &missing {
            context.printer.warn(&warnings::line(warning, &now));
        }
        if nodes.is_empty() {
            context.printer.say("No node is known; lxcctl remote add registers a Proxmox.");
        }
    }
    if args.lists.strict && !missing.is_empty() {
        let why = warnings::line(&missing[0], &now);
        let target = missing[0].target.as_deref().unwrap_or_default();
        let remote = target.split('/').next().unwrap_or_default();
        return Err(Error::new(Code::Incomplete, "the list is not complete, and --strict was given")
            .because(why)
            .hint(format!("lxcctl remote doctor {remote}")));
    }
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "node" => Column::left("NODE"),
        "status" => Column::left("STATUS"),
        "cpu" => Column::right("CPU").goes(3),
        "memory" => Column::right("MEMORY").goes(4),
        "uptime" => Column::right("UPTIME").goes(2),
        "running" => Column::right("RUNNING"),
        "containers" => Column::right("CONTAINERS"),
        "pve" => Column::left("PVE").goes(1),
        "observed" => Column::left("OBSERVED").goes(0),
        _ => Column::left("DETAIL").shrinks(),
    }
}

fn cell(node: &Node, name: &str, now: &Now) -> Cell {
    let memory = || {
        let (used, most) = (node.memory_bytes?, node.memory_max_bytes?);
        Some(format!("{} / {}", text::bytes(used), text::bytes(most)))
    };
    let cell = match name {
        "node" => Cell::toned(&node.target, Tone::Bold),
        "status" => Cell::toned(&node.status, Tone::of_status(&node.status)),
        "cpu" => Cell::known(node.cpu.map(text::percent)),
        "memory" => Cell::known(memory()),
        "uptime" => Cell::known(node.uptime_seconds.filter(|&s| s > 0).map(text::uptime)),
        "running" => Cell::new(node.running.to_string()),
        "containers" => Cell::new(node.containers.to_string()),
        "pve" => Cell::known(node.pve_version.as_ref()),
        "observed" => Cell::known(node.observed_at.map(|at| now.ago(at))),
        _ => Cell::known(node.unreachable_why.as_ref()),
    };
    if node.freshness == "stale" { cell.stale() } else { cell }
}

/// Numbers sort as numbers; what is not known sorts below them.
#[expect(clippy::cast_precision_loss, reason = "an order of sizes needs no last digit")]
fn sort_key(node: &Node, name: &str) -> f64 {
    match name {
        "cpu" => node.cpu.unwrap_or(-1.0),
        "memory" => node.memory_bytes.map_or(-1.0, |bytes| bytes as f64),
        "uptime" => node.uptime_seconds.map_or(-1.0, |seconds| seconds as f64),
        "running" => f64::from(node.running),
        "containers" => f64::from(node.containers),
        "observed" => node.observed_at.map_or(-1.0, |at| at.0 as f64),
        _ => 0.0,
    }
}

fn word<'a>(node: &'a Node, name: &str) -> &'a str {
    match name {
        "status" => &node.status,
        "pve" => node.pve_version.as_deref().unwrap_or_default(),
        "detail" => node.unreachable_why.as_deref().unwrap_or_default(),
        "node" => &node.target,
        _ => "",
    }
}

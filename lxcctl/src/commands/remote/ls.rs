//! `lxcctl remote ls`: what is registered and how it is.

use lxc_core::error::{Exit, Result};

use crate::cli::{Format, Tables};
use crate::client::view::{Remote, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};

const COLUMNS: [&str; 9] =
    ["name", "url", "status", "pve", "nodes", "containers", "token", "owner", "detail"];

pub(crate) async fn run(context: &mut Context, args: &Tables) -> Result<Exit> {
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..8] };
    let chosen = columns::choose(args.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.sort.as_deref(), &COLUMNS)?;
    let client = context.connect().await?;
    let mut remotes = client.remotes("").await?;
    remotes.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, turned) in order.into_iter().rev() {
        remotes.sort_by_key(|remote| cell(remote, name).0);
        if turned {
            remotes.reverse();
        }
    }
    if context.structured("RemoteList", &remotes, &[] as &[Warning], |remote| &remote.name)? {
        return Ok(Exit::Done);
    }
    let mut table = Table::new(chosen.iter().map(|name| column(name)).collect()).headers(!args.no_headers);
    for remote in &remotes {
        table.row(chosen.iter().map(|name| cell(remote, name).1).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    if remotes.is_empty() {
        let add = context.bold("lxcctl remote add homelab https://pve1.lan:8006 --token-id 'lxcd@pve!cli'");
        context.printer.say(&format!("No Proxmox is known here yet:  {add}"));
    }
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "name" => Column::left("NAME"),
        "url" => Column::left("URL").goes(4),
        "status" => Column::left("STATUS"),
        "pve" => Column::left("PVE").goes(3),
        "nodes" => Column::right("NODES"),
        "containers" => Column::right("CONTAINERS"),
        "token" => Column::left("TOKEN").goes(2),
        "owner" => Column::left("OWNER").goes(1),
        _ => Column::left("DETAIL").goes(0),
    }
}

/// What it sorts by, and what is shown.
fn cell(remote: &Remote, name: &str) -> (String, Cell) {
    let plain = |text: String| (text.clone(), Cell::known(Some(text)));
    match name {
        "name" => {
            let shown =
                if remote.is_default { format!("{} (default)", remote.name) } else { remote.name.clone() };
            (remote.name.clone(), Cell::toned(shown, Tone::Bold))
        }
        "url" => plain(remote.urls.first().cloned().unwrap_or_default()),
        "status" => (remote.status.clone(), Cell::toned(&remote.status, Tone::of_status(&remote.status))),
        "pve" => plain(remote.pve_version.clone().unwrap_or_default()),
        "nodes" => (format!("{:010}", remote.nodes.len()), Cell::new(remote.nodes.len().to_string())),
        "containers" => (format!("{:010}", remote.containers), Cell::new(remote.containers.to_string())),
        "token" => plain(remote.token_id.clone()),
        "owner" => plain(remote.owner.clone()),
        _ => plain(remote.status_detail.clone().unwrap_or_default()),
    }
}

//! `lxcctl daemon ls`: every lxcd of the database.

use lxc_core::error::{Exit, Result};
use lxc_core::text;

use crate::cli::{Format, Tables};
use crate::client::view::{Daemon, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

const COLUMNS: [&str; 10] =
    ["daemon", "host", "pid", "version", "status", "started", "heartbeat", "operations", "polls", "lease"];

pub(crate) async fn run(context: &mut Context, args: &Tables) -> Result<Exit> {
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..9] };
    let chosen = columns::choose(args.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.sort.as_deref(), &COLUMNS)?;
    let client = context.connect().await?;
    let now = Now::read();
    let mut daemons = client.daemons().await?;
    daemons.sort_by(|a, b| (&a.host, a.started_at.0).cmp(&(&b.host, b.started_at.0)));
    for (name, turned) in order.into_iter().rev() {
        daemons.sort_by_key(|daemon| cell(daemon, name, &now).0);
        if turned {
            daemons.reverse();
        }
    }
    if context.structured("DaemonList", &daemons, &[] as &[Warning], |daemon| &daemon.id)? {
        return Ok(Exit::Done);
    }
    let mut table = Table::new(chosen.iter().map(|name| column(name)).collect()).headers(!args.no_headers);
    for daemon in &daemons {
        table.row(chosen.iter().map(|name| cell(daemon, name, &now).1).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "daemon" => Column::left("DAEMON"),
        "host" => Column::left("HOST"),
        "pid" => Column::right("PID").goes(3),
        "version" => Column::left("VERSION").goes(4),
        "status" => Column::left("STATUS"),
        "started" => Column::left("STARTED").goes(2),
        "heartbeat" => Column::left("HEARTBEAT").goes(1),
        "operations" => Column::right("OPERATIONS"),
        "polls" => Column::left("POLLS").goes(0),
        _ => Column::right("LEASE"),
    }
}

/// The last eight digits, as with operations.
pub(super) fn short(daemon: &Daemon) -> &str {
    daemon.id.get(daemon.id.len().saturating_sub(8)..).unwrap_or_default()
}

/// What it sorts by, and what is shown.
fn cell(daemon: &Daemon, name: &str, now: &Now) -> (String, Cell) {
    let plain = |text: String| (text.clone(), Cell::new(text));
    let number = |number: u64, cell: Cell| (format!("{number:020}"), cell);
    let since = |seconds: f64| format!("{} ago", text::span(seconds as u64));
    match name {
        "daemon" => {
            let own = if daemon.own { " (this one)" } else { "" };
            (daemon.id.clone(), Cell::toned(format!("{}{own}", short(daemon)), Tone::Bold))
        }
        "host" => plain(daemon.host.clone()),
        "pid" => number(daemon.pid.into(), Cell::new(daemon.pid.to_string())),
        "version" => plain(daemon.version.clone()),
        "status" => (daemon.status.clone(), Cell::toned(&daemon.status, Tone::of_status(&daemon.status))),
        "started" => number(daemon.started_at.0.unsigned_abs(), Cell::new(now.ago(daemon.started_at))),
        "heartbeat" => {
            number(daemon.heartbeat_age_seconds as u64, Cell::new(since(daemon.heartbeat_age_seconds)))
        }
        "operations" => number(daemon.operations.into(), Cell::new(daemon.operations.to_string())),
        "polls" => {
            let polls = Some(daemon.polls.join(", ")).filter(|polls| !polls.is_empty());
            (polls.clone().unwrap_or_default(), Cell::known(polls))
        }
        _ => {
            let left = daemon.lease_left_seconds as u64;
            let shown = (daemon.lease_left_seconds > 0.0).then(|| text::span(left));
            number(left, Cell::known(shown))
        }
    }
}

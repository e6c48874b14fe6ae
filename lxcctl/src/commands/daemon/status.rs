//! `lxcctl daemon status`.

use lxc_core::error::{Exit, Result};
use lxc_core::text;

use crate::client::view::DaemonStatus;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(crate) async fn run(context: &mut Context) -> Result<Exit> {
    let client = context.connect().await?;
    let status = client.daemon_status().await?;
    if !context.structured_one(&status, &status.daemon_id)? {
        let text = render(&status, &Now::read(), context.printer.look);
        context.printer.answer(&text);
        for problem in &status.problems {
            context.printer.warn(&escape(problem));
        }
    }
    Ok(Exit::Done)
}

fn render(status: &DaemonStatus, now: &Now, look: Look) -> String {
    let up = text::uptime(text::seconds_between(status.started_at.0, now.micros));
    let mut out = format!(
        "lxcd {}  {}  up {up}\n",
        escape(&status.version),
        paint(&escape(&status.status), Tone::of_status(&status.status), look)
    );
    let mut facts = Table::new(vec![Column::left(""), Column::left("")]).headers(false).indented(2);
    let mut fact = |name: &str, value: String| facts.row(vec![Cell::new(name), Cell::new(value)]);
    fact("pid", status.pid.to_string());
    fact("socket", status.socket.clone());
    fact("store", status.store.clone());
    fact("state", status.state_dir.clone());
    fact("memory", text::bytes(status.resident_bytes));
    fact(
        "operations",
        format!(
            "{} running, {} queued, {} watched",
            status.operations_running, status.operations_queued, status.watchers
        ),
    );
    out.push_str(&facts.render(look));
    let mut polls = Table::new(vec![
        Column::left("REMOTE"),
        Column::left("STATUS"),
        Column::left("ASKED"),
        Column::right("REQUESTS"),
    ]);
    for poll in &status.polls {
        polls.row(vec![
            Cell::toned(&poll.remote, Tone::Bold),
            Cell::toned(&poll.status, Tone::of_status(&poll.status)),
            Cell::known(poll.last_at.map(|at| now.ago(at))),
            Cell::new(poll.requests.to_string()),
        ]);
    }
    out.push_str(&polls.render(look));
    out
}

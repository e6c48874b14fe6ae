//! `lxcctl summary`: how many there are of each status.

use lxc_core::error::{Exit, Result};

use crate::cli::SummaryArgs;
use crate::client::view::Summary;
use crate::commands::warnings;
use crate::context::Context;
use crate::ui::style::{Look, Tone};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(crate) async fn run(context: &mut Context, args: &SummaryArgs) -> Result<Exit> {
    let selection = args.select.selection();
    context.check(&selection)?;
    let client = context.connect().await?;
    let summary = client.summary(&selection).await?;
    if context.structured_one(&summary, "summary")? {
        return Ok(Exit::Done);
    }
    let text = render(&summary, context.printer.look);
    context.printer.answer(&text);
    let now = Now::read();
    for warning in &summary.warnings {
        context.printer.warn(&warnings::line(warning, &now));
    }
    Ok(Exit::Done)
}

fn render(summary: &Summary, look: Look) -> String {
    let counts = [
        ("TOTAL", summary.total, Tone::Bold),
        ("RUNNING", summary.running, Tone::of_status("running")),
        ("STOPPED", summary.stopped, Tone::of_status("stopped")),
        ("CREATING", summary.creating, Tone::of_status("creating")),
        ("DELETING", summary.deleting, Tone::of_status("deleting")),
        ("ERROR", summary.error, Tone::of_status("error")),
        ("UNKNOWN", summary.unknown, Tone::of_status("unknown")),
    ];
    let mut table = Table::new(counts.iter().map(|(title, ..)| Column::right(title)).collect());
    let toned = |count: u32, tone| Cell::toned(count.to_string(), if count == 0 { Tone::Dim } else { tone });
    table.row(counts.iter().map(|&(_, count, tone)| toned(count, tone)).collect());
    table.render(look)
}

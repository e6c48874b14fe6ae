//! `lxcctl op show`: who asked, when, and what each step did.

use lxc_core::error::{Exit, Result};
use lxc_core::text::{self, short_id};

use crate::cli::OpId;
use crate::client::view::{Actor, Operation, Step, Warning};
use crate::context::Context;
use crate::ui::error;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;
use crate::ui::words;

pub(super) async fn run(context: &mut Context, args: &OpId) -> Result<Exit> {
    let client = context.connect().await?;
    let (operations, _) = client.operation(&args.id, 0).await?;
    let done = match operations.as_slice() {
        [one] => context.structured_one(one, &one.id)?,
        many => context.structured("OperationList", many, &[] as &[Warning], |op| &op.id)?,
    };
    if done {
        return Ok(Exit::Done);
    }
    let now = Now::read();
    for (index, operation) in operations.iter().enumerate() {
        if index > 0 {
            context.printer.answer("\n");
        }
        let text = render(operation, &now, context.printer.look);
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

fn render(operation: &Operation, now: &Now, look: Look) -> String {
    let name = operation.name.as_deref().unwrap_or("-");
    let how = operation.how.as_ref().map_or(String::new(), |how| format!(" ({})", escape(how)));
    let took = text::elapsed(operation.took().unwrap_or(now.micros - operation.began_at().0));
    let mut out = format!(
        "{} {} ({})  {}{how}  {}\n",
        escape(&operation.verb),
        paint(&operation.target, Tone::Bold, look),
        escape(name),
        paint(words::state(operation), Tone::of_status(&operation.state), look),
        paint(&took, Tone::Dim, look),
    );
    let mut facts = Table::new(vec![Column::left(""), Column::left("")]).headers(false).indented(2);
    let mut fact =
        |name: &str, value: String| facts.row(vec![Cell::new(format!("{name:<3}")), Cell::new(value)]);
    fact("id", operation.id.clone());
    let at = format!("{}, {}", now.full(operation.created_at), now.ago(operation.created_at));
    fact("by", operation.actor.as_ref().map_or(at.clone(), |actor| format!("{}, {at}", who(actor))));
    if let Some(detail) = &operation.detail {
        fact("detail", detail.clone());
    }
    if !operation.has_ended()
        && let Some(phase) = &operation.phase
    {
        fact("now", words::phase(phase));
    }
    if let Some(since) = operation.degraded_since {
        fact("degraded", format!("since {}, waiting for answers", now.clock(since)));
    }
    if operation.cancel_requested && !operation.has_ended() {
        fact("cancel", "was asked for".to_owned());
    }
    if let Some(earlier) = &operation.retry_of {
        fact("retry of", short_id(earlier).to_owned());
    }
    for warning in &operation.warnings {
        fact("warning", warning.clone());
    }
    out.push_str(&facts.render(look));
    out.push_str(&steps(&operation.steps, look));
    if let Some(fault) = &operation.error {
        let fault = crate::context::filled(fault, &operation.target);
        out.push_str(&error::lines(&fault, look, true));
        out.push('\n');
    }
    out
}

/// `ops, lxcctl[8812] on pts/3`
fn who(actor: &Actor) -> String {
    let process =
        if actor.process.is_empty() { String::new() } else { format!(", {}[{}]", actor.process, actor.pid) };
    let tty = actor.tty.as_ref().map_or(String::new(), |tty| format!(" on {tty}"));
    format!("{}{process}{tty}", actor.name)
}

fn steps(steps: &[Step], look: Look) -> String {
    let mut table = Table::new(vec![
        Column::right("STEP"),
        Column::left("WHAT"),
        Column::left("RESULT"),
        Column::right("TOOK"),
        Column::left("TASK"),
    ]);
    for (index, step) in steps.iter().enumerate() {
        let took = step.started_at.zip(step.finished_at).map(|(from, to)| text::elapsed(to.0 - from.0));
        let tone = match step.state.as_str() {
            "done" => Tone::Green,
            "failed" => Tone::Red,
            "unknown" => Tone::Magenta,
            "pending" => Tone::Dim,
            _ => Tone::Cyan,
        };
        table.row(vec![
            Cell::new((index + 1).to_string()),
            Cell::new(&step.name),
            Cell::toned(step.outcome.as_deref().unwrap_or_else(|| words::step(&step.state)), tone),
            Cell::known(took).or_tone(Tone::Dim),
            Cell::known(step.upid.as_ref()),
        ]);
    }
    table.render(look)
}

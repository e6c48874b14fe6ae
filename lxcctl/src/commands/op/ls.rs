//! `lxcctl op ls`: operations, the newest first.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use crate::cli::groups::micros;
use crate::cli::{Format, OpList};
use crate::client::OperationFilter;
use crate::client::view::{Operation, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::rows::reason;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::{self, Now};
use crate::ui::words;

const COLUMNS: [&str; 11] =
    ["op", "verb", "target", "name", "result", "took", "by", "created", "code", "detail", "batch"];
const STATES: [&str; 6] = ["queued", "running", "succeeded", "failed", "cancelled", "needs_attention"];

pub(super) async fn run(context: &mut Context, args: &OpList) -> Result<Exit> {
    let selection = args.select.selection();
    context.check(&selection)?;
    let states: Vec<String> = args.filter.state.iter().map(|state| in_the_record(state)).collect();
    for state in &states {
        if !STATES.contains(&state.as_str()) {
            return Err(Error::new(Code::BadValue, format!("{state} is no state of an operation"))
                .because(format!("states: {}", STATES.join(" ")))
                .hint(format!("{{line}} --state {}", columns::nearest(state, &STATES))));
        }
    }
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..10] };
    let chosen = columns::choose(args.tables.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.tables.sort.as_deref(), &COLUMNS)?;
    let filter = OperationFilter {
        selection,
        states,
        verb: args.filter.verb.clone().unwrap_or_default(),
        actor: args.filter.actor.clone().unwrap_or_default(),
        since: args.filter.since.map(|since| time::now() - micros(since)),
        limit: args.filter.limit,
    };
    let client = context.connect().await?;
    let mut operations = client.operations(&filter).await?;
    let now = Now::read();
    for (name, turned) in order.into_iter().rev() {
        operations.sort_by(|a, b| {
            let order = match name {
                "took" => a.took().cmp(&b.took()),
                "created" => a.created_at.cmp(&b.created_at),
                _ => value(a, name, &now).cmp(&value(b, name, &now)),
            };
            if turned { order.reverse() } else { order }
        });
    }
    if context.structured("OperationList", &operations, &[] as &[Warning], |op| &op.id)? {
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(chosen.iter().map(|name| column(name)).collect()).headers(!args.tables.no_headers);
    for operation in &operations {
        table.row(chosen.iter().map(|name| cell(operation, name, &now)).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    if operations.is_empty() {
        context.printer.say("No operation matches.");
    }
    Ok(Exit::Done)
}

/// What the list calls `waiting` and `unknown`, by the names those states have in the record.
fn in_the_record(state: &str) -> String {
    match state {
        "waiting" => "queued".to_owned(),
        "unknown" => "needs_attention".to_owned(),
        other => other.to_owned(),
    }
}

fn column(name: &str) -> Column {
    match name {
        "op" => Column::left("OP"),
        "verb" => Column::left("VERB"),
        "target" => Column::left("TARGET"),
        "name" => Column::left("NAME").goes(3).shrinks(),
        "result" => Column::left("RESULT"),
        "took" => Column::right("TOOK"),
        "by" => Column::left("BY").goes(2),
        "created" => Column::left("CREATED").goes(1),
        "code" => Column::left("CODE").goes(4),
        "batch" => Column::left("BATCH").goes(0),
        _ => Column::left("DETAIL").yields(),
    }
}

fn cell(operation: &Operation, name: &str, now: &Now) -> Cell {
    let text = value(operation, name, now);
    match name {
        "op" | "target" => Cell::toned(text, Tone::Bold),
        "result" => Cell::toned(text, tone(operation)),
        "took" | "created" => Cell::known(Some(text)).or_tone(Tone::Dim),
        _ => Cell::known(Some(text)),
    }
}

fn tone(operation: &Operation) -> Tone {
    match (operation.state.as_str(), operation.result.as_deref()) {
        (_, Some("unchanged")) => Tone::Dim,
        ("running" | "queued", _) => Tone::Cyan,
        (state, _) => Tone::of_status(state),
    }
}

fn value(operation: &Operation, name: &str, now: &Now) -> String {
    match name {
        "op" => text::short_id(&operation.id).to_owned(),
        "verb" => operation.verb.clone(),
        "target" => operation.target.clone(),
        "name" => operation.name.clone().unwrap_or_default(),
        "result" => words::result(operation),
        "took" => operation.took().map(text::elapsed).unwrap_or_default(),
        "by" => operation.actor.as_ref().map(|actor| actor.name.clone()).unwrap_or_default(),
        "created" => now.ago(operation.created_at),
        "code" => operation.error.as_ref().map(|error| error.code.to_string()).unwrap_or_default(),
        "batch" => text::short_id(&operation.request_id).to_owned(),
        _ => {
            operation.detail.clone().or_else(|| operation.phase.as_deref().map(words::phase)).unwrap_or_else(
                || operation.error.as_ref().map(|error| reason(error, &operation.target)).unwrap_or_default(),
            )
        }
    }
}

//! `lxcctl audit ls`: who asked for what, when, and how it ended.

use lxc_core::error::{Exit, Result};
use lxc_core::text::{elapsed, short_id};

use crate::cli::groups::micros;
use crate::cli::{AuditCommand, AuditList, AuditVerb, Format};
use crate::client::AuditFilter;
use crate::client::view::{AuditRecord, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::{self, Now};
use crate::ui::words::doing;

const COLUMNS: [&str; 13] = [
    "time", "actor", "verb", "target", "op", "result", "code", "domain", "process", "tty", "login", "sudo",
    "detail",
];

pub(crate) async fn run(context: &mut Context, args: &AuditCommand) -> Result<Exit> {
    match &args.command {
        Some(AuditVerb::Ls(list)) => ls(context, list).await,
        None => ls(context, &args.list).await,
    }
}

async fn ls(context: &mut Context, args: &AuditList) -> Result<Exit> {
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..7] };
    let chosen = columns::choose(args.tables.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.tables.sort.as_deref(), &COLUMNS)?;
    let filter = AuditFilter {
        target: args.target.clone().unwrap_or_default(),
        actor: args.actor.clone().unwrap_or_default(),
        verb: args.verb.clone().unwrap_or_default(),
        since: args.since.map(|since| time::now() - micros(since)),
        failed: args.failed,
        limit: args.limit,
    };
    let client = context.connect().await?;
    let mut records = client.audit(filter).await?;
    let now = Now::read();
    for (name, turned) in order.into_iter().rev() {
        records.sort_by(|a, b| {
            let order = value(a, name, &now).cmp(&value(b, name, &now));
            if turned { order.reverse() } else { order }
        });
    }
    if context.structured("AuditList", &records, &[] as &[Warning], |record| &record.target)? {
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(chosen.iter().map(|name| column(name)).collect()).headers(!args.tables.no_headers);
    for record in &records {
        table.row(chosen.iter().map(|name| cell(record, name, &now)).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    if records.is_empty() {
        context.printer.say("No audit record matches.");
    }
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "time" => Column::left("TIME"),
        "actor" => Column::left("ACTOR"),
        "verb" => Column::left("VERB"),
        "target" => Column::left("TARGET"),
        "op" => Column::left("OP").goes(2),
        "result" => Column::left("RESULT"),
        "code" => Column::left("CODE").goes(3),
        "process" => Column::left("PROCESS").goes(0),
        "tty" => Column::left("TTY").goes(0),
        "login" => Column::left("LOGIN").goes(0),
        "sudo" => Column::left("SUDO").goes(0),
        "domain" => Column::left("DOMAIN").goes(0),
        _ => Column::left("DETAIL").goes(1).yields(),
    }
}

fn cell(record: &AuditRecord, name: &str, now: &Now) -> Cell {
    let text = value(record, name, now);
    match name {
        "time" => Cell::toned(text, Tone::Dim),
        "target" => Cell::known(Some(text)).or_tone(Tone::Bold),
        "result" => {
            let tone = match text.as_str() {
                _ if record.result.is_none() => Tone::Cyan,
                "unchanged" => Tone::Dim,
                "unknown" => Tone::Magenta,
                "refused" | "failed" | "cancelled" => Tone::Red,
                _ => Tone::Green,
            };
            Cell::toned(text, tone)
        }
        _ => Cell::known(Some(text)),
    }
}

fn value(record: &AuditRecord, name: &str, now: &Now) -> String {
    let actor = record.actor.as_ref();
    match name {
        "time" => now.full(record.time),
        "actor" => actor.map_or_else(String::new, |actor| actor.name.clone()),
        "verb" => record.verb.clone(),
        "target" => record.target.clone(),
        "op" => record.operation_id.as_deref().map(short_id).unwrap_or_default().to_owned(),
        "result" => record.result.clone().unwrap_or_else(|| doing(&record.verb).to_owned()),
        "code" => record.code.clone().unwrap_or_default(),
        "process" => actor.map_or_else(String::new, |actor| format!("{}[{}]", actor.process, actor.pid)),
        "tty" => actor.and_then(|actor| actor.tty.clone()).unwrap_or_default(),
        "domain" => actor.map_or_else(String::new, |actor| actor.domain.clone()),
        "sudo" => actor.and_then(|actor| actor.sudo_uid).map_or_else(String::new, |uid| uid.to_string()),
        "login" => actor.and_then(|actor| actor.login_uid).map_or_else(String::new, |uid| uid.to_string()),
        _ => options(&record.detail).unwrap_or_else(|| record.detail.clone()),
    }
}

/// Of an order, which is recorded as JSON, what was typed: its targets and what is not as it usually is.
fn options(detail: &str) -> Option<String> {
    let serde_json::Value::Object(order) = serde_json::from_str(detail).ok()? else { return None };
    let unusual = |(name, value): (&String, &serde_json::Value)| {
        use serde_json::Value::{Bool, Null, Number, Object, String as Text};
        let usual = ["kind", "actor", "selector_text"].contains(&name.as_str())
            || (name == "max_parallel" && *value == 8);
        match value {
            _ if usual => None,
            Null | Bool(false) | Object(_) => None,
            Number(number) if number.as_u64() == Some(0) => None,
            Number(micros) if name == "wait_lock" || name == "pause" => {
                Some(format!("{name}={}", elapsed(micros.as_i64()?)))
            }
            Bool(true) => Some(name.clone()),
            Text(text) => Some(format!("{name}={text}")),
            other => Some(format!("{name}={other}")),
        }
    };
    let targets = order.get("selector_text")?.as_str()?.to_owned();
    Some(std::iter::once(targets).chain(order.iter().filter_map(unusual)).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_told_by_what_was_typed() {
        let order = r#"{"kind":{"verb":"start"},"if_needed":true,"wait_lock":90000000,"max_parallel":8,"max_per_node":2,
            "on_error_stop":false,"pause":0,"selector_text":"tag=ci","actor":["vm","root"]}"#;
        assert_eq!(options(order).as_deref(), Some("tag=ci if_needed max_per_node=2 wait_lock=1m 30s"));
        assert_eq!(options("https://pve1:8006"), None);
        assert_eq!(options("{}"), None);
    }
}

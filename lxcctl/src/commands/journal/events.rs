//! `lxcctl events`: the journal, and with --follow what comes.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::op::EventKind;
use lxc_core::text::short_id;

use crate::cli::groups::micros;
use crate::cli::{EventsArgs, Format};
use crate::client::view::{Event, Warning};
use crate::client::{Client, EventFilter};
use crate::commands::columns;
use crate::context::Context;
use crate::follow::{Signals, come_back, is_away};
use crate::ui::json;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::{self, Now};

pub(crate) async fn run(context: &mut Context, args: &EventsArgs) -> Result<Exit> {
    let selection = args.select.selection();
    context.check(&selection)?;
    if args.follow {
        context.refuse_endless_json("--follow")?;
    }
    let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    if let Some(unknown) = args.types.iter().find(|wanted| !known.contains(&wanted.as_str())) {
        return Err(Error::new(Code::BadValue, format!("{unknown} is no type of event"))
            .because(format!("types: {}", known.join(" ")))
            .hint(format!("{{line}} --type {}", columns::nearest(unknown, &known))));
    }
    let filter = EventFilter {
        selection,
        follow: args.follow,
        after: args.after,
        since: args.since.map(|since| time::now() - micros(since)),
        types: args.types.clone(),
        actor: args.actor.clone().unwrap_or_default(),
        limit: args.limit,
    };
    let client = context.connect().await?;
    if !args.follow {
        let events = client.events(&filter).await?.collect().await?;
        if context.structured("EventList", &events, &[] as &[Warning], |event| &event.target)? {
            return Ok(Exit::Done);
        }
        let wide = context.format == Format::Wide;
        let text = table(&events, &Now::read(), wide, !args.no_headers).render(context.printer.look);
        context.printer.answer(&text);
        if events.is_empty() {
            context.printer.say("No event matches.");
        }
        return Ok(Exit::Done);
    }
    follow(context, client, filter, !args.no_headers).await
}

/// Prints what comes. A daemon that is restarted meanwhile is asked for what was not printed yet.
async fn follow(
    context: &mut Context,
    mut client: Client,
    mut filter: EventFilter,
    mut headers: bool,
) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let mut stream = client.events(&filter).await?;
    loop {
        let answer = tokio::select! {
            exit = signals.next() => return Ok(exit),
            answer = stream.next() => answer,
        };
        let lost = match answer {
            Ok(Some(events)) => {
                print(context, &events, headers)?;
                headers &= events.is_empty();
                context.printer.flush();
                if context.printer.is_closed() {
                    return Ok(Exit::Done);
                }
                if let Some(last) = events.last() {
                    (filter.after, filter.limit) = (Some(last.cursor), 0);
                }
                continue;
            }
            Ok(None) => {
                Error::new(Code::DaemonUnreachable, "lxcd does not answer").because("it ended the stream")
            }
            Err(fault) if is_away(&fault) => fault,
            Err(fault) => return Err(fault),
        };
        client = tokio::select! {
            exit = signals.next() => return Ok(exit),
            fresh = come_back(&client, lost) => fresh?,
        };
        stream = client.events(&filter).await?;
    }
}

fn print(context: &mut Context, events: &[Event], headers: bool) -> Result<()> {
    match context.format {
        Format::Jsonl => {
            for event in events {
                context.printer.answer_line(&json::line(event)?);
            }
        }
        Format::Name => {
            for event in events {
                context.printer.answer_line(&event.target);
            }
        }
        _ => {
            let wide = context.format == Format::Wide;
            let text = table(events, &Now::read(), wide, headers).render(context.printer.look);
            context.printer.answer(&text);
        }
    }
    Ok(())
}

/// The events as a table; a wide one begins with what `--after` takes.
pub(crate) fn table(events: &[Event], now: &Now, wide: bool, headers: bool) -> Table {
    let mut columns = vec![
        Column::left("TIME"),
        Column::left("TARGET"),
        Column::left("NAME").goes(2).shrinks(),
        Column::left("EVENT"),
        Column::left("BY").goes(1),
        Column::left("OP"),
        Column::left("DETAIL").yields(),
    ];
    if wide {
        columns.insert(0, Column::right("CURSOR"));
    }
    let mut table = Table::new(columns).headers(headers);
    for event in events {
        let mut cells = vec![
            Cell::toned(now.full(event.time), Tone::Dim),
            Cell::toned(&event.target, Tone::Bold),
            Cell::known(event.name.as_ref()),
            Cell::toned(&event.kind_of, tone(&event.kind_of)),
            Cell::known(event.actor.as_ref()),
            Cell::known(event.operation_id.as_deref().map(short_id)),
            Cell::known(Some(detail(event))),
        ];
        if wide {
            cells.insert(0, Cell::new(event.cursor.to_string()));
        }
        table.row(cells);
    }
    table
}

/// What the other columns have not said yet: `graceful` of `stopped (graceful)`, the reason of a failure.
fn detail(event: &Event) -> &str {
    let said = match event.message.as_str() {
        "" => event.how.as_deref().unwrap_or_default(),
        message => message,
    };
    match said.split_once(": ") {
        Some((headline, reason)) if headline.contains(&event.target) => reason,
        _ => match said.strip_prefix(event.kind_of.as_str()) {
            Some(rest) => rest.trim().trim_start_matches('(').trim_end_matches(')'),
            None => said,
        },
    }
}

fn tone(kind: &str) -> Tone {
    match kind {
        "started" | "restarted" | "created" | "service_ready" | "script_completed" => Tone::Green,
        "error" | "vanished" => Tone::Red,
        "stopped" => Tone::Dim,
        _ => Tone::Plain,
    }
}

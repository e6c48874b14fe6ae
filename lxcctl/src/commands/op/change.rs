//! `lxcctl op cancel | retry | resolve`: what can still be done about an operation.

use lxc_core::error::{Exit, Result};
use lxc_core::text::short_id;

use crate::cli::{CancelOp, ResolveOp, RetryOp};
use crate::client::view::{Operation, Warning};
use crate::commands::verb::finish::{self, Finish, Sent, Why};
use crate::context::Context;
use crate::follow::{Board, Patience, Signals, follow};
use crate::ui::escape::escape;
use crate::ui::rows::{self, Row};
use crate::ui::time;

pub(super) async fn cancel(context: &mut Context, args: &CancelOp) -> Result<Exit> {
    let client = context.connect().await?;
    let (operations, notes) = client.cancel(&args.id, args.abandon).await?;
    print(context, &operations, &notes)?;
    let going: Vec<&Operation> = operations.iter().filter(|op| !op.has_ended()).collect();
    if let [one, ..] = going.as_slice()
        && context.format.is_text()
    {
        let watch = context.bold(&format!("lxcctl op watch {}", short_id(&one.id)));
        context.printer.say(&format!("watch: {watch}"));
    }
    Ok(Exit::Done)
}

pub(super) async fn resolve(context: &mut Context, args: &ResolveOp) -> Result<Exit> {
    let client = context.connect().await?;
    let (operations, notes) = client.resolve_attention(&args.id, &args.outcome).await?;
    print(context, &operations, &notes)?;
    Ok(Exit::Done)
}

pub(super) async fn retry(context: &mut Context, args: &RetryOp) -> Result<Exit> {
    let client = context.connect().await?;
    let key = args.request_id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let mut signals = Signals::listen()?;
    let from = args.from.as_deref().unwrap_or_default();
    let sent = finish::submitted(context, &mut signals, &key, client.retry(&args.id, &key, from)).await?;
    let (submitted, why) = match sent {
        Sent::Answered(submitted, let_go) => (submitted, let_go.map(Why::Signalled)),
        Sent::Unanswered(exit) => return Ok(exit),
    };
    let mut board = Board::new(submitted.operations);
    let timeout = (!args.timeout.is_zero()).then_some(args.timeout);
    let end = Finish {
        request_id: submitted.request_id,
        timeout,
        fail_on_warnings: args.fail_on_warnings,
        ..Finish::default()
    };
    if let Some(why) = why.or(args.detach.then_some(Why::Asked)) {
        return finish::detached(context, &board, &end, why);
    }
    let patience = Patience { timeout, silent: false };
    let ending = follow(context, &client, &mut board, patience, &mut signals).await?;
    finish::ended(context, &board, &end, ending)
}

/// Rows with what the daemon says about each.
fn print(context: &mut Context, operations: &[Operation], notes: &[String]) -> Result<()> {
    if context.structured("OperationList", operations, &[] as &[Warning], |op| &op.id)? {
        return Ok(());
    }
    if context.printer.is_quiet() {
        return Ok(());
    }
    let now = time::now();
    let noted = operations.iter().zip(notes.iter().map(Some).chain(std::iter::repeat(None)));
    let rows: Vec<Row> = noted
        .map(|(operation, note)| {
            let mut row = Row::of(operation, now);
            if let Some(note) = note {
                row.detail = escape(note).into_owned();
            }
            if !operation.has_ended() {
                row.result = if operation.cancel_requested { "cancelling" } else { "running" }.to_owned();
            }
            row
        })
        .collect();
    let text = rows::render(&rows, context.printer.look);
    context.printer.answer(&text);
    Ok(())
}

//! The verbs: resolve → question → submit → watch → rows. Owns that order; must not know how any of it
//! is worded (`question`, `finish`, `dry_run`).

mod dry_run;
pub(crate) mod finish;
mod question;
mod request;

use lxc_core::error::{Code, Error, Exit, Result};

pub(crate) use request::Request;

use finish::Sent;

use crate::client::view::ContainerRef;
use crate::client::{Client, Order, Submitted};
use crate::context::{Context, filled, typed_target};
use crate::follow::{Board, Patience, Signals, follow};

/// Runs one verb.
pub(crate) async fn run(context: &mut Context, request: Request) -> Result<Exit> {
    if request.selection.is_empty() {
        return Err(no_target(request.verb));
    }
    context.check(&request.selection)?;
    let client = context.connect().await?;
    let ended = carry_out(context, &client, &request).await;
    ended.map_err(|fault| {
        let target =
            typed_target(&request.selection, &[]).map(str::to_owned).or_else(|| fault.target.clone());
        target.map_or_else(|| fault.clone(), |target| filled(&fault, &target))
    })
}

async fn carry_out(context: &mut Context, client: &Client, request: &Request) -> Result<Exit> {
    if request.request_id.is_some() && !request.dry_run {
        // Asked before the targets are: what was ordered before may have deleted them.
        let order = request.order(Vec::new());
        if let Some(known) = client.replay(&order).await? {
            return see_through(context, client, request, &order, known, &mut Signals::listen()?).await;
        }
    }
    let resolved = match client.resolve(&request.selection, request.verb, request.at_most).await {
        // What is not there need not be stopped or deleted.
        Err(fault) if request.if_needed && nothing_there(request, &fault) => {
            return finish::nothing_to_do(context, &fault);
        }
        answer => answer?,
    };
    if resolved.refs.is_empty() {
        let fault =
            Error::new(Code::NoMatch, format!("no container matches {}", request.selection.describe()))
                .because("a verb needs at least one")
                .hint_noted("{line} --if-needed", "nothing to do is then a success");
        return if request.if_needed { finish::nothing_to_do(context, &fault) } else { Err(fault) };
    }
    let order = request.order(resolved.refs);
    if request.dry_run {
        let items = client.dry_run(&order).await?;
        return dry_run::print(context, &items);
    }
    question::settle(context, client, request, &order, resolved.by_pattern).await?;
    submit(context, client, request, &order).await
}

async fn submit(context: &mut Context, client: &Client, request: &Request, order: &Order) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let sent = finish::submitted(context, &mut signals, &order.request_id, client.submit(order)).await?;
    match sent {
        Sent::Answered(submitted, None) => {
            see_through(context, client, request, order, submitted, &mut signals).await
        }
        Sent::Answered(submitted, Some(exit)) => {
            let end = end_of(request, order, submitted.request_id);
            let board = Board::new(submitted.operations);
            finish::detached(context, &board, &end, finish::Why::Signalled(exit))
        }
        Sent::Unanswered(exit) => Ok(exit),
    }
}

fn end_of(request: &Request, order: &Order, request_id: String) -> finish::Finish {
    finish::Finish {
        request_id,
        typed: typed_one(&order.refs),
        grace_seconds: order.grace_seconds,
        timeout: request.timeout(),
        fail_on_warnings: request.fail_on_warnings,
    }
}

/// Follows what was submitted to its end, if that was asked for.
async fn see_through(
    context: &mut Context,
    client: &Client,
    request: &Request,
    order: &Order,
    submitted: Submitted,
    signals: &mut Signals,
) -> Result<Exit> {
    let mut board = Board::new(submitted.operations);
    let end = end_of(request, order, submitted.request_id);
    if request.detach {
        board.settle();
        return finish::detached(context, &board, &end, finish::Why::Asked);
    }
    let patience = Patience { timeout: request.timeout(), silent: false };
    let ending = follow(context, client, &mut board, patience, signals).await?;
    let exit = finish::ended(context, &board, &end, ending)?;
    if question::is_unreachable_delete(order, &board)
        && let Some(one) = order.refs.first()
        && question::forget_instead(context, one, signals).await
    {
        let forget = Order {
            verb: "forget",
            request_id: uuid::Uuid::now_v7().to_string(),
            destroy_unreferenced_disks: false,
            ..order.clone()
        };
        return Box::pin(submit(context, client, request, &forget)).await;
    }
    Ok(exit)
}

/// What was typed for the only target.
fn typed_one(refs: &[ContainerRef]) -> Option<String> {
    match refs {
        [only] => only.typed.clone(),
        _ => None,
    }
}

fn nothing_there(request: &Request, fault: &Error) -> bool {
    match fault.code {
        Code::NoMatch => true,
        Code::NoContainer | Code::Gone => request.verb == "delete" || request.verb == "forget",
        _ => false,
    }
}

fn no_target(verb: &str) -> Error {
    Error::new(Code::EmptySelection, format!("{verb} needs a target"))
        .because("empty is never everything")
        .hint("lxcctl ls")
        .hint_noted("lxcctl help selectors", "or see how containers are named")
}

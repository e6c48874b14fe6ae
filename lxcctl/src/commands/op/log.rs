//! `lxcctl op log`: the lines an operation's tasks wrote, as they wrote them.

use lxc_core::error::{Exit, Result};

use crate::cli::OpLog;
use crate::client::view::Warning;
use crate::context::Context;
use crate::ui::escape::escape;

pub(super) async fn run(context: &mut Context, args: &OpLog) -> Result<Exit> {
    let client = context.connect().await?;
    let (operations, log) = client.operation(&args.id, args.limit).await?;
    if context.structured("EventList", &log, &[] as &[Warning], |event| &event.target)? {
        return Ok(Exit::Done);
    }
    // With several operations in a batch each line says whose it is.
    let many = operations.len() > 1;
    for event in &log {
        let line = escape(event.message.trim_end());
        let line = if many { format!("{}  {line}", event.target) } else { line.into_owned() };
        context.printer.answer_line(&line);
    }
    if log.is_empty() {
        context.printer.say("Nothing was logged.");
    }
    Ok(Exit::Done)
}

//! `lxcctl op log`: what an operation did and the lines its tasks wrote, each with its time.

use lxc_core::error::{Exit, Result};

use crate::cli::OpLog;
use crate::client::view::Warning;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Tone, paint};
use crate::ui::time::Now;
use crate::ui::words::phase;

pub(super) async fn run(context: &mut Context, args: &OpLog) -> Result<Exit> {
    let client = context.connect().await?;
    let (operations, log) = client.operation(&args.id, args.limit).await?;
    if context.structured("EventList", &log, &[] as &[Warning], |event| &event.target)? {
        return Ok(Exit::Done);
    }
    // With several operations in a batch each line says whose it is.
    let many = operations.len() > 1;
    let (now, look) = (Now::read(), context.printer.look);
    for event in &log {
        let at = paint(&now.full(event.time), Tone::Dim, look);
        // How a step stands is the engine's own word; what a task wrote stays as it is.
        let said = match event.kind_of.as_str() {
            "step" => phase(&event.message),
            _ => event.message.clone(),
        };
        let whose = if many { format!("{}  ", event.target) } else { String::new() };
        context.printer.answer_line(&format!("{at}  {whose}{}", escape(said.trim_end())));
    }
    if log.is_empty() {
        context.printer.say("Nothing was logged.");
    }
    Ok(Exit::Done)
}

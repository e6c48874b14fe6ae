//! `lxcctl daemon drain`: one lxcd begins nothing new and leaves its operations to the others.

use lxc_core::error::{Exit, Result};

use super::ls::short;
use crate::cli::DrainDaemon;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

pub(crate) async fn run(context: &mut Context, args: &DrainDaemon) -> Result<Exit> {
    let client = context.connect().await?;
    let (daemon, others) = client.drain_daemon(args.id.as_deref().unwrap_or_default()).await?;
    if !context.structured_one(&daemon, &daemon.id)? && !context.printer.is_quiet() {
        let look = context.printer.look;
        let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
        let name = paint(short(&daemon), Tone::Bold, look);
        let host = escape(&daemon.host).into_owned();
        context.printer.answer_line(&format!("{mark} {name}  draining  {host}, pid {}", daemon.pid));
    }
    if others == 0 {
        context.printer.warn("no other lxcd shares its database: nothing is begun until one is started");
    }
    Ok(Exit::Done)
}

//! Operations after they were submitted: looking, following, cancelling, retrying.

mod change;
mod log;
mod ls;
mod show;
mod watch;

use lxc_core::error::{Exit, Result};

use crate::cli::{OpCommand, OpList, OpVerb};
use crate::context::Context;

pub(crate) async fn run(context: &mut Context, args: OpCommand) -> Result<Exit> {
    let OpCommand { command, filter, tables } = args;
    match command {
        None => ls::run(context, &OpList { filter, tables, ..OpList::default() }).await,
        Some(OpVerb::Ls(args)) => ls::run(context, &args).await,
        Some(OpVerb::Show(args)) => show::run(context, &args).await,
        Some(OpVerb::Log(args)) => log::run(context, &args).await,
        Some(OpVerb::Watch(args)) => watch::run(context, &args, false).await,
        Some(OpVerb::Wait(args)) => watch::run(context, &args, true).await,
        Some(OpVerb::Cancel(args)) => change::cancel(context, &args).await,
        Some(OpVerb::Retry(args)) => change::retry(context, &args).await,
        Some(OpVerb::Resolve(args)) => change::resolve(context, &args).await,
    }
}

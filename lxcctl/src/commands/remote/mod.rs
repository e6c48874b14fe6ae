//! Remotes: the Proxmox installations lxcd looks after.

pub(crate) mod add;
pub(crate) mod ls;
mod secret;

use lxc_core::error::{Exit, Result};

use crate::cli::{RemoteCommand, RemoteVerb};
use crate::context::Context;

pub(crate) async fn run(context: &mut Context, args: RemoteCommand) -> Result<Exit> {
    match args.command {
        None => ls::run(context, &args.tables).await,
        Some(RemoteVerb::Ls(tables)) => ls::run(context, &tables).await,
        Some(RemoteVerb::Add(args)) => add::run(context, args).await,
        Some(_) => unimplemented_yet(),
    }
}

fn unimplemented_yet() -> Result<Exit> {
    Err(lxc_core::error::Error::new(lxc_core::error::Code::Internal, "not built yet"))
}

//! Remotes: the Proxmox installations lxcd looks after.

mod add;
mod doctor;
mod login;
mod ls;
mod remove;
mod secret;
mod set;
mod share;
mod show;
mod ssh;
mod test;
mod trust;

use lxc_core::error::{Exit, Result};

use crate::cli::{RemoteCommand, RemoteVerb};
use crate::context::Context;

pub(crate) async fn run(context: &mut Context, args: RemoteCommand) -> Result<Exit> {
    match args.command {
        None => ls::run(context, &args.tables).await,
        Some(RemoteVerb::Ls(tables)) => ls::run(context, &tables).await,
        Some(RemoteVerb::Show(args)) => show::run(context, &args.name).await,
        Some(RemoteVerb::Add(args)) => add::run(context, args).await,
        Some(RemoteVerb::Test(args)) => test::run(context, &args.name).await,
        Some(RemoteVerb::Doctor(args)) => doctor::run(context, &args.name).await,
        Some(RemoteVerb::Trust(args)) => trust::run(context, &args).await,
        Some(RemoteVerb::Set(args)) => set::run(context, args).await,
        Some(RemoteVerb::Login(args)) => login::run(context, args).await,
        Some(RemoteVerb::Logout(args)) => login::out(context, &args.name).await,
        Some(RemoteVerb::Share(args)) => share::run(context, &args.with, Some(&args.role)).await,
        Some(RemoteVerb::Unshare(args)) => share::run(context, &args, None).await,
        Some(RemoteVerb::Remove(args)) => remove::run(context, &args).await,
    }
}

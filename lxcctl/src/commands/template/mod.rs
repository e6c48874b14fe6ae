//! Templates: what containers are made from.

mod delete;
mod edit;
mod export;
mod import;
mod ls;
mod show;
mod tree;

use lxc_core::error::{Exit, Result};

use crate::cli::{TemplateCommand, TemplateVerb};
use crate::context::Context;

pub(crate) async fn run(context: &mut Context, args: TemplateCommand) -> Result<Exit> {
    match args.command {
        None => ls::run(context, &args.list).await,
        Some(TemplateVerb::Ls(list)) => ls::run(context, &list).await,
        Some(TemplateVerb::Show(args)) => show::run(context, &args.name).await,
        Some(TemplateVerb::Import(args)) => import::run(context, &args).await,
        Some(TemplateVerb::Create(args)) => edit::create(context, &args).await,
        Some(TemplateVerb::Edit(args)) => edit::edit(context, &args).await,
        Some(TemplateVerb::Export(args)) => export::run(context, &args).await,
        Some(TemplateVerb::Delete(args)) => delete::run(context, &args).await,
    }
}

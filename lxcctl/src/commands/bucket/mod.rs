//! Buckets: package lists to choose for templates.

mod change;
mod delete;
mod ls;
mod show;

use lxc_core::error::{Exit, Result};

use crate::cli::{BucketCommand, BucketVerb};
use crate::context::Context;

pub(crate) async fn run(context: &mut Context, args: BucketCommand) -> Result<Exit> {
    match args.command {
        None => ls::run(context, &args.tables).await,
        Some(BucketVerb::Ls(list)) => ls::run(context, &list.tables).await,
        Some(BucketVerb::Show(args)) => show::run(context, &args.name).await,
        Some(BucketVerb::Create(args)) => change::create(context, &args).await,
        Some(BucketVerb::Edit(args)) => change::edit(context, &args).await,
        Some(BucketVerb::Add(args)) => change::packages(context, &args, false).await,
        Some(BucketVerb::Remove(args)) => change::packages(context, &args, true).await,
        Some(BucketVerb::Delete(args)) => delete::run(context, &args).await,
    }
}

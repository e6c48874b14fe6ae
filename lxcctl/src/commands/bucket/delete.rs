//! `lxcctl bucket delete`: always asks.

use lxc_core::error::{Exit, Result};

use crate::cli::DeleteBucket;
use crate::commands::deletion::Deletion;
use crate::context::Context;

pub(super) async fn run(context: &mut Context, args: &DeleteBucket) -> Result<Exit> {
    let client = context.connect().await?;
    let bucket = client.delete_bucket(&args.name, true).await?;
    let deletion = Deletion {
        verb: "bucket delete",
        kind: "DeletedBucket",
        name: &args.name,
        parts: &bucket.parts(),
        stays: "templates keep their copies",
        yes: args.yes,
        dry_run: args.dry_run,
    };
    deletion.carry_out(context, async { client.delete_bucket(&args.name, false).await.map(|_| ()) }).await
}

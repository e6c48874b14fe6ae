//! `lxcctl template delete`: always asks.

use lxc_core::error::{Exit, Result};

use crate::cli::DeleteTemplate;
use crate::commands::deletion::Deletion;
use crate::context::Context;

pub(super) async fn run(context: &mut Context, args: &DeleteTemplate) -> Result<Exit> {
    let client = context.connect().await?;
    let template = client.delete_template(&args.name, true).await?;
    let deletion = Deletion {
        verb: "template delete",
        kind: "DeletedTemplate",
        name: &args.name,
        parts: &template.parts(),
        stays: "containers made from it stay",
        yes: args.yes,
        dry_run: args.dry_run,
    };
    deletion.carry_out(context, async { client.delete_template(&args.name, false).await.map(|_| ()) }).await
}

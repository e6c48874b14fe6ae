//! `lxcctl bucket delete`: always asks.

use lxc_core::error::{Code, Error, Exit, Result};
use serde::Serialize;

use crate::cli::DeleteBucket;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

#[derive(Serialize)]
struct Deleted<'a> {
    kind: &'static str,
    name: &'a str,
    deleted: bool,
}

pub(super) async fn run(context: &mut Context, args: &DeleteBucket) -> Result<Exit> {
    let client = context.connect().await?;
    let bucket = client.delete_bucket(&args.name, true).await?;
    let name = escape(&args.name).into_owned();
    let parts = bucket.parts();
    if !args.dry_run {
        if !args.yes {
            if !context.printer.can_ask {
                let what = "bucket delete wants a yes, and there is no terminal to ask on";
                return Err(Error::new(Code::NeedsYes, what)
                    .because(format!("it would delete {name} with {parts}"))
                    .hint(context.command_line_with("--yes", None)));
            }
            let question = format!("Deletes {name} with {parts}; templates keep their copies. [y/N] ");
            let answer = context.printer.ask(&question).unwrap_or_default();
            if !matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
                return Err(Error::new(Code::AnsweredNo, format!("{name} was not deleted"))
                    .because("the answer was not yes")
                    .hint_noted("{line} --yes", "asks nothing"));
            }
        }
        client.delete_bucket(&args.name, false).await?;
    }
    let deleted = Deleted { kind: "DeletedBucket", name: &args.name, deleted: !args.dry_run };
    if context.structured_one(&deleted, &args.name)? {
        return Ok(Exit::Done);
    }
    let look = context.printer.look;
    let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
    let bold = paint(&name, Tone::Bold, look);
    let result = if args.dry_run { "would delete" } else { "deleted" };
    if !context.printer.is_quiet() {
        context.printer.answer_line(&format!("{mark} {bold}  {result}  {parts}"));
    }
    if args.dry_run {
        context.printer.say("dry run: nothing was changed");
    }
    Ok(Exit::Done)
}

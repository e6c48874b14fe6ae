//! `lxcctl remote remove`: forget a remote with all records of its containers.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;
use serde::Serialize;

use crate::cli::RemoveRemote;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

#[derive(Serialize)]
struct Removed<'a> {
    kind: &'static str,
    name: &'a str,
    removed: bool,
    containers: u32,
    running_operations: u32,
}

pub(super) async fn run(context: &mut Context, args: &RemoveRemote) -> Result<Exit> {
    let client = context.connect().await?;
    let (containers, running_operations) = client.remove_remote(&args.name, true).await?;
    let name = escape(&args.name).into_owned();
    let records = text::counted(u64::from(containers), "container");
    if !args.dry_run {
        let loses = format!("Removes {name} and lxcd's records of {records}; Proxmox is not touched.");
        if !args.yes {
            if !context.printer.can_ask {
                return Err(Error::new(
                    Code::NeedsYes,
                    "remote remove wants a yes, and there is no terminal to ask on",
                )
                .because(format!("it would remove {name} and the records of {records}"))
                .hint(context.command_line_with("--yes", None)));
            }
            let answer = context.printer.ask(&format!("{loses} [y/N] ")).unwrap_or_default();
            if !matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
                return Err(Error::new(Code::AnsweredNo, format!("{name} was not removed"))
                    .because("the answer was not yes")
                    .hint_noted("{line} --yes", "asks nothing"));
            }
        }
        client.remove_remote(&args.name, false).await?;
    }
    let removed = Removed {
        kind: "RemovedRemote",
        name: &args.name,
        removed: !args.dry_run,
        containers,
        running_operations,
    };
    if context.structured_one(&removed, &args.name)? {
        return Ok(Exit::Done);
    }
    let look = context.printer.look;
    let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
    let bold = paint(&name, Tone::Bold, look);
    let result = if args.dry_run { "would remove" } else { "removed" };
    if !context.printer.is_quiet() {
        context.printer.answer_line(&format!("{mark} {bold}  {result}  {records}"));
    }
    if args.dry_run {
        context.printer.say("dry run: nothing was called");
    }
    Ok(Exit::Done)
}

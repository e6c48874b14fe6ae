//! `--dry-run`: what would happen, as rows.

use lxc_core::error::{Exit, Result};

use crate::client::view::{DryRun, Warning};
use crate::context::Context;
use crate::exit::{self, Outcome};
use crate::ui::rows::{self, Row};
use crate::ui::style::{Tone, paint};

/// Prints it and returns the exit code of the real run.
pub(super) fn print(context: &mut Context, items: &[DryRun]) -> Result<Exit> {
    let outcomes: Vec<Outcome> = items
        .iter()
        .map(|item| match &item.error {
            Some(error) => Outcome::Failed(error.code),
            None => Outcome::Succeeded { warned: false },
        })
        .collect();
    let exit = exit::decide(&outcomes, false);
    if context.structured("OperationList", items, &[] as &[Warning], |item| &item.target)? {
        return Ok(exit);
    }
    let rows: Vec<Row> = items.iter().map(Row::of_dry_run).collect();
    let text = rows::render(&rows, context.printer.look);
    context.printer.answer(&text);
    let note = paint("dry run: nothing was called", Tone::Dim, context.printer.err_look);
    context.printer.say(&note);
    Ok(exit)
}

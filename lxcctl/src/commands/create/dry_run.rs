//! `create --dry-run`: every value with its origin, every check, the calls.

use lxc_core::error::{Exit, Result};

use crate::client::view::{CreatePlan, Warning};
use crate::context::{Context, filled};
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};

/// Prints it and returns the exit code of the real run.
pub(super) fn print(context: &mut Context, plan: &CreatePlan) -> Result<Exit> {
    let run = &plan.run;
    let exit = run.error.as_ref().map_or(Exit::Done, lxc_core::error::Error::exit);
    let items = std::slice::from_ref(plan);
    if context.structured("OperationList", items, &[] as &[Warning], |plan| &plan.run.target)? {
        return Ok(exit);
    }
    let look = context.printer.look;
    context.printer.answer(&tables(plan, look));
    context.type_less("--dry-run");
    if let Some(error) = &run.error {
        context.report(&filled(error, &run.target));
    } else if !run.changed {
        context.printer.say(&format!("{} is there already: would leave it unchanged", run.target));
    } else {
        for call in run.calls.iter().filter(|call| !call.is_empty()) {
            context.printer.say(&format!("would {}", escape(call)));
        }
    }
    context.printer.say(&paint("dry run: nothing was called", Tone::Dim, context.printer.err_look));
    Ok(exit)
}

/// Every value with its origin, and every check.
pub(super) fn tables(plan: &CreatePlan, look: Look) -> String {
    let mut settings = Table::new(vec![Column::left("SETTING"), Column::left("VALUE"), Column::left("FROM")]);
    for setting in &plan.settings {
        settings.row(vec![Cell::new(&setting.name), Cell::new(&setting.value), Cell::new(&setting.origin)]);
    }
    let mut checks = Table::new(vec![Column::left("CHECK"), Column::left("RESULT"), Column::left("DETAIL")]);
    for check in &plan.run.checks {
        let tone = match check.result.as_str() {
            "ok" => Tone::Green,
            "warning" => Tone::Yellow,
            _ => Tone::Red,
        };
        checks.row(vec![Cell::new(&check.name), Cell::toned(&check.result, tone), Cell::new(&check.detail)]);
    }
    format!("{}\n{}", settings.render(look), checks.render(look))
}

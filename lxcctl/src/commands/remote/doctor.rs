//! `lxcctl remote doctor`: everything about a remote that can be wrong, line by line, and what helps.

use lxc_core::error::{Exit, Result};

use crate::client::view::{Finding, Warning};
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};

pub(super) async fn run(context: &mut Context, name: &str) -> Result<Exit> {
    let client = context.connect().await?;
    let diagnosis = client.doctor(name).await?;
    let warnings: &[Warning] = &[];
    if !context.structured("FindingList", &diagnosis.findings, warnings, |finding| &finding.name)? {
        let text = table(&diagnosis.findings).render(context.printer.look);
        context.printer.answer(&text);
    }
    let mut errors = diagnosis.errors.into_iter();
    let Some(first) = errors.next() else {
        for hint in diagnosis.hints {
            let command = context.bold(&escape(&hint.command));
            context.printer.hint(&format!("{command}        ({})", escape(&hint.note)));
        }
        return Ok(Exit::Done);
    };
    // The first reason decides how it ends, and is the last thing said.
    for error in errors {
        context.report(&error);
    }
    Err(first)
}

fn table(findings: &[Finding]) -> Table {
    // Details are what was asked for: on a narrow terminal they are wrapped, not cut.
    let mut table = Table::new(vec![Column::left("CHECK"), Column::left("RESULT"), Column::left("DETAIL")]);
    for finding in findings {
        table.row(vec![
            Cell::new(&finding.name),
            Cell::toned(&finding.result, Tone::of_status(&finding.result)),
            Cell::new(&finding.detail),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::style::Look;

    #[test]
    fn a_narrow_terminal_loses_no_finding() {
        let detail = "lxcd@pve!cli, never expires, no privilege separation";
        let finding =
            Finding { kind: "Finding", name: "token".into(), result: "ok".into(), detail: detail.into() };
        let shown = table(&[finding]).render(Look { width: Some(40), ..Look::PIPE });
        assert!(shown.contains(detail), "{shown}");
    }
}

//! `lxcctl remote test`: does every URL answer, is it trusted, is the token good?

use lxc_core::error::{Code, Exit, Result};

use crate::client::view::{RemoteCheck, Warning};
use crate::context::Context;
use crate::exit::{self, Outcome};
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};

pub(super) async fn run(context: &mut Context, name: &str) -> Result<Exit> {
    let client = context.connect().await?;
    let checks = client.test_remote(name).await?;
    if !context.structured("RemoteCheckList", &checks, &[] as &[Warning], |check| &check.name)? {
        let text = table(&checks).render(context.printer.look);
        context.printer.answer(&text);
    }
    Ok(verdict(&checks))
}

/// What failed decides, whatever else is good.
fn verdict(checks: &[RemoteCheck]) -> Exit {
    let failed: Vec<Outcome> = checks
        .iter()
        .filter(|check| check.result == "failed")
        .map(|check| {
            Outcome::Failed(check.code.as_deref().and_then(|c| c.parse().ok()).unwrap_or(Code::PveRefused))
        })
        .collect();
    exit::decide(&failed, false)
}

fn table(checks: &[RemoteCheck]) -> Table {
    let mut table = Table::new(vec![
        Column::left("CHECK"),
        Column::left("RESULT"),
        Column::right("TOOK"),
        Column::left("CODE"),
        Column::left("DETAIL"),
    ]);
    for check in checks {
        let took = (check.latency_ms > 0).then(|| format!("{}ms", check.latency_ms));
        table.row(vec![
            Cell::new(&check.name),
            Cell::toned(&check.result, Tone::of_status(&check.result)),
            Cell::known(took).or_tone(Tone::Dim),
            Cell::known(check.code.as_ref()),
            Cell::new(&check.detail),
        ]);
    }
    table
}

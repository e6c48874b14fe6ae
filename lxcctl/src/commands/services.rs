//! `lxcctl services`: what runs in a container, and the secrets that are kept for it.

use lxc_core::error::{Exit, Result};
use lxc_core::selector::Selection;
use lxc_core::text;

use crate::cli::ServicesArgs;
use crate::client::view::{Revealed, Service, Warning};
use crate::commands::warnings;
use crate::context::{Context, filled};
use crate::ui::escape::escape;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(crate) async fn run(context: &mut Context, args: &ServicesArgs) -> Result<Exit> {
    let selection = Selection {
        targets: vec![args.target.clone()],
        remote: args.remote.clone().filter(|name| !name.is_empty()),
        ..Selection::default()
    };
    context.check(&selection)?;
    let client = context.connect().await?;
    if let Some(service) = &args.reveal {
        let revealed = client.reveal(&selection, service).await;
        let revealed = revealed.map_err(|fault| filled(&fault, &args.target))?;
        return reveal(context, &revealed);
    }
    let found = client.services(&selection, args.refresh).await;
    let found = found.map_err(|fault| filled(&fault, &args.target))?;
    let (folded, shown): (Vec<_>, Vec<_>) =
        found.services.into_iter().partition(|service| service.system && !args.system);
    if context.structured("ServiceList", &shown, &found.warnings, |service| &service.service)? {
        return Ok(Exit::Done);
    }
    let now = Now::read();
    let text = table(&shown).render(context.printer.look);
    context.printer.answer(&text);
    if shown.is_empty() {
        context.printer.say(&format!("Nothing of its own runs in {}.", escape(&found.target)));
    }
    for warning in &found.warnings {
        context.printer.warn(&warnings::line(warning, &now));
    }
    if !found.others.is_empty() {
        let others = escape(&found.others.join(", ")).into_owned();
        context.printer.say(&format!("secrets are kept of {others} too (--reveal)"));
    }
    let mut line = format!("checked {}", now.ago(found.checked_at));
    if !folded.is_empty() {
        let units = text::counted(u64::try_from(folded.len()).unwrap_or(u64::MAX), "system unit");
        line.push_str(&format!("; {units} folded away (--system)"));
    }
    context.printer.say(&line);
    Ok(Exit::Done)
}

/// A line for each service; without any, nothing.
pub(super) fn table(services: &[Service]) -> Table {
    let columns = vec![
        Column::left("SERVICE"),
        Column::left("TYPE").goes(1),
        Column::left("STATUS"),
        Column::right("PORT").goes(2),
        Column::left("URL"),
        Column::right("SECRETS").goes(0),
        Column::left("DETAIL").shrinks(),
    ];
    let mut table = Table::new(columns).headers(!services.is_empty());
    for service in services {
        table.row(vec![
            Cell::toned(&service.service, Tone::Bold),
            Cell::new(&service.r#type),
            Cell::toned(&service.status, Tone::of_status(&service.status)),
            Cell::known(service.port.map(|port| port.to_string())),
            Cell::known(service.url.as_ref()),
            Cell::known(Some(service.secrets).filter(|&many| many > 0).map(|many| many.to_string())),
            Cell::new(service.detail.as_deref().unwrap_or_default()),
        ]);
    }
    table
}

fn reveal(context: &mut Context, revealed: &Revealed) -> Result<Exit> {
    if context.structured("SecretList", &revealed.secrets, &[] as &[Warning], |secret| &secret.key)? {
        return Ok(Exit::Done);
    }
    let columns = vec![Column::left("SERVICE"), Column::left("KEY"), Column::left("VALUE")];
    let mut table = Table::new(columns);
    for secret in &revealed.secrets {
        table.row(vec![Cell::new(&secret.service), Cell::new(&secret.key), Cell::new(&secret.value)]);
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    let many = text::counted(u64::try_from(revealed.secrets.len()).unwrap_or(u64::MAX), "secret");
    let (target, actor) = (escape(&revealed.target), escape(&revealed.actor));
    context.printer.say(&format!("{many} of {target} shown to {actor} and noted in the audit"));
    Ok(Exit::Done)
}

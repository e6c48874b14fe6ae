//! `lxcctl template ls`: which there are.

use lxc_core::error::{Exit, Result};
use lxc_core::text;

use crate::cli::{Format, TemplateList};
use crate::client::view::{Template, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

const COLUMNS: [&str; 14] = [
    "name",
    "os",
    "cpu",
    "memory",
    "disk",
    "scripts",
    "files",
    "packages",
    "changed",
    "tags",
    "features",
    "author",
    "revision",
    "description",
];

pub(super) async fn run(context: &mut Context, args: &TemplateList) -> Result<Exit> {
    let usual = if context.format == Format::Wide { &COLUMNS[..] } else { &COLUMNS[..10] };
    let chosen = columns::choose(args.tables.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(args.tables.sort.as_deref(), &COLUMNS)?;
    let client = context.connect().await?;
    let (mut templates, known) = client.templates("", &args.labels).await?;
    let now = Now::read();
    templates.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, turned) in order.into_iter().rev() {
        templates.sort_by_cached_key(|template| cell(template, name, &now).0);
        if turned {
            templates.reverse();
        }
    }
    if context.structured("TemplateList", &templates, &[] as &[Warning], |template| &template.name)? {
        return Ok(Exit::Done);
    }
    let columns = chosen.iter().map(|name| column(name)).collect();
    let mut table = Table::new(columns).headers(!args.tables.no_headers && !templates.is_empty());
    for template in &templates {
        table.row(chosen.iter().map(|name| cell(template, name, &now).1).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    if templates.is_empty() && known > 0 {
        context.printer.say(&format!("No template matches {}.", escape(&args.labels.join(","))));
    } else if templates.is_empty() {
        let import = context.bold("lxcctl template import DIR");
        context.printer.say(&format!("No template is known here yet:  {import}"));
    }
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "name" => Column::left("NAME"),
        "os" => Column::left("OS"),
        "cpu" => Column::right("CPU").goes(6),
        "memory" => Column::right("MEMORY").goes(5),
        "disk" => Column::right("DISK").goes(4),
        "scripts" => Column::right("SCRIPTS").goes(3),
        "files" => Column::right("FILES").goes(2),
        "packages" => Column::right("PACKAGES").goes(3),
        "changed" => Column::left("CHANGED").goes(1),
        "tags" => Column::left("TAGS").goes(7),
        "features" => Column::left("FEATURES").goes(1),
        "author" => Column::left("AUTHOR").goes(1),
        "revision" => Column::right("REVISION").goes(0),
        _ => Column::left("DESCRIPTION").goes(0),
    }
}

/// What it sorts by, and what is shown.
fn cell(template: &Template, name: &str, now: &Now) -> (String, Cell) {
    let plain = |text: String| (text.clone(), Cell::known(Some(text).filter(|text| !text.is_empty())));
    let number = |value: u64, shown: String| (format!("{value:020}"), Cell::new(shown));
    let count = |value: usize| number(value as u64, value.to_string());
    match name {
        "name" => (template.name.clone(), Cell::toned(&template.name, crate::ui::style::Tone::Bold)),
        "os" => plain(os(template)),
        "cpu" => number(u64::from(template.cpu), template.cpu.to_string()),
        "memory" => number(template.memory_bytes, text::bytes(template.memory_bytes)),
        "disk" => number(template.disk_bytes, text::bytes(template.disk_bytes)),
        "scripts" => count(template.scripts.len()),
        "files" => count(template.files.len()),
        "packages" => count(template.package_count()),
        "changed" => (format!("{:020}", template.changed_at.0), Cell::new(now.ago(template.changed_at))),
        "tags" => plain(template.tags.join(";")),
        "features" => plain(template.features()),
        "author" => plain(template.author.clone()),
        "revision" => number(template.revision.unsigned_abs(), template.revision.to_string()),
        _ => plain(template.description.clone().unwrap_or_default()),
    }
}

/// `debian 13`
pub(super) fn os(template: &Template) -> String {
    template.version.iter().fold(template.os.clone(), |os, version| format!("{os} {version}"))
}

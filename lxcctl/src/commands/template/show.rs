//! `lxcctl template show`: settings, scripts, files, packages.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use super::ls::os;
use crate::client::view::Template;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(super) async fn run(context: &mut Context, name: &str) -> Result<Exit> {
    let client = context.connect().await?;
    // To lxcd an empty name means all.
    let found = if name.is_empty() { None } else { client.templates(name, &[]).await?.0.into_iter().next() };
    let Some(template) = found else {
        return Err(Error::new(Code::NoTemplate, "a template has a name")
            .because("an empty one is nobody's")
            .hint("lxcctl template ls"));
    };
    if !context.structured_one(&template, &template.name)? {
        let text = render(&template, &Now::read(), context.printer.look);
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

fn render(template: &Template, now: &Now, look: Look) -> String {
    let name = paint(&escape(&template.name), Tone::Bold, look);
    let said = template.description.as_ref().map_or_else(String::new, |said| format!("  {}", escape(said)));
    let mut out = format!("{name}{said}\n");
    let mut facts = Table::new(vec![Column::left(""), Column::left("")]).headers(false).indented(2);
    let resources = format!(
        "{}, {} memory, {} disk",
        text::counted(u64::from(template.cpu), "core"),
        text::bytes(template.memory_bytes),
        text::bytes(template.disk_bytes)
    );
    let changed =
        format!("{} by {}, revision {}", now.ago(template.changed_at), template.author, template.revision);
    let facts_of = [
        ("os", os(template)),
        ("resources", resources),
        ("features", template.features()),
        ("tags", template.tags.join(";")),
        ("changed", changed),
        ("imported", now.full(template.created_at)),
    ];
    for (name, value) in facts_of.into_iter().filter(|(_, value)| !value.is_empty()) {
        facts.row(vec![Cell::new(name), Cell::new(value)]);
    }
    out.push_str(&facts.render(look));
    let mut scripts = Table::new(vec![Column::left("SCRIPT"), Column::right("SIZE")]);
    for script in &template.scripts {
        scripts.row(vec![Cell::new(&script.name), Cell::new(text::bytes(script.size_bytes))]);
    }
    let mut files = Table::new(vec![
        Column::left("FILE"),
        Column::right("SIZE"),
        Column::left("POLICY"),
        Column::left("DIRECTORY").shrinks(),
    ]);
    for file in &template.files {
        let tone = match file.policy.as_str() {
            "replace" => Tone::Red,
            "backup" => Tone::Yellow,
            _ => Tone::Dim,
        };
        files.row(vec![
            Cell::new(&file.name),
            Cell::new(text::bytes(file.size_bytes)),
            Cell::toned(&file.policy, tone),
            Cell::new(&file.directory),
        ]);
    }
    let mut packages =
        Table::new(vec![Column::left("PACKAGES"), Column::left("MANAGER"), Column::left("").shrinks()]);
    for list in &template.packages {
        // Of a custom line its name is enough here.
        let names: Vec<&str> = list.items.iter().map(|item| item.split('|').next().unwrap_or(item)).collect();
        packages.row(vec![Cell::new(&list.name), Cell::new(&list.manager), Cell::new(names.join(" "))]);
    }
    for table in [scripts, files, packages] {
        if !table.is_empty() {
            out.push_str(&table.render(look));
        }
    }
    out
}

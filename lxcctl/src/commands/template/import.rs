//! `lxcctl template import`: one directory or a whole tree. Each template is imported by itself; a bad one does not
//! stop the others.

use std::collections::HashMap;
use std::path::Path;

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::template;
use lxc_core::text::counted;

use super::tree;
use crate::cli::{Format, ImportTemplate};
use crate::client::Client;
use crate::client::view::{TemplateImport, Warning};
use crate::context::Context;
use crate::exit::{self, Outcome};
use crate::ui::escape::escape;
use crate::ui::json;
use crate::ui::style::{Mark, Tone, paint};
use crate::ui::table::{Cell, Column, Table};

pub(super) async fn run(context: &mut Context, args: &ImportTemplate) -> Result<Exit> {
    let found = tree::find(&args.directory)?;
    let client = context.connect().await?;
    let mut names = HashMap::new();
    let mut items = Vec::new();
    let mut broken = None;
    for directory in &found {
        match import(&client, directory, args.dry_run, &mut names).await {
            Ok(item) => items.push(item),
            // About this one only, as against one that would be the same for all.
            Err(fault) if fault.code == Code::BadTemplate => items.push(refused(directory, fault)),
            Err(fault) => {
                broken = Some(fault);
                break;
            }
        }
        if context.format == Format::Jsonl
            && let Some(item) = items.last()
        {
            let line = json::line(item)?;
            context.printer.answer_line(&line);
        }
    }
    print(context, &items, args.dry_run)?;
    match broken {
        Some(fault) => Err(fault),
        None => Ok(exit::decide(&items.iter().map(outcome).collect::<Vec<_>>(), false)),
    }
}

async fn import(
    client: &Client,
    directory: &Path,
    dry_run: bool,
    names: &mut HashMap<String, String>,
) -> Result<TemplateImport> {
    let (shown, called) = (directory.to_string_lossy().into_owned(), tree::called(directory));
    let sources = tree::read(directory)?;
    // lxcd reads it again and has the last word; here only its name is wanted.
    if let Ok(read) = template::read(&sources, &called)
        && let Some(other) = names.insert(read.name.clone(), shown.clone())
    {
        return Err(Error::new(Code::BadTemplate, format!("{shown} is called {} as well", read.name))
            .because(format!("{other} of the same tree has that name; one would replace the other"))
            .hint_noted(format!("lxcctl explain {}", Code::BadTemplate), "says where the name stands"));
    }
    let imported = client.import_template(&shown, &called, sources, dry_run).await?;
    let result = match (imported.result.as_str(), dry_run) {
        ("created", true) => "would create",
        ("changed", true) => "would change",
        (other, _) => other,
    };
    Ok(TemplateImport {
        kind: "TemplateImport",
        directory: shown,
        name: Some(imported.template.name.clone()),
        result: result.to_owned(),
        changed: imported.result != "unchanged",
        changes: imported.changes,
        error: None,
        template: Some(imported.template),
    })
}

fn refused(directory: &Path, fault: Error) -> TemplateImport {
    TemplateImport {
        kind: "TemplateImport",
        directory: directory.to_string_lossy().into_owned(),
        name: None,
        result: "refused".to_owned(),
        changed: false,
        changes: Vec::new(),
        error: Some(fault),
        template: None,
    }
}

fn outcome(item: &TemplateImport) -> Outcome {
    match &item.error {
        Some(fault) => Outcome::Failed(fault.code),
        None => Outcome::Succeeded { warned: false },
    }
}

fn print(context: &mut Context, items: &[TemplateImport], dry_run: bool) -> Result<()> {
    let faults: Vec<&Error> = items.iter().filter_map(|item| item.error.as_ref()).collect();
    match context.format {
        Format::Jsonl => return Ok(()),
        Format::Json | Format::Yaml => {
            let none: &[Warning] = &[];
            return context.structured("TemplateImportList", items, none, |_| "").map(drop);
        }
        Format::Name => {
            for name in items.iter().filter_map(|item| item.name.as_ref()) {
                context.printer.answer_line(name);
            }
        }
        Format::Table | Format::Wide => rows(context, items),
    }
    // A row has room for one line, and mistakes are put right by all of them.
    for fault in faults {
        context.report(fault);
    }
    if context.format.is_text() {
        if items.len() > 1 {
            let line = paint(&summary(items), Tone::Dim, context.printer.err_look);
            context.printer.say(&line);
        }
        if dry_run {
            context.printer.say("dry run: nothing was changed");
        }
    }
    Ok(())
}

/// A single one that is refused has no row, only its error.
fn rows(context: &mut Context, items: &[TemplateImport]) {
    let look = context.printer.look;
    let quiet = context.printer.is_quiet();
    let mut text = String::new();
    // One width for all, though what changed stands between the rows.
    let shown: Vec<&TemplateImport> = items
        .iter()
        .filter(|item| (item.error.is_none() && !quiet) || (item.error.is_some() && items.len() > 1))
        .collect();
    let mut table =
        Table::new(vec![Column::left(""), Column::left(""), Column::left("").shrinks()]).headers(false);
    for item in &shown {
        let mark = match item.result.as_str() {
            "refused" => Mark::Failed,
            "unchanged" => Mark::Unchanged,
            _ => Mark::Done,
        };
        let detail = match (&item.error, &item.template) {
            (Some(fault), _) => fault.code.to_string(),
            (None, _) if !item.changes.is_empty() => counted(item.changes.len() as u64, "change"),
            (None, Some(template)) => template.parts(),
            (None, None) => String::new(),
        };
        let name = item.name.as_ref().unwrap_or(&item.directory);
        let quiet = if mark == Mark::Unchanged { Tone::Dim } else { Tone::Plain };
        table.row(vec![
            Cell::with_tail(mark.text(look), mark.tone(), name, Tone::Bold),
            Cell::toned(&item.result, quiet),
            Cell::toned(detail, quiet),
        ]);
    }
    let table = table.render(look);
    for (line, item) in table.lines().zip(&shown) {
        text.push_str(line);
        text.push('\n');
        for change in &item.changes {
            text.push_str(&format!("    {}\n", escape(&change.worded())));
        }
    }
    context.printer.answer(&text);
}

/// `3 templates: 2 created, 1 refused`
fn summary(items: &[TemplateImport]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(result, _)| *result == item.result) {
            Some((_, count)) => *count += 1,
            None => counts.push((&item.result, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(result, count)| format!("{count} {result}")).collect();
    format!("{} templates: {}", items.len(), parts.join(", "))
}

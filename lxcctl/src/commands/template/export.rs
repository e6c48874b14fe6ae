//! `lxcctl template export`: the files of a template, as they are imported again.

use lxc_core::error::{Exit, Result};
use lxc_core::text::counted;
use serde::Serialize;

use super::tree;
use crate::cli::ExportTemplate;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

#[derive(Serialize)]
struct Exported<'a> {
    kind: &'static str,
    name: &'a str,
    directory: String,
    files: Vec<&'a str>,
}

pub(super) async fn run(context: &mut Context, args: &ExportTemplate) -> Result<Exit> {
    let client = context.connect().await?;
    let (sources, _) = client.export_template(&args.name).await?;
    tree::write(&args.directory, &sources)?;
    let exported = Exported {
        kind: "ExportedTemplate",
        name: &args.name,
        directory: args.directory.to_string_lossy().into_owned(),
        files: sources.keys().map(String::as_str).collect(),
    };
    if context.structured_one(&exported, &args.name)? || context.printer.is_quiet() {
        return Ok(Exit::Done);
    }
    let look = context.printer.look;
    let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
    let name = paint(&escape(&args.name), Tone::Bold, look);
    let (files, directory) = (counted(sources.len() as u64, "file"), escape(&exported.directory));
    context.printer.answer_line(&format!("{mark} {name}  exported  {files} to {directory}"));
    Ok(Exit::Done)
}

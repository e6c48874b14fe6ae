//! `lxcctl template create` and `edit`: a template as one text.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::template::{self, Page};

use crate::cli::EditTemplate;
use crate::client::Imported;
use crate::client::view::SavedTemplate;
use crate::commands::editing::{Subject, edited, report};
use crate::context::Context;

pub(super) async fn create(context: &mut Context, args: &EditTemplate) -> Result<Exit> {
    let there = context.connect().await?.templates(&args.name, &[]).await;
    match there {
        // Said before anybody writes; lxcd looks again when it is saved.
        Ok(_) if args.file.is_none() => {
            return Err(Error::new(Code::Overtaken, format!("there is a template {} already", args.name))
                .because("create makes a new one")
                .hint(format!("lxcctl template edit {}", args.name)));
        }
        Err(fault) if fault.code != Code::NoTemplate => return Err(fault),
        _ => {}
    }
    let command = format!("lxcctl template create {}", args.name);
    let text = template::blank_page(&args.name);
    save(context, args, Subject { command, name: &args.name, text }, 0).await
}

pub(super) async fn edit(context: &mut Context, args: &EditTemplate) -> Result<Exit> {
    let client = context.connect().await?;
    let (sources, revision) = client.export_template(&args.name).await?;
    let known =
        template::read(&sources, &args.name).map_err(|faults| template::refused(&faults, &args.name))?;
    let command = format!("lxcctl template edit {}", args.name);
    let text = template::write_page(&known);
    save(context, args, Subject { command, name: &args.name, text }, revision).await
}

async fn save(
    context: &mut Context,
    args: &EditTemplate,
    subject: Subject<'_>,
    revision: i64,
) -> Result<Exit> {
    let client = context.connect().await?;
    let read = |text: &str, shown: &str| -> Result<Page, Error> {
        template::read_page(text, &args.name, shown).map_err(|faults| template::refused(&faults, ""))
    };
    let put = async |page: Page| client.save_template(&args.name, page, revision).await;
    let Some(Imported { template, result, changes }) =
        edited(context, &subject, args.file.as_deref(), read, put).await?
    else {
        context.printer.say("The text was not changed, and nothing was saved.");
        return Ok(Exit::Done);
    };
    let changed = result != "unchanged";
    let saved = SavedTemplate { kind: "SavedTemplate", result, changed, changes, template };
    if !context.structured_one(&saved, &args.name)? {
        let parts = saved.template.parts();
        report(context, &args.name, &saved.result, &parts, &saved.changes);
    }
    Ok(Exit::Done)
}

//! `lxcctl bucket create`, `edit`, `add` and `remove`.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::template::{self, PackageList};

use super::show::named;
use crate::cli::{ChangeBucket, EditBucket};
use crate::client::view::SavedBucket;
use crate::commands::editing::{Subject, edited, report, text_of};
use crate::context::Context;

pub(super) async fn create(context: &mut Context, args: &EditBucket) -> Result<Exit> {
    let command = format!("lxcctl bucket create {}", args.name);
    let text = format!("{}# apt = [\"nginx\", \"curl\"]\n", template::write_lists(&[]));
    save(context, args, Subject { command, name: &args.name, text }, 0).await
}

pub(super) async fn edit(context: &mut Context, args: &EditBucket) -> Result<Exit> {
    let bucket = named(context, &args.name).await?;
    let mut lists = Vec::new();
    for list in bucket.packages {
        let manager = list.manager.parse().map_err(|unknown: template::Unknown| {
            // It has been saved by a newer one.
            Error::new(Code::BadTemplate, unknown.to_string())
                .because("this lxcctl does not know it, and would lose it")
                .hint("lxcctl daemon status")
        })?;
        lists.push(PackageList { name: args.name.clone(), manager, items: list.items });
    }
    let command = format!("lxcctl bucket edit {}", args.name);
    let text = template::write_lists(&lists);
    save(context, args, Subject { command, name: &args.name, text }, bucket.revision).await
}

async fn save(context: &mut Context, args: &EditBucket, subject: Subject<'_>, revision: i64) -> Result<Exit> {
    let client = context.connect().await?;
    let read = |text: &str, shown: &str| -> Result<Vec<PackageList>> {
        template::read_lists(text, &args.name, shown).map_err(|faults| template::refused(&faults, ""))
    };
    let put = async |lists| client.save_bucket(&args.name, lists, revision).await;
    match edited(context, &subject, args.file.as_deref(), read, put).await? {
        Some(saved) => said(context, &saved),
        None => {
            context.printer.say("The text was not changed, and nothing was saved.");
            Ok(Exit::Done)
        }
    }
}

pub(super) async fn packages(context: &mut Context, args: &ChangeBucket, remove: bool) -> Result<Exit> {
    let mut items = args.packages.clone();
    if let Some(file) = &args.file {
        let text = text_of(file)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        items.extend(lines.map(str::to_owned));
    }
    if items.is_empty() {
        return Err(Error::new(Code::EmptySelection, "there is no package in it")
            .because("a file has one package a line; empty is never everything")
            .hint(if remove { "lxcctl bucket remove --help" } else { "lxcctl bucket add --help" }));
    }
    let client = context.connect().await?;
    let saved = client.change_bucket(&args.name, &args.manager, items, remove).await?;
    said(context, &saved)
}

fn said(context: &mut Context, saved: &SavedBucket) -> Result<Exit> {
    let name = &saved.bucket.name;
    if !context.structured_one(saved, name)? {
        report(context, name, &saved.result, &saved.bucket.parts(), &saved.changes);
    }
    Ok(Exit::Done)
}

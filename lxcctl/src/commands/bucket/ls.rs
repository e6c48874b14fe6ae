//! `lxcctl bucket ls`: which there are.

use lxc_core::error::{Exit, Result};

use crate::cli::Tables;
use crate::client::view::{Bucket, Warning};
use crate::commands::columns;
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

const COLUMNS: [&str; 6] = ["name", "packages", "managers", "changed", "author", "revision"];

pub(super) async fn run(context: &mut Context, tables: &Tables) -> Result<Exit> {
    let usual = if context.format == crate::cli::Format::Wide { &COLUMNS[..] } else { &COLUMNS[..5] };
    let chosen = columns::choose(tables.columns.as_deref(), usual, &COLUMNS)?;
    let order = columns::order(tables.sort.as_deref(), &COLUMNS)?;
    let client = context.connect().await?;
    let mut buckets = client.buckets("").await?;
    let now = Now::read();
    buckets.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, turned) in order.into_iter().rev() {
        buckets.sort_by_cached_key(|bucket| cell(bucket, name, &now).0);
        if turned {
            buckets.reverse();
        }
    }
    if context.structured("BucketList", &buckets, &[] as &[Warning], |bucket| &bucket.name)? {
        return Ok(Exit::Done);
    }
    let columns = chosen.iter().map(|name| column(name)).collect();
    let mut table = Table::new(columns).headers(!tables.no_headers && !buckets.is_empty());
    for bucket in &buckets {
        table.row(chosen.iter().map(|name| cell(bucket, name, &now).1).collect());
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    if buckets.is_empty() {
        let create = context.bold("lxcctl bucket create NAME");
        context.printer.say(&format!("No bucket is known here yet:  {create}"));
    }
    Ok(Exit::Done)
}

fn column(name: &str) -> Column {
    match name {
        "name" => Column::left("NAME"),
        "packages" => Column::right("PACKAGES"),
        "managers" => Column::left("MANAGERS").goes(2),
        "changed" => Column::left("CHANGED").goes(1),
        "author" => Column::left("AUTHOR").goes(1),
        _ => Column::right("REVISION").goes(0),
    }
}

/// What it sorts by, and what is shown.
fn cell(bucket: &Bucket, name: &str, now: &Now) -> (String, Cell) {
    let plain = |text: String| (text.clone(), Cell::known(Some(text).filter(|text| !text.is_empty())));
    let number = |value: u64| (format!("{value:020}"), Cell::new(value.to_string()));
    match name {
        "name" => (bucket.name.clone(), Cell::toned(&bucket.name, Tone::Bold)),
        "packages" => number(bucket.count() as u64),
        "managers" => {
            let managers: Vec<&str> = bucket.packages.iter().map(|list| list.manager.as_str()).collect();
            plain(managers.join(" "))
        }
        "changed" => (format!("{:020}", bucket.changed_at.0), Cell::new(now.ago(bucket.changed_at))),
        "author" => plain(bucket.author.clone()),
        _ => number(bucket.revision.unsigned_abs()),
    }
}

//! `lxcctl bucket show`: its packages.

use lxc_core::error::{Code, Error, Exit, Result};

use crate::client::view::Bucket;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(super) async fn run(context: &mut Context, name: &str) -> Result<Exit> {
    let bucket = named(context, name).await?;
    if !context.structured_one(&bucket, &bucket.name)? {
        let text = render(&bucket, &Now::read(), context.printer.look);
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

/// The bucket of that name.
pub(super) async fn named(context: &Context, name: &str) -> Result<Bucket> {
    let client = context.connect().await?;
    // To lxcd an empty name means all.
    let found = if name.is_empty() { None } else { client.buckets(name).await?.into_iter().next() };
    found.ok_or_else(|| {
        Error::new(Code::NoBucket, "a bucket has a name")
            .because("an empty one is nobody's")
            .hint("lxcctl bucket ls")
    })
}

fn render(bucket: &Bucket, now: &Now, look: Look) -> String {
    let name = paint(&escape(&bucket.name), Tone::Bold, look);
    let changed = format!(
        "changed {} by {}, revision {}",
        now.ago(bucket.changed_at),
        escape(&bucket.author),
        bucket.revision
    );
    let mut out = format!("{name}  {}\n", paint(&changed, Tone::Dim, look));
    let mut table = Table::new(vec![Column::left("MANAGER"), Column::left("PACKAGE").shrinks()]);
    for list in &bucket.packages {
        for item in &list.items {
            table.row(vec![Cell::new(&list.manager), Cell::new(item)]);
        }
    }
    if !table.is_empty() {
        out.push_str(&table.render(look));
    }
    out
}

//! `lxcctl remote share` and `unshare`: with whom a remote is shared.

use lxc_core::error::{Exit, Result};

use crate::cli::UnshareRemote;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

pub(super) async fn run(context: &mut Context, with: &UnshareRemote, role: Option<&str>) -> Result<Exit> {
    let client = context.connect().await?;
    let remote = client.share_remote(&with.name, &with.who, with.domain.as_deref(), role).await?;
    if context.structured_one(&remote, &remote.name)? || context.printer.is_quiet() {
        return Ok(Exit::Done);
    }
    let look = context.printer.look;
    let what = match role {
        Some(role) => format!("shared with {} as {role}", escape(&with.who)),
        None => format!("no longer shared with {}", escape(&with.who)),
    };
    let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
    let name = paint(&escape(&remote.name), Tone::Bold, look);
    context.printer.answer_line(&format!("{mark} {name}  {what}"));
    if role.is_some() && remote.owner_domain.is_none() {
        context
            .printer
            .hint("it has no owner of its own: everybody with a role in lxcd's configuration sees it too");
    }
    Ok(Exit::Done)
}

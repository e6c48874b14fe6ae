//! `lxcctl whoami`.

use lxc_core::error::{Exit, Result};

use crate::client::view::WhoAmI;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone};
use crate::ui::table::{Cell, Column, Table};

pub(crate) async fn run(context: &mut Context) -> Result<Exit> {
    let client = context.connect().await?;
    let me = client.whoami().await?;
    let name = me.actor.as_ref().map_or_else(String::new, |actor| actor.name.clone());
    if !context.structured_one(&me, &name)? {
        let text = render(&me, context.printer.look);
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

fn render(me: &WhoAmI, look: Look) -> String {
    let who = me.actor.as_ref().map_or_else(
        || "nobody lxcd knows".to_owned(),
        |actor| format!("{} (uid {}) on {}", escape(&actor.name), actor.uid, escape(&actor.domain)),
    );
    let role = match (&me.role, &me.because) {
        (Some(role), Some(because)) => format!("{role} ({because})"),
        (Some(role), None) => role.clone(),
        (None, _) => "no role".to_owned(),
    };
    let mut table = Table::new(vec![Column::left("REMOTE"), Column::left("ROLE"), Column::left("BECAUSE")]);
    for remote in &me.remotes {
        table.row(vec![
            Cell::toned(&remote.remote, Tone::Bold),
            Cell::known(remote.role.as_ref()),
            Cell::known(remote.because.as_ref()),
        ]);
    }
    format!("{who}  {}\n{}", escape(&role), table.render(look))
}

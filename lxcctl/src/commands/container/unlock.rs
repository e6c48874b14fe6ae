//! `lxcctl unlock`: remove the lock that another script has left in Redis.

use lxc_core::error::{Exit, Result};
use lxc_core::selector::Selection;

use crate::cli::ShowArgs;
use crate::context::{Context, filled};
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

pub(crate) async fn run(context: &mut Context, args: &ShowArgs) -> Result<Exit> {
    let selection = Selection {
        targets: vec![args.target.clone()],
        remote: args.remote.clone().filter(|name| !name.is_empty()),
        ..Selection::default()
    };
    context.check(&selection)?;
    let client = context.connect().await?;
    let unlocked = client.unlock(&selection).await.map_err(|fault| filled(&fault, &args.target))?;
    if context.structured_one(&unlocked, &unlocked.target)? || context.printer.is_quiet() {
        return Ok(Exit::Done);
    }
    let look = context.printer.look;
    let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
    let target = paint(&unlocked.target, Tone::Bold, look);
    let name = unlocked.name.as_deref().unwrap_or("-");
    let holder = escape(&unlocked.holder);
    context.printer.answer_line(&format!("{mark} {target}  {}  unlocked  {holder} held it", escape(name)));
    Ok(Exit::Done)
}

//! `lxcctl remote login` and `logout`: a token of one's own on a remote.

use lxc_core::error::{Exit, Result};

use super::secret;
use crate::cli::LoginRemote;
use crate::client::view::Remote;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

pub(super) async fn run(context: &mut Context, args: LoginRemote) -> Result<Exit> {
    let client = context.connect().await?;
    let (id, token_secret) = match (args.token_id, args.user) {
        (Some(id), _) => {
            let secret = secret::read(context, &args.secret, &id)?;
            (id, secret)
        }
        (None, user) => {
            let user = user.unwrap_or_default();
            let password = secret::password(context, &args.secret, &user)?;
            (user, password)
        }
    };
    let remote = client.login(&args.name, &id, token_secret).await?;
    say(context, &remote, &format!("what you do there is done with {}", escape(&id)))
}

pub(super) async fn out(context: &mut Context, name: &str) -> Result<Exit> {
    let client = context.connect().await?;
    let remote = client.logout(name).await?;
    say(context, &remote, &format!("what you do there is done with {}", escape(&remote.token_id)))
}

fn say(context: &mut Context, remote: &Remote, what: &str) -> Result<Exit> {
    if !context.structured_one(remote, &remote.name)? && !context.printer.is_quiet() {
        let look = context.printer.look;
        let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
        let name = paint(&escape(&remote.name), Tone::Bold, look);
        context.printer.answer_line(&format!("{mark} {name}  {what}"));
    }
    Ok(Exit::Done)
}

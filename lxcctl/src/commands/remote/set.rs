//! `lxcctl remote set`: its name, URL, token, or whether it is the default.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use super::{add, secret};
use crate::cli::SetRemote;
use crate::client::RemoteChange;
use crate::context::Context;
use crate::ui::time;

pub(super) async fn run(context: &mut Context, args: SetRemote) -> Result<Exit> {
    let new_secret = args.token_id.is_some() || secret::is_given(&args.secret);
    let make_default = match (args.default, args.no_default) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    if args.new_name.is_none() && make_default.is_none() && args.url.is_none() && !new_secret {
        return Err(Error::new(Code::Usage, "nothing was said to change")
            .because(context.command_line())
            .hint("lxcctl remote set --help"));
    }
    let client = context.connect().await?;
    let (url, fingerprint) = match (&args.url, &args.fingerprint) {
        (Some(url), None) => {
            let (url, pin) = add::confirm(context, &client, url, "").await?;
            (Some(url), Some(pin).filter(|pin| !pin.is_empty()))
        }
        (url, given) => (url.clone(), given.clone()),
    };
    let token_secret = if new_secret {
        let whose = args.token_id.clone().unwrap_or_else(|| format!("the token of {}", args.name));
        Some(secret::read(context, &args.secret, &whose)?)
    } else {
        None
    };
    let begun = time::now();
    let change = RemoteChange {
        name: args.name,
        new_name: args.new_name,
        make_default,
        url,
        token_id: args.token_id,
        token_secret,
        fingerprint,
    };
    let typed = change.url.clone().unwrap_or_default();
    let remote = client.set_remote(change).await.map_err(|fault| add::in_line(context, fault, &typed))?;
    add::print(context, &remote, "changed", &text::elapsed(time::now() - begun))?;
    Ok(Exit::Done)
}

//! `lxcctl remote set`: its name, URL, token, SSH access, or whether it is the default.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use super::{add, secret, ssh};
use crate::cli::SetRemote;
use crate::client::{Client, RemoteChange};
use crate::context::Context;
use crate::ui::time;

pub(super) async fn run(context: &mut Context, args: SetRemote) -> Result<Exit> {
    let new_secret = args.token_id.is_some() || secret::is_given(&args.secret);
    let make_default = match (args.default, args.no_default) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let ssh = args.ssh.ssh.is_some() || args.ssh.no_ssh;
    if args.new_name.is_none() && make_default.is_none() && args.url.is_empty() && !new_secret && !ssh {
        return Err(Error::new(Code::Usage, "nothing was said to change")
            .because(context.command_line())
            .hint("lxcctl remote set --help"));
    }
    let client = context.connect().await?;
    let (urls, fingerprints) = match (&args.url[..], &args.fingerprint[..]) {
        (urls @ [_, ..], []) => confirm(context, &client, &args.name, urls).await?,
        (urls, given) => (urls.to_vec(), given.to_vec()),
    };
    let token_secret = if new_secret {
        let whose = args.token_id.clone().unwrap_or_else(|| format!("the token of {}", args.name));
        Some(secret::read(context, &args.secret, &whose)?)
    } else {
        None
    };
    let ssh = ssh::change(context, &client, &args.name, &args.ssh).await?;
    let begun = time::now();
    let change = RemoteChange {
        name: args.name,
        new_name: args.new_name,
        make_default,
        urls,
        token_id: args.token_id,
        token_secret,
        fingerprints,
        ssh,
        no_ssh: args.ssh.no_ssh,
    };
    let typed = args.url.first().cloned().unwrap_or_default();
    let remote = client.set_remote(change).await.map_err(|fault| add::in_line(context, fault, &typed))?;
    add::print(context, &remote, "changed", &text::elapsed(time::now() - begun))?;
    Ok(Exit::Done)
}

/// The URLs as lxcd will use them, each with its pin; what is pinned for this remote already is not asked about.
async fn confirm(
    context: &mut Context,
    client: &Client,
    name: &str,
    urls: &[String],
) -> Result<(Vec<String>, Vec<String>)> {
    let pins = client.remotes(name).await.unwrap_or_default().into_iter().flat_map(|remote| remote.pins);
    let known: Vec<String> = pins.map(|pin| pin.fingerprint).collect();
    let mut confirmed = (Vec::new(), Vec::new());
    for url in urls {
        let (url, pin) = add::confirm(context, client, url, "", &known).await?;
        confirmed.0.push(url);
        confirmed.1.push(pin);
    }
    Ok(confirmed)
}

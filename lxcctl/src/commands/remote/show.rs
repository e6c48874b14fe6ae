//! `lxcctl remote show`: URLs, pins, nodes.

use lxc_core::error::{Code, Error, Exit, Result};

use crate::client::view::Remote;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

pub(super) async fn run(context: &mut Context, name: &str) -> Result<Exit> {
    let client = context.connect().await?;
    let remotes = client.remotes(name).await?;
    let Some(remote) = remotes.into_iter().find(|remote| remote.name == name) else {
        return Err(Error::new(Code::NoRemote, format!("there is no remote {}", escape(name)))
            .because("none of that name is registered, or it is not yours to see")
            .hint("lxcctl remote ls"));
    };
    if !context.structured_one(&remote, &remote.name)? {
        let text = render(&remote, &Now::read(), context.printer.look);
        context.printer.answer(&text);
    }
    Ok(Exit::Done)
}

fn render(remote: &Remote, now: &Now, look: Look) -> String {
    let detail =
        remote.status_detail.as_ref().map_or(String::new(), |detail| format!("  {}", escape(detail)));
    let mut out = format!(
        "{}{}  {}{detail}\n",
        paint(&escape(&remote.name), Tone::Bold, look),
        if remote.is_default { " (default)" } else { "" },
        paint(&escape(&remote.status), Tone::of_status(&remote.status), look),
    );
    let mut facts = Table::new(vec![Column::left(""), Column::left("")]).headers(false).indented(2);
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.row(vec![Cell::new(name), Cell::new(value)]);
        }
    };
    for url in &remote.urls {
        let state = remote.url_states.iter().find(|state| state.url == *url);
        let down = state.and_then(|state| Some((state.unreachable_since?, state.why.clone()?)));
        let down = down.map(|(at, why)| format!("  unreachable since {} ({})", now.clock(at), escape(&why)));
        fact("url", Some(format!("{url}{}", down.unwrap_or_default())));
    }
    fact("token", Some(remote.token_id.clone()));
    fact("your token", remote.login.clone());
    if let Some(ssh) = &remote.ssh {
        let port = if ssh.port == 22 { String::new() } else { format!(" on port {}", ssh.port) };
        fact("ssh", Some(format!("{} with {}{port}", ssh.user, ssh.way)));
        fact("ssh jobs", ssh.directory.clone());
    }
    fact("pve", remote.pve_version.clone());
    fact("cluster", remote.cluster.clone());
    fact("nodes", Some(remote.nodes.join(", ")).filter(|nodes| !nodes.is_empty()));
    fact("containers", Some(remote.containers.to_string()));
    let domain = remote.owner_domain.as_ref().map_or_else(String::new, |domain| format!(" of {domain}"));
    fact("owner", Some(format!("{}{domain}", remote.owner)));
    for share in &remote.shares {
        fact("shared", Some(format!("{} of {}, {}", share.who, share.domain, share.role)));
    }
    fact("ca", remote.has_ca.then(|| "its own".to_owned()));
    fact("checked", remote.checked_at.map(|at| now.ago(at)));
    fact("added", Some(now.full(remote.created_at)));
    fact("id", Some(remote.installation.clone()));
    out.push_str(&facts.render(look));
    let mut pins = Table::new(vec![
        Column::left("PIN"),
        Column::left("NODE"),
        Column::left("UNTIL"),
        Column::left("SOURCE"),
        Column::left("SHA-256"),
    ]);
    for pin in &remote.pins {
        let until = pin.not_after.map(|at| now.local(at).strftime("%Y-%m-%d").to_string());
        pins.row(vec![
            Cell::new(&pin.url),
            Cell::known(pin.node.as_ref()),
            Cell::known(until),
            Cell::new(&pin.source),
            Cell::new(&pin.fingerprint),
        ]);
    }
    out.push_str(&pins.render(look));
    if let Some(ssh) = &remote.ssh {
        let mut hosts = Table::new(vec![Column::left("SSH"), Column::left("HOST"), Column::left("HOST KEY")]);
        for host in &ssh.hosts {
            hosts.row(vec![Cell::new(&host.node), Cell::new(&host.host), Cell::new(&host.fingerprint)]);
        }
        out.push_str(&hosts.render(look));
    }
    out
}

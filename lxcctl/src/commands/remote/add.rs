//! `lxcctl remote add`: look at the certificate, confirm it, then the secret, then the remote. The
//! secret is asked for only after the pin, so that it cannot go to somebody else.

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text;

use super::secret;
use crate::cli::AddRemote;
use crate::client::view::{Certificate, Remote};
use crate::client::{Client, NewRemote};
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Tone, paint};
use crate::ui::time::{self, Now};

pub(crate) async fn run(context: &mut Context, args: AddRemote) -> Result<Exit> {
    let client = context.connect().await?;
    let ca_pem = match &args.ca {
        Some(path) => std::fs::read_to_string(path).map_err(|fault| {
            Error::new(Code::BadValue, "the CA cannot be read")
                .because(format!("{}: {fault}", path.display()))
                .hint_noted("cat /etc/pve/pve-root-ca.pem", "on a Proxmox node, shows its own")
        })?,
        None => String::new(),
    };
    let (mut urls, mut fingerprints) = (args.urls.clone(), args.fingerprint.clone());
    if fingerprints.is_empty() {
        // The others have to be vouched for, or be nodes that the first one speaks for.
        let (url, fingerprint) = confirm(context, &client, &args.urls[0], &ca_pem, &[]).await?;
        urls[0] = url;
        fingerprints.push(fingerprint);
    }
    let token_secret = secret::read(context, &args.secret, &args.token_id)?;
    let begun = time::now();
    let new = NewRemote {
        name: args.name,
        urls,
        token_id: args.token_id,
        token_secret,
        fingerprints,
        ca_pem,
        make_default: args.default,
    };
    let (remote, learned, warnings) =
        client.add_remote(new).await.map_err(|fault| in_line(context, fault, &args.urls[0]))?;
    print(context, &remote, "added", &text::elapsed(time::now() - begun))?;
    for warning in warnings {
        context.printer.warn(&escape(&warning));
    }
    if let Some(hint) = learned_hint(&remote, &learned) {
        context.printer.hint(&hint);
    }
    Ok(Exit::Done)
}

/// The URL as lxcd will use it, and the pin: none where the certificate is vouched for or known already.
pub(super) async fn confirm(
    context: &mut Context,
    client: &Client,
    url: &str,
    ca_pem: &str,
    known: &[String],
) -> Result<(String, String)> {
    let probed = client.probe(url, ca_pem).await.map_err(|fault| in_line(context, fault, url))?;
    if probed.certificate.vouched || known.contains(&probed.certificate.fingerprint) {
        return Ok((probed.url, String::new()));
    }
    let lines = shown(&probed.host, &probed.certificate);
    if !context.printer.can_ask {
        return Err(Error::new(
            Code::NeedsFingerprint,
            "the certificate wants a yes, and there is no terminal to ask on",
        )
        .because(lines.0)
        .because(&probed.certificate.fingerprint)
        .hint_noted(
            context.command_line_with("--fingerprint", Some(&probed.certificate.fingerprint)),
            "if pvenode cert info says the same on the node",
        ));
    }
    let bold = paint(&lines.1, Tone::Bold, context.printer.err_look);
    context.printer.must_say(&format!("{}\n  {bold}", lines.0));
    let answer =
        context.printer.ask("Does pvenode cert info say the same on the node? [y/N] ").unwrap_or_default();
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok((probed.url, probed.certificate.fingerprint))
    } else {
        Err(Error::new(Code::AnsweredNo, "the certificate was not accepted")
            .because("the answer was not yes; nothing was sent there")
            .hint_noted("pvenode cert info", "on the node, says which certificate is its own"))
    }
}

/// A URL that is said better becomes the whole command line with it.
pub(super) fn in_line(context: &Context, mut fault: Error, typed: &str) -> Error {
    for step in fault.tries.iter_mut().filter(|step| step.command.starts_with("https://")) {
        step.command = context.command_line_instead(typed, &step.command);
    }
    fault
}

/// Whose certificate it is, and its fingerprint.
pub(super) fn shown(host: &str, certificate: &Certificate) -> (String, String) {
    let until = Now::read().local(certificate.not_after).strftime("%Y-%m-%d").to_string();
    let subject = escape(certificate.subject.trim_start_matches("CN=")).into_owned();
    (
        format!(
            "{} shows a certificate nobody vouches for (CN {subject}, until {until}). SHA-256:",
            escape(host)
        ),
        escape(&certificate.fingerprint).into_owned(),
    )
}

/// One row: `✓ homelab  added  1.4s  PVE 9.2.11, 3 nodes, 24 containers`
pub(super) fn print(context: &mut Context, remote: &Remote, result: &str, took: &str) -> Result<()> {
    if context.structured_one(remote, &remote.name)? || context.printer.is_quiet() {
        return Ok(());
    }
    let look = context.printer.look;
    let mark = crate::ui::style::Mark::Done;
    let line = format!(
        "{} {}  {result}  {}  {}",
        paint(mark.text(look), mark.tone(), look),
        paint(&escape(&remote.name), Tone::Bold, look),
        paint(took, Tone::Dim, look),
        escape(&about(remote)),
    );
    context.printer.answer_line(&line);
    Ok(())
}

fn about(remote: &Remote) -> String {
    let version = remote.pve_version.as_ref().map_or(String::new(), |version| format!("PVE {version}, "));
    let nodes = u64::try_from(remote.nodes.len()).unwrap_or(u64::MAX);
    let containers = u64::from(remote.containers);
    format!("{version}{}, {}", text::counted(nodes, "node"), text::counted(containers, "container"))
}

/// `pve2 and pve3 are pinned too, on pve1's word. Next: lxcctl remote doctor homelab`
fn learned_hint(remote: &Remote, learned: &[String]) -> Option<String> {
    let (last, before) = learned.split_last()?;
    let (who, are) = if before.is_empty() {
        (last.clone(), "is")
    } else {
        (format!("{} and {last}", before.join(", ")), "are")
    };
    let first =
        remote.nodes.iter().find(|node| !learned.contains(node)).map_or("the first node", String::as_str);
    let line =
        format!("{who} {are} pinned too, on {first}'s word. Next: lxcctl remote doctor {}", remote.name);
    Some(escape(&line).into_owned())
}

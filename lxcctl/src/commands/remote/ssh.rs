//! `remote set --ssh`: look at the nodes' host keys, confirm them, then the key or password. The secret is asked for
//! only after the pins, so that it cannot go to somebody else.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use lxc_core::error::{Code, Error, Result};

use crate::cli::SshFlags;
use crate::client::view::SshShown;
use crate::client::{Client, SshChange};
use crate::context::Context;
use crate::ui::escape::escape;

/// Where nothing else is said.
const PORT: u16 = 22;
/// More than any private key has.
const LONGEST: u64 = 64 << 10;
/// What says on a node which key is its own.
pub(super) const COMPARE: &str = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// The access that was asked for, with what a person has confirmed; None when none was.
pub(super) async fn change(
    context: &mut Context,
    client: &Client,
    name: &str,
    flags: &SshFlags,
) -> Result<Option<SshChange>> {
    let Some(place) = &flags.ssh else { return Ok(None) };
    let (user, port) = user_and_port(place)?;
    let way = match (&flags.ssh_key, flags.ssh_agent, flags.ssh_password) {
        (Some(_), ..) => "key",
        (_, true, _) => "agent",
        (_, _, true) => "password",
        _ => {
            return Err(Error::new(Code::Usage, "it is not said how to log in over SSH")
                .because("a key, an agent or a password is wanted")
                .hint(context.command_line_with("--ssh-key", Some("~/.ssh/id_ed25519"))));
        }
    };
    let shown = client.probe_ssh(name, port).await?;
    for silent in shown.iter().filter(|one| one.error.is_some()) {
        let why = silent.error.as_deref().unwrap_or_default();
        context.printer.warn(&format!("{} is left out: {}", escape(&silent.host.node), escape(why)));
    }
    let shown: Vec<SshShown> = shown.into_iter().filter(|one| one.error.is_none()).collect();
    confirm(context, flags, &shown)?;
    let fingerprints: HashMap<String, String> =
        shown.into_iter().map(|one| (one.host.node, one.host.fingerprint)).collect();
    let secret = match (&flags.ssh_key, flags.ssh_password) {
        (Some(path), _) => Some(key(path)?),
        (None, true) => Some(password(context, &user, name)?),
        (None, false) => None,
    };
    let directory = flags.ssh_dir.clone();
    Ok(Some(SshChange { user, port, way: way.to_owned(), secret, directory, fingerprints }))
}

/// `root`, `root@`, `lxcd@:2222`: the hosts are the nodes'.
fn user_and_port(text: &str) -> Result<(String, u16)> {
    let bad = |why: &str| {
        Error::new(Code::BadValue, format!("{text:?} is no user of the nodes"))
            .because(why)
            .hint("lxcctl remote set --help")
    };
    let (user, rest) = text.split_once('@').unwrap_or((text, ""));
    let port = match rest.split_once(':') {
        Some(("", port)) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            port.ok_or_else(|| bad("a port is a number from 1 to 65535"))?
        }
        None if rest.is_empty() => PORT,
        _ => {
            return Err(bad(
                "the nodes' addresses are known from Proxmox: only a port may follow, as in lxcd@:2222",
            ));
        }
    };
    if user.is_empty() || user.contains(':') {
        return Err(bad("a user comes first, as in root or lxcd@:2222"));
    }
    Ok((user.to_owned(), port))
}

fn confirm(context: &mut Context, flags: &SshFlags, shown: &[SshShown]) -> Result<()> {
    let unknown: Vec<&SshShown> = shown
        .iter()
        .filter(|one| one.pinned.as_ref() != Some(&one.host.fingerprint))
        .filter(|one| !flags.ssh_fingerprint.contains(&one.host.fingerprint))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let line = |one: &&SshShown| {
        format!(
            "{} at {} shows the SSH host key {}",
            escape(&one.host.node),
            escape(&one.host.host),
            escape(&one.host.fingerprint)
        )
    };
    let lines: Vec<String> = unknown.iter().map(line).collect();
    if !flags.ssh_fingerprint.is_empty() {
        let mut fault =
            Error::new(Code::HostKeyChanged, "a node shows another SSH host key than the given ones");
        fault.why = lines;
        return Err(fault.hint_noted(COMPARE, "on the nodes, says which keys are theirs"));
    }
    if !context.printer.can_ask {
        let mut all: Vec<&str> = shown.iter().map(|one| one.host.fingerprint.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        let mut fault = Error::new(
            Code::NeedsFingerprint,
            "SSH host keys want a yes, and there is no terminal to ask on",
        );
        fault.why = lines;
        return Err(fault.hint_noted(
            context.command_line_with("--ssh-fingerprint", Some(&all.join(","))),
            "if ssh-keygen -lf says the same on the nodes",
        ));
    }
    context.printer.must_say(&lines.join("\n"));
    let answer = context.printer.ask(&format!("Does {COMPARE} say the same on the nodes? [y/N] "));
    if matches!(answer.unwrap_or_default().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::new(Code::AnsweredNo, "the SSH host keys were not accepted")
        .because("the answer was not yes; nothing was sent there")
        .hint_noted(COMPARE, "on the nodes, says which keys are theirs"))
}

fn key(path: &Path) -> Result<String> {
    let unreadable = |why: String| {
        Error::new(Code::BadValue, "the private key cannot be read")
            .because(format!("{}: {why}", path.display()))
            .hint_noted("ssh-keygen -t ed25519 -N '' -f lxcd-key", "makes one for lxcd alone")
    };
    let file = std::fs::File::open(path).map_err(|fault| unreadable(fault.to_string()))?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|fault| unreadable(fault.to_string()))?;
    if !text.contains("PRIVATE KEY") {
        return Err(unreadable("there is no private key in it".to_owned()));
    }
    Ok(text)
}

fn password(context: &mut Context, user: &str, name: &str) -> Result<String> {
    let unreadable = |fault: std::io::Error| {
        Error::new(Code::BadValue, "the password cannot be read")
            .because(fault.to_string())
            .hint("lxcctl remote set --help")
    };
    let text = if context.printer.can_ask {
        let question = format!("Password of {} on the nodes of {}: ", escape(user), escape(name));
        context.printer.ask_hidden(&question).map_err(unreadable)?
    } else {
        let mut text = String::new();
        std::io::stdin().lock().take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
        text
    };
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Error::new(Code::BadValue, "that is no password")
            .because("it is empty")
            .hint(context.command_line()));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_port() {
        for (text, user, port) in [
            ("root", "root", 22),
            ("root@", "root", 22),
            ("lxcd@:2222", "lxcd", 2222),
            ("a.b-c", "a.b-c", 22),
        ] {
            assert_eq!(user_and_port(text).unwrap(), (user.to_owned(), port), "{text}");
        }
        for text in
            ["", "@", "@:22", "root@pve1", "root@pve1:22", "root@:0", "root@:65536", "root@:x", "root:22"]
        {
            user_and_port(text).unwrap_err();
        }
    }
}

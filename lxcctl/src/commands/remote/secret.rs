//! Where a token's secret comes from: a file, stdin or a prompt without echo. Never the command line,
//! which every process can read. Must not keep or show it.

use std::io::Read as _;
use std::path::Path;

use lxc_core::error::{Code, Error, Result};

use crate::cli::Secret;
use crate::context::Context;

/// Longer than any secret Proxmox makes.
const LONGEST: usize = 4096;

/// True when it is in a file or comes over stdin.
pub(super) fn is_given(source: &Secret) -> bool {
    source.token_secret_file.is_some() || source.token_secret_stdin
}

/// What stands in a file, comes over stdin or is typed.
fn text(context: &mut Context, source: &Secret, token_id: &str, what: &str) -> Result<String> {
    Ok(if let Some(path) = &source.token_secret_file {
        from_file(path)?
    } else if source.token_secret_stdin {
        let mut text = String::new();
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(|fault| unreadable("stdin", &fault))?;
        text
    } else if context.printer.can_ask {
        let question = format!("{}{} of {token_id}: ", what[..1].to_uppercase(), &what[1..]);
        context.printer.ask_hidden(&question).map_err(|fault| unreadable("the terminal", &fault))?
    } else {
        return Err(Error::new(
            Code::NeedsYes,
            format!("the {what} of {token_id} is wanted, and there is no terminal"),
        )
        .because("it is never taken from the command line, which every process can read")
        .hint_noted(
            context.command_line_with("--token-secret-file", Some("secret")),
            "a file with nothing else in it",
        )
        .hint_noted(context.command_line_with("--token-secret-stdin", None), "or from a pipe"));
    })
}

/// The password of that user: anything but nothing; only the end of its line is not part of it.
pub(super) fn password(context: &mut Context, source: &Secret, user: &str) -> Result<String> {
    let text = text(context, source, user, "password")?;
    let password = text.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Error::new(Code::BadValue, format!("that is no password of {user}"))
            .because("it is empty")
            .hint(context.command_line()));
    }
    Ok(password.to_owned())
}

/// The secret of that token.
pub(super) fn read(context: &mut Context, source: &Secret, token_id: &str) -> Result<String> {
    let text = text(context, source, token_id, "secret")?;
    let secret = text.trim();
    if secret.is_empty() || secret.chars().any(char::is_whitespace) {
        return Err(Error::new(Code::BadValue, format!("that is no secret of {token_id}"))
            .because("a secret is one word, shown once when the token is made")
            .hint_noted("pveum user token add lxcd@pve cli --privsep 0", "on a Proxmox node"));
    }
    Ok(secret.to_owned())
}

fn from_file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|fault| unreadable(&path.display().to_string(), &fault))
}

fn unreadable(what: &str, fault: &std::io::Error) -> Error {
    Error::new(Code::BadValue, "the secret cannot be read")
        .because(format!("{what}: {fault}"))
        .hint_noted("{line} --token-secret-stdin", "takes it from a pipe")
}

//! What is said of remotes, and which names and pins can be. Pure.

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::PveError;
use lxc_core::record::Pin;

pub(super) fn pin(
    url: &str,
    node: Option<String>,
    fingerprint: &str,
    source: &str,
    not_after: Option<i64>,
) -> Result<Pin> {
    let parsed: lxc_core::pve::Fingerprint = fingerprint.parse().map_err(|_| {
        Error::new(Code::BadValue, "that is no SHA-256 fingerprint")
            .because("64 hex digits, with or without colons")
            .hint_noted("pvenode cert info", "on the node, shows it")
    })?;
    Ok(Pin {
        url: url.to_owned(),
        node,
        fingerprint: parsed.to_string(),
        source: source.to_owned(),
        not_after,
    })
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && name.len() <= 40 && name.chars().all(fine) {
        return Ok(());
    }
    Err(Error::new(
        Code::BadValue,
        format!("a remote cannot be called {:?}", name.chars().take(60).collect::<String>()),
    )
    .because("a letter, then letters, digits, dots, dashes or underscores, 40 at most")
    .hint("lxcctl remote add --help"))
}

/// The name is taken.
pub(super) fn exists(name: &str) -> Error {
    Error::new(Code::RemoteExists, format!("there is a remote {name} already"))
        .because("a name stands for one Proxmox installation")
        .hint(format!("lxcctl remote show {name}"))
}

/// `lxcd@pve` of `lxcd@pve!cli`
pub(super) fn user_of(token_id: &str) -> &str {
    token_id.split('!').next().unwrap_or(token_id)
}

/// A failed question to a remote, as an answer to a person.
#[must_use]
pub(super) fn pve_error(who: &str, token_id: &str, error: &PveError) -> Error {
    let why = error.to_string();
    let user = user_of(token_id);
    match error {
        PveError::Unauthorized(_) if why.contains("second factor") => {
            Error::new(Code::PveUnauthorized, format!("{who} wants a second factor from {user}"))
                .because(why)
                .hint_noted(
                    format!("pveum user token add {user} lxcctl --privsep 0"),
                    "on a Proxmox node: a token needs none; then --token-id",
                )
        }
        PveError::Unauthorized(_) if !token_id.contains('!') => {
            Error::new(Code::PveUnauthorized, format!("{who} does not accept the password of {user}"))
                .because(why)
                .hint_noted(format!("pveum passwd {user}"), "on a Proxmox node, for a user of the realm pve")
        }
        PveError::Unauthorized(_) => {
            Error::new(Code::PveUnauthorized, format!("{who} does not accept the token"))
                .because(why)
                .hint_noted(
                    format!("pveum user token list {user}"),
                    "on a Proxmox node; a secret is shown only once",
                )
        }
        PveError::Untrusted { .. } => {
            Error::new(Code::CertificateChanged, format!("{who} shows a certificate that is not trusted"))
                .because(why)
                .hint_noted("pvenode cert info", "on the node, to compare; then --fingerprint")
        }
        PveError::Garbage(_) => Error::new(Code::NotProxmox, format!("what answers at {who} is not Proxmox"))
            .because(why)
            .hint_noted("systemctl status pveproxy", "on the node; it listens on port 8006"),
        PveError::Refused(refusal) => Error::new(Code::PvePrivilege, format!("{who} refuses"))
            .because(why)
            .hint_noted(
                format!("pveum acl modify / --users {user} --roles PVEVMAdmin,PVEAuditor"),
                "on a Proxmox node",
            )
            .pve(refusal.text.clone()),
        PveError::NotDelivered(_) | PveError::Lost(_) => {
            Error::new(Code::RemoteUnreachable, format!("{who} does not answer"))
                .because(why)
                .hint_noted("systemctl status pveproxy", "on the node; and is port 8006 open to here?")
        }
    }
}

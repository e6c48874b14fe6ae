//! What is said of remotes, and which names and pins can be. Pure.

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::PveError;

use crate::store::PinRow;

pub(super) fn pin(
    url: &str,
    node: Option<String>,
    fingerprint: &str,
    source: &str,
    not_after: Option<i64>,
) -> Result<PinRow> {
    let parsed: crate::pve::Fingerprint = fingerprint.parse().map_err(|_| {
        Error::new(Code::BadValue, "that is no SHA-256 fingerprint")
            .because("64 hex digits, with or without colons")
            .hint_noted("pvenode cert info", "on the node, shows it")
    })?;
    Ok(PinRow {
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
    .because("a letter, then letters, digits, dots, dashes or underscores, 40 at most"))
}

/// A failed question to a remote, as an answer to a person.
#[must_use]
pub(super) fn pve_error(who: &str, error: &PveError) -> Error {
    let why = error.to_string();
    match error {
        PveError::Unauthorized(_) => {
            Error::new(Code::PveUnauthorized, format!("{who} does not accept the token"))
                .because(why)
                .hint_noted(
                    "pveum user token list USER@REALM",
                    "on a Proxmox node; a secret is shown only once",
                )
        }
        PveError::Untrusted { .. } => {
            Error::new(Code::CertificateChanged, format!("{who} shows a certificate that is not trusted"))
                .because(why)
                .hint_noted("pvenode cert info", "on the node, to compare; then --fingerprint")
        }
        PveError::Garbage(_) => {
            Error::new(Code::NotProxmox, format!("what answers at {who} is not Proxmox")).because(why)
        }
        PveError::Refused(refusal) => {
            Error::new(Code::PvePrivilege, format!("{who} refuses")).because(why).pve(refusal.text.clone())
        }
        PveError::NotDelivered(_) | PveError::Lost(_) => {
            Error::new(Code::RemoteUnreachable, format!("{who} does not answer")).because(why)
        }
    }
}

//! Login tickets and their CSRF tokens.
//!
//! Owns format, signature and lifetime. The signature only has to be unforgeable to a test client.

use sha2::{Digest, Sha256};

/// How long a ticket lives, in seconds.
pub const TICKET_LIFETIME_S: i64 = 2 * 3600;

/// Makes a ticket for `user` at unix time `now`.
pub(super) fn make(key: &str, user: &str, now: i64) -> (String, String) {
    let stamp = format!("{now:08X}");
    let ticket = format!("PVE:{user}:{stamp}::{}", sign(key, &format!("{user}:{stamp}")));
    let csrf = format!("{stamp}:{}", sign(key, &format!("csrf:{user}:{stamp}")));
    (ticket, csrf)
}

/// The user of a valid ticket.
pub(super) fn check(key: &str, ticket: &str, now: i64) -> Option<String> {
    let rest = ticket.strip_prefix("PVE:")?;
    let (plain, signature) = rest.split_once("::")?;
    let (user, stamp) = plain.rsplit_once(':')?;
    let made = i64::from_str_radix(stamp, 16).ok()?;
    let valid = sign(key, plain) == signature && now - made < TICKET_LIFETIME_S && now - made > -300;
    valid.then(|| user.to_owned())
}

/// Is this the CSRF token of a ticket of `user`?
pub(super) fn check_csrf(key: &str, user: &str, token: &str) -> bool {
    token.split_once(':').is_some_and(|(stamp, mac)| sign(key, &format!("csrf:{user}:{stamp}")) == mac)
}

fn sign(key: &str, text: &str) -> String {
    hex::encode(Sha256::digest(format!("{key}:{text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_expires_and_cannot_be_forged() {
        let (ticket, csrf) = make("k", "root@pam", 1000);
        assert_eq!(check("k", &ticket, 2000).as_deref(), Some("root@pam"));
        assert_eq!(check("k", &ticket, 1000 + TICKET_LIFETIME_S), None);
        assert_eq!(check("other", &ticket, 2000), None);
        assert!(check_csrf("k", "root@pam", &csrf));
        assert!(!check_csrf("k", "x@pam", &csrf));
    }
}

//! Who we are to Proxmox: the API token, and the patience after it was refused. Owns the header and
//! the gate; the secret must not leave this file other than inside that header.

use std::fmt;
use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use lxc_core::error::{Code, Error};
use lxc_core::ports::PveError;
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

/// What cannot stand in the token id of a header; Proxmox decodes percent signs there
/// (Formatter.pm:78-88).
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b';').add(b',');

/// An API token. Cloning it does not print it, and neither does `Debug`.
#[derive(Clone)]
pub struct Token {
    id: String,
    secret: SecretString,
}

impl Token {
    /// From `user@realm!name` and its secret (a UUID in every Proxmox so far).
    ///
    /// # Errors
    /// LXC0214 when the id is not of that form, or the secret cannot stand in a header. The secret
    /// is in no error.
    pub fn new(id: impl Into<String>, secret: SecretString) -> Result<Self, Error> {
        let id = id.into();
        let bad = |why: &str| {
            Error::new(Code::BadValue, "the token cannot be used")
                .because(why)
                .hint_noted("pveum user token add lxcd@pve cli --privsep 0", "on a Proxmox node, makes one")
        };
        let well_formed = id.split_once('!').is_some_and(|(user, name)| {
            let user =
                user.rsplit_once('@').is_some_and(|(user, realm)| !user.is_empty() && !realm.is_empty());
            user && !name.is_empty() && !name.contains(['!', '='])
        });
        if !well_formed || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(bad("a token id is written user@realm!name, such as lxcd@pve!cli"));
        }
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !visible(secret.expose_secret()) {
            return Err(bad("its secret is empty, or holds spaces or characters that are not ASCII"));
        }
        Ok(Self { id, secret })
    }

    /// `user@realm!name`, as a UPID of ours ends.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What each request carries.
    pub(super) fn headers(&self) -> Result<HeaderMap, Error> {
        Ok(HeaderMap::from_iter([(AUTHORIZATION, self.header()?)]))
    }

    /// The value of `Authorization`, marked so that nothing prints or indexes it.
    pub(super) fn header(&self) -> Result<HeaderValue, Error> {
        let id = utf8_percent_encode(&self.id, UNSAFE);
        let text = format!("PVEAPIToken={id}={}", self.secret.expose_secret());
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::new(Code::BadValue, "the token cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Keeps us from asking again right after a 401: Proxmox delays each by 3 s on purpose, and a wrong
/// token does not get better.
#[derive(Debug)]
pub(super) struct Gate {
    pause: Duration,
    refused: Mutex<Option<(Instant, String)>>,
}

impl Gate {
    pub(super) fn new(pause: Duration) -> Self {
        Self { pause, refused: Mutex::default() }
    }

    /// Refuses in Proxmox's last words while the pause lasts.
    pub(super) fn check(&self, now: Instant) -> Result<(), PveError> {
        match &*self.refused.lock() {
            Some((at, text)) if now.saturating_duration_since(*at) < self.pause => {
                Err(PveError::Unauthorized(text.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Remembers a 401.
    pub(super) fn refuse(&self, now: Instant, text: &str) {
        *self.refused.lock() = Some((now, text.to_owned()));
    }

    /// Forgets it: the token was just accepted.
    pub(super) fn accept(&self) {
        *self.refused.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, secret: &str) -> Result<Token, Error> {
        Token::new(id, SecretString::from(secret.to_owned()))
    }

    #[test]
    fn never_shows_its_secret() {
        let good = token("lxcd@pve!cli", "hunter2").unwrap();
        assert_eq!(format!("{good:?}"), "Token { id: \"lxcd@pve!cli\", .. }");
        let header = good.header().unwrap();
        assert_eq!(header.as_bytes(), b"PVEAPIToken=lxcd@pve!cli=hunter2");
        assert_eq!(format!("{header:?}"), "Sensitive");
        let error = token("lxcd@pve!cli", "hunter 2").unwrap_err();
        assert!(!error.to_string().contains("hunter"));
        assert_eq!(
            token("jürgen%@pve!a", "s").unwrap().header().unwrap(),
            "PVEAPIToken=j%C3%BCrgen%25@pve!a=s"
        );
    }

    #[test]
    fn refuses_malformed_ids() {
        for id in
            ["", "root@pam", "root!cli", "@pve!x", "a@!x", "a@pve!", "a@pve!x=y", "a@pve!x y", "a@pve!x\n"]
        {
            assert_eq!(token(id, "s").unwrap_err().code, Code::BadValue, "{id}");
        }
    }

    #[test]
    fn waits_after_a_refusal() {
        let gate = Gate::new(Duration::from_secs(30));
        let start = Instant::now();
        assert!(gate.check(start).is_ok());
        gate.refuse(start, "no");
        assert_eq!(gate.check(start + Duration::from_secs(29)), Err(PveError::Unauthorized("no".into())));
        assert!(gate.check(start + Duration::from_secs(30)).is_ok());
        gate.accept();
        assert!(gate.check(start).is_ok());
    }
}

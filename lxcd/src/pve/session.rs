//! What each request carries: a token, or the ticket of a user with a password, renewed in time. Owns the
//! ticket; neither it nor the password may leave this file other than in a header or the body of a log-in.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lxc_core::error::{Code, Error};
use lxc_core::ports::PveError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::auth::Token;
use super::exchange::Broken;
use super::metrics::{Class, Counters};
use super::scalar::Scalar;
use super::transport::SMALL;
use super::way::Way;

const CSRF: HeaderName = HeaderName::from_static("csrfpreventiontoken");

/// Who we are to Proxmox.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API token.
    Token(Token),
    /// `user@realm` and the password.
    Password(String, SecretString),
}

impl Credentials {
    /// A token when the id has a `!`, else a user.
    ///
    /// # Errors
    /// LXC0214 when the id or the secret cannot be used.
    pub fn new(id: &str, secret: SecretString) -> Result<Self, Error> {
        if id.contains('!') {
            return Token::new(id, secret).map(Self::Token);
        }
        let named = id.rsplit_once('@').is_some_and(|(user, realm)| !user.is_empty() && !realm.is_empty());
        if !named
            || id.chars().any(|c| c.is_control() || c.is_whitespace())
            || secret.expose_secret().is_empty()
        {
            return Err(Error::new(Code::BadValue, "that user cannot be used")
                .because("a user is written root@pam, a token lxcd@pve!cli, and the password is not empty")
                .hint("lxcctl remote login --help"));
        }
        Ok(Self::Password(id.to_owned(), secret))
    }

    /// As a UPID of ours ends.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Token(token) => token.id(),
            Self::Password(user, _) => user,
        }
    }
}

impl From<Token> for Credentials {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

struct Ticket {
    text: SecretString,
    csrf: HeaderValue,
    at: Instant,
    /// Which one it is.
    number: u64,
}

/// What a request carries, and the number of the ticket in it.
pub(super) struct Shown {
    pub(super) headers: HeaderMap,
    /// None = a token.
    pub(super) ticket: Option<u64>,
}

/// The credentials in use.
pub(super) struct Session {
    credentials: Credentials,
    /// How old a ticket gets.
    renewed: Duration,
    ticket: tokio::sync::Mutex<Option<Ticket>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.credentials.id()).finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    ticket: Scalar,
    #[serde(rename = "CSRFPreventionToken")]
    csrf: Scalar,
    #[serde(rename = "NeedTFA")]
    second: Scalar,
}

fn refused(text: String) -> Broken {
    Broken::Before(PveError::Unauthorized(text))
}

impl Session {
    pub(super) fn new(credentials: Credentials, renewed: Duration) -> Result<Self, Error> {
        if let Credentials::Token(token) = &credentials {
            // Said now, not with the first request.
            token.header()?;
        }
        Ok(Self { credentials, renewed, ticket: tokio::sync::Mutex::default() })
    }

    pub(super) fn id(&self) -> &str {
        self.credentials.id()
    }

    /// Whether what it shows ends by itself, and can be had anew.
    pub(super) const fn has_tickets(&self) -> bool {
        matches!(self.credentials, Credentials::Password(..))
    }

    /// What a request to that URL carries; a change also proves that no browser was tricked into it. What
    /// goes wrong here happened before anything was sent.
    pub(super) async fn headers(
        &self,
        way: &Way,
        method: &Method,
        counters: &Counters,
    ) -> Result<Shown, Broken> {
        let (user, password) = match &self.credentials {
            Credentials::Token(token) => {
                let headers = token.headers().map_err(|error| refused(error.to_string()))?;
                return Ok(Shown { headers, ticket: None });
            }
            Credentials::Password(user, password) => (user, password),
        };
        let mut ticket = self.ticket.lock().await;
        let old = ticket.take_if(|ticket| ticket.at.elapsed() > self.renewed);
        if ticket.is_none() {
            let renewed = match old {
                Some(old) => log_in(way, user, &old.text, counters).await.ok(),
                None => None,
            };
            *ticket = Some(match renewed {
                Some(renewed) => renewed,
                None => log_in(way, user, password, counters).await?,
            });
        }
        let Some(ticket) = &*ticket else { return Err(refused("no ticket".to_owned())) };
        let text = utf8_percent_encode(ticket.text.expose_secret(), NON_ALPHANUMERIC);
        let mut cookie = HeaderValue::try_from(format!("PVEAuthCookie={text}"))
            .map_err(|_| refused("a ticket that cannot stand in a header".to_owned()))?;
        cookie.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(COOKIE, cookie)]);
        if *method != Method::GET {
            headers.insert(CSRF, ticket.csrf.clone());
        }
        Ok(Shown { headers, ticket: Some(ticket.number) })
    }

    /// That ticket was refused: the next request logs in anew, unless somebody has meanwhile.
    pub(super) async fn forget(&self, number: u64) {
        self.ticket.lock().await.take_if(|ticket| ticket.number == number);
    }
}

async fn log_in(
    way: &Way,
    user: &str,
    password: &SecretString,
    counters: &Counters,
) -> Result<Ticket, Broken> {
    /// Numbers tickets, of whichever session.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let pairs = [("username", user), ("password", password.expose_secret())];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let asking = counters.begin(Class::LogIn);
    let sent = way.send(true, Method::POST, "/access/ticket", HeaderMap::new(), Some(form), SMALL).await;
    asking.ended(&sent);
    // Whatever became of the log-in: what it was for was not sent.
    let before = |error: PveError| match error {
        error @ (PveError::Untrusted { .. } | PveError::Unauthorized(_)) => Broken::Before(error),
        other => Broken::Before(PveError::NotDelivered(other.to_string())),
    };
    let received = sent.map_err(|broken| before(broken.into_error()))?;
    let row: Row = received.answer().object().map_err(before)?;
    if row.second.flag() {
        return Err(refused(format!("{user} has a second factor, which only a person can give")));
    }
    let csrf = row.csrf.word().and_then(|text| HeaderValue::try_from(text).ok());
    let (Some(text), Some(mut csrf)) = (row.ticket.word(), csrf) else {
        return Err(refused("no ticket was given".to_owned()));
    };
    csrf.set_sensitive(true);
    Ok(Ticket {
        text: SecretString::from(text),
        csrf,
        at: Instant::now(),
        number: NEXT.fetch_add(1, Relaxed),
    })
}

//! One request and its complete answer. Owns the body limit and the translation of what went wrong on
//! the way into what it means for the request: not sent, cut off, late; must not retry.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use hyper::ext::ReasonPhrase;
use lxc_core::ports::PveError;

use super::answer::Answer;
use super::tls;

/// A complete answer, kept together with what [`Answer`] borrows from.
#[derive(Debug)]
pub(super) struct Received {
    authority: String,
    status: u16,
    reason: String,
    body: Bytes,
}

impl Received {
    pub(super) fn answer(&self) -> Answer<'_> {
        Answer { from: &self.authority, status: self.status, reason: &self.reason, body: &self.body }
    }
}

/// What went wrong before there was an answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// Nothing was sent.
    Before(PveError),
    /// Cut off, after the request may have arrived.
    Cut(String),
    /// No answer in time.
    Late(String),
    /// More than we take.
    Oversized(String),
}

impl Broken {
    pub(super) fn into_error(self) -> PveError {
        match self {
            Self::Before(error) => error,
            Self::Cut(text) | Self::Late(text) => PveError::Lost(text),
            Self::Oversized(text) => PveError::Garbage(text),
        }
    }
}

/// Sends a request and takes in the answer, up to `limit` bytes of body.
pub(super) async fn exchange(
    builder: reqwest::RequestBuilder,
    authority: &str,
    limit: usize,
) -> Result<Received, Broken> {
    let mut response = builder.send().await.map_err(|error| broken(&error, authority))?;
    let status = response.status();
    // Present only when it differs from the standard one; not ASCII arrives as empty.
    let reason = match response.extensions().get::<ReasonPhrase>() {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let too_long = || Broken::Oversized(format!("{} answered more than {limit} bytes", authority));
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(part)) if body.len() + part.len() > limit => {
                drop(part);
                return Err(too_long());
            }
            Ok(Some(part)) => body.extend_from_slice(&part),
            // An error is told by its status line; its body only says it again.
            Err(_) if status.as_u16() >= 400 => break,
            Err(error) => return Err(broken(&error, authority)),
        }
    }
    let body = body.freeze();
    Ok(Received { authority: authority.to_owned(), status: status.as_u16(), reason, body })
}

fn broken(error: &reqwest::Error, authority: &str) -> Broken {
    if let Some(fingerprint) = tls::untrusted(error) {
        return Broken::Before(PveError::Untrusted { fingerprint: fingerprint.to_string() });
    }
    // Names, TCP and TLS come before the request, whatever made them fail; also a time-out.
    if error.is_connect() || error.is_builder() {
        let why = if error.is_timeout() { "no connection in time".to_owned() } else { innermost(error) };
        return Broken::Before(PveError::NotDelivered(format!("{}: {why}", authority)));
    }
    if error.is_timeout() {
        return Broken::Late(format!("{}: no answer in time", authority));
    }
    Broken::Cut(format!("{}: {}", authority, innermost(error)))
}

/// The last cause says what happened; the ones around it only where.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

//! What a simulated endpoint answers, and how Proxmox VE puts it on the wire.
//!
//! Owns status, reason phrase and body of an answer; must not know any endpoint. Proxmox puts the text of
//! an error into the reason phrase *and*, with a trailing newline, into the body's `message`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// Content type of every JSON answer, spelled as Proxmox spells it.
pub const JSON: &str = "application/json;charset=UTF-8";

/// An answer ready for the wire.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code; Proxmox also uses 595 and friends.
    pub status: u16,
    /// Reason phrase, raw bytes since Proxmox does not restrict them to ASCII.
    pub reason: Vec<u8>,
    /// `Content-Type`, absent on answers that never reached the API layer.
    pub content_type: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// `None` is an answer without Content-Length, which is not the same as an empty body.
    pub body: Option<Vec<u8>>,
    /// Model milliseconds to wait before answering (failed authentication, unreachable node).
    pub delay_ms: u64,
}

impl Reply {
    fn json(status: u16, reason: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            reason: latin1(reason),
            content_type: Some(JSON.to_owned()),
            headers: Vec::new(),
            body: Some(body),
            delay_ms: 0,
        }
    }

    /// `200 OK` around `data`.
    pub fn data<T: Serialize + ?Sized>(data: &T) -> Self {
        #[derive(Serialize)]
        struct Envelope<'a, T: Serialize + ?Sized> {
            data: &'a T,
        }
        Self::json(200, "OK", serde_json::to_vec(&Envelope { data }).unwrap_or_default())
    }

    /// `200 OK` around a list with its `total` beside it.
    pub fn list<T: Serialize + ?Sized>(data: &T, total: usize) -> Self {
        #[derive(Serialize)]
        struct Envelope<'a, T: Serialize + ?Sized> {
            data: &'a T,
            total: usize,
        }
        Self::json(200, "OK", serde_json::to_vec(&Envelope { data, total }).unwrap_or_default())
    }

    /// `200 OK` with `data: null`.
    #[must_use]
    pub fn null() -> Self {
        Self::data(&Value::Null)
    }

    /// An answer without body and without Content-Length: authentication and proxy failures.
    #[must_use]
    pub fn bare(status: u16, reason: &str) -> Self {
        Self {
            status,
            reason: latin1(reason),
            content_type: None,
            headers: Vec::new(),
            body: None,
            delay_ms: 0,
        }
    }

    /// The text as body, without a content type: errors before the API layer.
    #[must_use]
    pub fn plain(status: u16, reason: &str, body: &str) -> Self {
        Self { body: Some(body.as_bytes().to_vec()), ..Self::bare(status, reason) }
    }

    /// The same answer, given only after a while.
    #[must_use]
    pub fn after(mut self, delay_ms: u64) -> Self {
        self.delay_ms = delay_ms;
        self
    }

    /// The answer `/api2/extjs` gives: always 200, the truth inside.
    #[must_use]
    pub fn into_extjs(self) -> Self {
        let mut map = match self.body.as_deref().map(serde_json::from_slice::<Map<String, Value>>) {
            Some(Ok(map)) => map,
            _ => return self,
        };
        map.insert("success".into(), u8::from(self.status == 200).into());
        if self.status != 200 {
            map.insert("status".into(), self.status.into());
        }
        Self::json(200, "OK", serde_json::to_vec(&map).unwrap_or_default())
    }
}

/// An endpoint's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400 with one text per parameter.
    Parameters(BTreeMap<String, String>),
    /// 403; the detail may be empty.
    Forbidden(String),
    /// 500 with the text: nearly every logical error.
    Failed(String),
    /// 501 for a path or method the API does not have.
    NotImplemented(String),
    /// The container's config file is locked by another worker: wait and try again.
    Busy(u32),
    /// 401 with a body: a failed login, the only one that has any.
    Login,
    /// A body that is not JSON although it says so.
    Malformed(String),
    /// An answer without a body, after a while.
    Bare {
        /// Status.
        status: u16,
        /// Reason phrase.
        reason: String,
        /// Model milliseconds until it is given.
        delay_ms: u64,
    },
}

impl Refusal {
    /// A refusal naming one bad parameter.
    pub fn parameter(name: &str, text: impl Into<String>) -> Self {
        Self::Parameters(BTreeMap::from([(name.to_owned(), text.into())]))
    }

    /// A logical error.
    pub fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// The answer on the wire.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        #[derive(Serialize)]
        struct Envelope<'a> {
            data: Option<()>,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            errors: Option<&'a BTreeMap<String, String>>,
        }
        let (status, text, newline, errors) = match &self {
            Self::Parameters(errors) => (400, "Parameter verification failed.".into(), true, Some(errors)),
            Self::Forbidden(detail) if detail.is_empty() => {
                (403, "Permission check failed".into(), true, None)
            }
            Self::Forbidden(detail) => (403, format!("Permission check failed ({detail})"), true, None),
            Self::Failed(text) => (500, text.clone(), true, None),
            // The one text that ends without a newline.
            Self::NotImplemented(what) => (501, format!("Method '{what}' not implemented"), false, None),
            Self::Busy(vmid) => (500, lock_timeout(*vmid), true, None),
            Self::Login => (401, "authentication failure".to_owned(), true, None),
            Self::Malformed(text) => return Reply::plain(500, text, &format!("{text}\n")),
            Self::Bare { status, reason, delay_ms } => return Reply::bare(*status, reason).after(*delay_ms),
        };
        let message = if newline { format!("{text}\n") } else { text.clone() };
        let body = Envelope { data: None, message: &message, errors };
        let reply = Reply::json(status, &text, serde_json::to_vec(&body).unwrap_or_default());
        // Every 401 is held back, so that guessing is slow.
        if status == 401 { reply.after(3000) } else { reply }
    }
}

/// The text of a config file lock that was not released within ten seconds.
#[must_use]
pub fn lock_timeout(vmid: u32) -> String {
    format!("can't lock file '/run/lock/lxc/pve-config-{vmid}.lock' - got timeout")
}

/// Reason phrases go out byte by byte where they can; Proxmox never encodes what it took from a URL.
fn latin1(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

//! One URL, two HTTP clients: questions share kept connections, changes get a fresh one each and go
//! out once. Owns timeouts, retries of questions, size limits and the translation of what went wrong
//! on the way; must not know what an answer means (`answer`) or which paths exist.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use hyper::ext::ReasonPhrase;
use lxc_core::error::{Code, Error};
use lxc_core::ports::PveError;
use lxc_core::pve::RefusalKind;

use super::answer::Answer;
use super::auth::{Gate, Token};
use super::limits::Limits;
use super::metrics::{Class, Counters};
use super::tls::{self, Trust};
use super::url::ApiUrl;

/// How long, how many, how often. The defaults follow PVE.md.
#[derive(Debug, Clone)]
pub struct Options {
    /// For name, TCP and TLS together.
    pub connect: Duration,
    /// For the answer to begin, and between its parts. Longer than the 30 s after which pveproxy
    /// gives up on another node, so that its 596 is seen.
    pub read: Duration,
    /// For a question in all.
    pub total: Duration,
    /// No requests for so long after a 401.
    pub unauthorized_pause: Duration,
    /// Requests in flight at one node.
    pub per_node: usize,
    /// Requests in flight at one remote.
    pub per_remote: usize,
    /// How long a change waits for its turn at a busy node before it counts as not delivered; its
    /// caller holds a lease meanwhile.
    pub change_patience: Duration,
    /// Pauses between attempts of a question that was refused with a text that passes.
    pub transient_pauses: Vec<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(35),
            total: Duration::from_secs(60),
            unauthorized_pause: Duration::from_secs(30),
            per_node: 4,
            per_remote: 20,
            change_patience: Duration::from_secs(3),
            transient_pauses: vec![Duration::from_millis(150), Duration::from_millis(500)],
        }
    }
}

/// Bodies of lists may be this long: 10,000 rows of `/cluster/resources` are about 5 MB.
pub(super) const LIST: usize = 32 << 20;
/// Everything else.
pub(super) const SMALL: usize = 1 << 20;

/// One request; `path` is encoded already and begins behind `/api2/json`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) class: Class,
    /// Node that does the work; empty when it is whoever was asked.
    pub(super) node: &'a str,
    pub(super) path: &'a str,
    /// Longest body accepted.
    pub(super) limit: usize,
}

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
enum Broken {
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
    fn into_error(self) -> PveError {
        match self {
            Self::Before(error) => error,
            Self::Cut(text) | Self::Late(text) => PveError::Lost(text),
            Self::Oversized(text) => PveError::Garbage(text),
        }
    }
}

/// The way to one URL with one token.
#[derive(Debug)]
pub(super) struct Transport {
    authority: String,
    base: String,
    kept: reqwest::Client,
    fresh: reqwest::Client,
    authorization: HeaderValue,
    gate: Gate,
    limits: Limits,
    counters: Counters,
    options: Options,
}

impl Transport {
    pub(super) fn new(url: &ApiUrl, trust: &Trust, token: &Token, options: Options) -> Result<Self, Error> {
        let tls = tls::config(trust)?;
        let build = |kept: bool| {
            // pveproxy drops idle connections after 5 s.
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .https_only(true)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(options.connect)
                .read_timeout(options.read)
                .timeout(options.total)
                .pool_idle_timeout(Duration::from_secs(4))
                .pool_max_idle_per_host(if kept { options.per_remote } else { 0 });
            builder.build().map_err(|error| {
                Error::new(Code::Internal, "the HTTP client cannot be set up").because(error.to_string())
            })
        };
        Ok(Self {
            authority: url.authority(),
            base: format!("{url}/api2/json"),
            kept: build(true)?,
            fresh: build(false)?,
            authorization: token.header()?,
            gate: Gate::new(options.unauthorized_pause),
            limits: Limits::new(options.per_node, options.per_remote),
            counters: Counters::default(),
            options,
        })
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Asks. Tried again on a fresh connection when a kept one turns out to be closed, and after a
    /// pause when Proxmox refuses with a text that passes by itself.
    pub(super) async fn get(&self, request: Request<'_>) -> Result<Received, PveError> {
        let _place = self.limits.enter(request.node).await;
        let mut client = &self.kept;
        let mut pauses = self.options.transient_pauses.iter();
        loop {
            self.gate.check(Instant::now())?;
            let sent = self.send(client, Method::GET, request, None).await;
            let received = match sent {
                // Even when the cut came from elsewhere, asking twice does no harm.
                Err(Broken::Cut(_)) if std::ptr::eq(client, &self.kept) => {
                    client = &self.fresh;
                    continue;
                }
                other => other.map_err(Broken::into_error)?,
            };
            match self.noted(received.answer().check()) {
                Err(PveError::Refused(refusal)) if refusal.kind == RefusalKind::Transient => {
                    let Some(pause) = pauses.next() else {
                        return Err(PveError::Refused(refusal));
                    };
                    tokio::time::sleep(*pause).await;
                }
                checked => return checked.map(|()| received),
            }
        }
    }

    /// Changes something: one request on a fresh connection, whatever happens. What cannot be read
    /// as Proxmox's yes or no is `Lost`, never `Garbage`: the change may have happened.
    pub(super) async fn change(
        &self,
        request: Request<'_>,
        method: Method,
        form: &[(&str, String)],
    ) -> Result<Received, PveError> {
        self.gate.check(Instant::now())?;
        let Some(_place) = self.limits.enter_within(request.node, self.options.change_patience).await else {
            let text = format!("{} has too many requests in flight already", request.node);
            return Err(PveError::NotDelivered(text));
        };
        let encoded = encode(form);
        let sent = self.send(&self.fresh, method, request, Some(encoded)).await;
        let received = sent.map_err(|broken| unread_is_lost(broken.into_error()))?;
        self.noted(received.answer().check()).map_err(unread_is_lost)?;
        Ok(received)
    }

    /// Keeps account of refused tokens.
    fn noted(&self, checked: Result<(), PveError>) -> Result<(), PveError> {
        match &checked {
            Err(PveError::Unauthorized(text)) => {
                self.counters.unauthorized();
                self.gate.refuse(Instant::now(), text);
            }
            // 595 and the like come from pveproxy before it has looked at the token.
            Ok(()) | Err(PveError::Refused(_)) => self.gate.accept(),
            Err(_) => {}
        }
        checked
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        method: Method,
        request: Request<'_>,
        form: Option<String>,
    ) -> Result<Received, Broken> {
        let mut url = format!("{}{}", self.base, request.path);
        let mut body = None;
        match form {
            // Proxmox refuses a body on DELETE.
            Some(form) if method == Method::DELETE => {
                if !form.is_empty() {
                    url.push('?');
                    url.push_str(&form);
                }
            }
            other => body = other,
        }
        let started = Instant::now();
        let mut builder = client.request(method, url).header(AUTHORIZATION, self.authorization.clone());
        if let Some(form) = body {
            // hyper leaves it out for an empty body; Proxmox wants it with every POST that has one.
            builder = builder.header(CONTENT_LENGTH, form.len());
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        self.counters.sent(request.class);
        let result = self.receive(builder, request.limit).await;
        tracing::trace!(
            class = request.class.as_str(),
            node = request.node,
            status = result.as_ref().map(|received| received.status).ok(),
            millis = started.elapsed().as_millis() as u64,
            "asked Proxmox"
        );
        result
    }

    async fn receive(&self, builder: reqwest::RequestBuilder, limit: usize) -> Result<Received, Broken> {
        let mut response = builder.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        // Present only when it differs from the standard one; not ASCII arrives as empty.
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        let too_long = || Broken::Oversized(format!("{} answered more than {limit} bytes", self.authority));
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
                Err(error) => return Err(self.broken(&error)),
            }
        }
        let body = body.freeze();
        Ok(Received { authority: self.authority.clone(), status: status.as_u16(), reason, body })
    }

    fn broken(&self, error: &reqwest::Error) -> Broken {
        if let Some(fingerprint) = tls::untrusted(error) {
            return Broken::Before(PveError::Untrusted { fingerprint: fingerprint.to_string() });
        }
        // Names, TCP and TLS come before the request, whatever made them fail; also a time-out.
        if error.is_connect() || error.is_builder() {
            let why = if error.is_timeout() {
                format!("no connection within {} s", self.options.connect.as_secs())
            } else {
                innermost(error)
            };
            return Broken::Before(PveError::NotDelivered(format!("{}: {why}", self.authority)));
        }
        if error.is_timeout() {
            return Broken::Late(format!("{}: no answer in time", self.authority));
        }
        Broken::Cut(format!("{}: {}", self.authority, innermost(error)))
    }
}

fn unread_is_lost(error: PveError) -> PveError {
    match error {
        PveError::Garbage(text) => PveError::Lost(text),
        other => other,
    }
}

fn encode(form: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// The last cause says what happened; the ones around it only where.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

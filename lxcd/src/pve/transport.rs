//! One URL, two HTTP clients: questions share kept connections, changes get a fresh one each and go
//! out once. Owns the clients, the retries of questions and the places in the queue; must not know
//! what an answer means (`answer`) or which paths exist.

use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use lxc_core::error::{Code, Error};
use lxc_core::ports::PveError;
use lxc_core::pve::RefusalKind;

use super::auth::{Gate, Token};
use super::exchange::{Broken, Received, exchange};
use super::limits::Limits;
use super::metrics::{Class, Counters};
use super::options::Options;
use super::tls::{self, Trust};
use super::url::ApiUrl;

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
            limits: Limits::new(options.per_node, options.per_remote, options.share.clone()),
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
        let Some(_place) = self.limits.enter_within(request.node, self.options.change_patience).await else {
            let text = format!("{} has too many requests in flight already", request.node);
            return Err(PveError::NotDelivered(text));
        };
        // Behind the queue: what went before may have been refused.
        self.gate.check(Instant::now())?;
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
        let result = exchange(builder, &self.authority, request.limit).await;
        tracing::trace!(
            class = request.class.as_str(),
            node = request.node,
            status = result.as_ref().map(|received| received.answer().status).ok(),
            millis = started.elapsed().as_millis() as u64,
            "asked Proxmox"
        );
        result
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

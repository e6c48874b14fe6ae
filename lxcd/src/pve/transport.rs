//! All URLs of a remote with one token: questions share kept connections and go elsewhere when one URL fails,
//! changes get a fresh connection each and go out once. Owns the order of the URLs, the retries of questions
//! and the places in the queue; must not know what an answer means (`answer`) or which paths exist.

use std::time::{Duration, Instant};

use http::Method;
use lxc_core::error::Error;
use lxc_core::ports::PveError;
use lxc_core::pve::RefusalKind;

use super::auth::Gate;
use super::client::Endpoint;
use super::exchange::{Broken, Received};
use super::limits::Limits;
use super::metrics::{Class, Counters};
use super::options::Options;
use super::session::{Credentials, Session};
use super::way::Way;

/// Bodies of lists may be this long: 10,000 rows of `/cluster/resources` are about 5 MB.
pub(super) const LIST: usize = 32 << 20;
/// Everything else.
pub(super) const SMALL: usize = 1 << 20;

/// A change that was not delivered goes elsewhere only so soon: its caller holds a lease meanwhile.
const CHANGE_ELSEWHERE: Duration = Duration::from_secs(2);

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

/// The ways to one remote with one token.
#[derive(Debug)]
pub(super) struct Transport {
    ways: Vec<Way>,
    session: Session,
    gate: Gate,
    limits: Limits,
    counters: Counters,
    options: Options,
}

impl Transport {
    pub(super) fn new(endpoints: Vec<Endpoint>, who: Credentials, options: Options) -> Result<Self, Error> {
        Ok(Self {
            ways: endpoints.into_iter().map(|one| Way::new(one, &options)).collect::<Result<_, _>>()?,
            session: Session::new(who, options.ticket_age)?,
            gate: Gate::new(options.unauthorized_pause),
            limits: Limits::new(options.per_node, options.per_remote, options.share.clone()),
            counters: Counters::default(),
            options,
        })
    }

    pub(super) fn ways(&self) -> &[Way] {
        &self.ways
    }

    pub(super) fn identity(&self) -> &str {
        self.session.id()
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Those to ask, in order: the ones that are up, then, should they fail too, the others.
    fn order(&self) -> Vec<&Way> {
        let now = Instant::now();
        let (mut first, rest): (Vec<&Way>, Vec<&Way>) = self.ways.iter().partition(|way| way.take(now));
        first.extend(rest);
        first
    }

    /// Asks, wherever somebody answers. Tried again on a fresh connection when a kept one turns out to be
    /// closed, with a new ticket when the old one is not accepted any more, and after a pause when Proxmox refuses
    /// with a text that passes by itself.
    pub(super) async fn get(&self, request: Request<'_>) -> Result<Received, PveError> {
        let _place = self.limits.enter(request.node).await;
        let mut first = None;
        for way in self.order() {
            if first.as_ref().is_some_and(|error| !may_help(error, way, request.node)) {
                continue;
            }
            match self.get_from(way, request).await {
                Err(error) if goes_elsewhere(&error) => {
                    first.get_or_insert(error);
                }
                other => return other,
            }
        }
        Err(first.unwrap_or_else(|| PveError::NotDelivered("no URL to ask".to_owned())))
    }

    /// Asks one URL, whether it is known to be up or not.
    pub(super) async fn get_at(&self, way: &Way, request: Request<'_>) -> Result<Received, PveError> {
        let _place = self.limits.enter(request.node).await;
        self.get_from(way, request).await
    }

    async fn get_from(&self, way: &Way, request: Request<'_>) -> Result<Received, PveError> {
        let (mut fresh, mut logged_in) = (false, false);
        let mut pauses = self.options.transient_pauses.iter();
        loop {
            self.gate.check(Instant::now())?;
            let received = match self.send(way, fresh, Method::GET, request, None).await {
                // Even when the cut came from elsewhere, asking twice does no harm.
                Err(Broken::Cut(_)) if !fresh => {
                    fresh = true;
                    continue;
                }
                other => other.map_err(Broken::into_error)?,
            };
            // A ticket ends; a password that is wrong is told by the log-in itself.
            if received.answer().status == 401 && self.session.has_tickets() && !logged_in {
                logged_in = true;
                continue;
            }
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

    /// Changes something: one request on a fresh connection, whatever happens; it goes elsewhere only when
    /// it has reached nobody. What cannot be read as Proxmox's yes or no is `Lost`, never `Garbage`: the
    /// change may have happened. A ticket that is not accepted any more is an answer, too: the question that
    /// comes before the next change gets a new one.
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
        let (begun, form) = (Instant::now(), encode(form));
        let mut first: Option<PveError> = None;
        for way in self.order() {
            let late = begun.elapsed() > CHANGE_ELSEWHERE;
            if first.as_ref().is_some_and(|error| late || !may_help(error, way, request.node)) {
                continue;
            }
            let sent = self.send(way, true, method.clone(), request, Some(form.clone())).await;
            let checked = match sent {
                Ok(received) if received.answer().status == 401 && self.session.has_tickets() => {
                    received.answer().check().map(|()| received)
                }
                Ok(received) => self.noted(received.answer().check()).map(|()| received),
                Err(broken) => Err(broken.into_error()),
            };
            match checked {
                Err(error @ (PveError::NotDelivered(_) | PveError::Untrusted { .. })) => {
                    first.get_or_insert(error);
                }
                other => return other.map_err(unread_is_lost),
            }
        }
        Err(first.unwrap_or_else(|| PveError::NotDelivered("no URL to ask".to_owned())))
    }

    /// Keeps account of refused tokens.
    fn noted(&self, checked: Result<(), PveError>) -> Result<(), PveError> {
        match &checked {
            Err(PveError::Unauthorized(text)) => {
                self.gate.refuse(Instant::now(), text);
            }
            // 595 and the like come from pveproxy before it has looked at the token.
            Ok(()) | Err(PveError::Refused(_)) => self.gate.accept(),
            Err(_) => {}
        }
        checked
    }

    /// One request to one URL, and what its fate says of that URL.
    async fn send(
        &self,
        way: &Way,
        fresh: bool,
        method: Method,
        request: Request<'_>,
        form: Option<String>,
    ) -> Result<Received, Broken> {
        let started = Instant::now();
        let shown = match self.session.headers(way, &method, &self.counters).await {
            Ok(shown) => shown,
            Err(broken) => {
                match &broken {
                    Broken::Before(PveError::Unauthorized(text)) => {
                        self.gate.refuse(Instant::now(), text);
                    }
                    Broken::Before(error) => way.failed(Instant::now(), &error.to_string()),
                    _ => {}
                }
                return Err(broken);
            }
        };
        let asking = self.counters.begin(request.class);
        let result = way.send(fresh, method, request.path, shown.headers, form, request.limit).await;
        asking.ended(&result);
        match &result {
            Ok(received) => {
                way.answered();
                if let (401, Some(ticket)) = (received.answer().status, shown.ticket) {
                    self.session.forget(ticket).await;
                }
            }
            Err(Broken::Before(error)) => way.failed(Instant::now(), &error.to_string()),
            // Who hangs may do so because of the node behind it.
            Err(Broken::Late(why)) if request.node.is_empty() => way.failed(Instant::now(), why),
            Err(_) => {}
        }
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

/// Whether a question that ended so may be asked of another URL.
fn goes_elsewhere(error: &PveError) -> bool {
    matches!(error, PveError::NotDelivered(_) | PveError::Lost(_) | PveError::Untrusted { .. })
}

/// Whether another URL may do better. One node that cannot reach another (595) says nothing about us reaching
/// it: then only that node's own URL helps.
fn may_help(error: &PveError, way: &Way, node: &str) -> bool {
    let from_proxy = match error {
        PveError::NotDelivered(text) | PveError::Lost(text) => text.starts_with("59"),
        _ => false,
    };
    !from_proxy || node.is_empty() || way.endpoint.node.as_deref() == Some(node)
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

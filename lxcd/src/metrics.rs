//! Figures for Prometheus, on a listener of their own that is only there when the configuration names one. Owns
//! their names and what is counted since the start; reads the rest when it is asked. Must not hold up anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lxc_core::error::{Code, Error, Result};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::bus::Ended;
use crate::service::Services;

/// Content type of OpenMetrics 1.0 text.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Seconds: a stop takes one, a shutdown its grace, a queue anything.
const SECONDS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    verb: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verb {
    verb: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    remote: String,
    what: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Remote {
    remote: String,
}

type Seconds = Family<Verb, Histogram, fn() -> Histogram>;
type Float = Gauge<f64, AtomicU64>;

/// What is counted, and what is read when somebody asks.
struct Figures {
    registry: Registry,
    ended: Family<Operation, Counter>,
    took: Seconds,
    waited: Seconds,
    running: Gauge,
    queued: Gauge,
    driving: Gauge,
    watchers: Gauge,
    degraded: Gauge,
    requests: Family<Asked, Gauge>,
    age: Family<Remote, Float>,
    reachable: Family<Remote, Gauge>,
}

impl Figures {
    fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut figures = Self {
            registry: Registry::with_prefix("lxcd"),
            ended: Family::default(),
            took: Family::new_with_constructor(histogram),
            waited: Family::new_with_constructor(histogram),
            running: Gauge::default(),
            queued: Gauge::default(),
            driving: Gauge::default(),
            watchers: Gauge::default(),
            degraded: Gauge::default(),
            requests: Family::default(),
            age: Family::default(),
            reachable: Family::default(),
        };
        let registry = &mut figures.registry;
        registry.register("operations", "Operations that ended here", figures.ended.clone());
        registry.register("operation_seconds", "From admission to the end", figures.took.clone());
        registry.register("operation_queue_seconds", "From submit to admission", figures.waited.clone());
        registry.register("operations_running", "Running, in the whole database", figures.running.clone());
        registry.register(
            "operations_queued",
            "Waiting to be admitted, in the whole database",
            figures.queued.clone(),
        );
        registry.register("operations_driven", "Driven by this daemon", figures.driving.clone());
        registry.register("watchers", "Streams that follow operations here", figures.watchers.clone());
        registry.register("degraded", "Things that lxcd goes on without for now", figures.degraded.clone());
        registry.register(
            "pve_requests",
            "Requests to Proxmox since the start, by what became of them",
            figures.requests.clone(),
        );
        registry.register(
            "poll_age_seconds",
            "Since the last complete answer of a remote",
            figures.age.clone(),
        );
        registry.register("remote_reachable", "1 when the remote answers", figures.reachable.clone());
        figures
    }

    fn count(&self, ended: &Ended) {
        let verb = Verb { verb: ended.verb.clone() };
        self.ended.get_or_create(&Operation { verb: ended.verb.clone(), state: ended.state }).inc();
        self.took.get_or_create(&verb).observe(ended.took.as_secs_f64());
        self.waited.get_or_create(&verb).observe(ended.waited.as_secs_f64());
    }

    /// Everything as it is now.
    async fn text(&self, services: &Services) -> Result<String, String> {
        let (running, queued) = services.store.operation_counts().await.map_err(|error| error.to_string())?;
        self.running.set(running.into());
        self.queued.set(queued.into());
        self.driving.set(i64::try_from(services.engine.driving()).unwrap_or(i64::MAX));
        self.watchers.set(services.bus.watchers().into());
        self.degraded.set(i64::try_from(services.degraded().len()).unwrap_or(i64::MAX));
        // Remotes that are gone have no figures any more.
        self.requests.clear();
        self.age.clear();
        self.reachable.clear();
        for remote in services.registry.all() {
            let own = services.registry.own_clients(&remote.row.installation);
            let clients = own.iter().chain([&remote.client]);
            for (class, outcome, times) in clients.flat_map(|client| client.counters().each()) {
                let remote = remote.row.name.clone();
                let asked = Asked { remote, what: class.as_str(), status: outcome.as_str() };
                self.requests.get_or_create(&asked).inc_by(i64::try_from(times).unwrap_or(i64::MAX));
            }
        }
        let now = services.now();
        for view in services.inventory.picture().values() {
            let remote = Remote { remote: view.name.clone() };
            self.reachable.get_or_create(&remote).set(i64::from(view.trouble.is_none()));
            if let Some(at) = view.polled {
                self.age.get_or_create(&remote).set(now.saturating_sub(at).max(0) as f64 / 1e6);
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| error.to_string())?;
        Ok(text)
    }
}

/// Opens the listener.
///
/// # Errors
/// LXC0212 when the address is taken or not this host's.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(Code::BadConfig, format!("cannot serve metrics on {address}"))
            .because(error.to_string())
            .hint_noted("metrics = \"127.0.0.1:9750\"", "another address or port, in the configuration")
    })
}

/// Answers `GET /metrics` until stopped.
pub async fn serve(listener: TcpListener, services: Services, stop: CancellationToken) {
    let figures = Arc::new(Figures::new());
    let mut ended = services.bus.ended();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = ended.recv() => match ended {
                Ok(ended) => figures.count(&ended),
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "operations were not counted"),
                Err(RecvError::Closed) => return,
            },
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, figures.clone(), services.clone()));
                }
                // Out of descriptors, most likely: others need them more.
                Err(error) => tracing::warn!(%error, "cannot answer about metrics"),
            },
        }
    }
}

async fn connection(stream: tokio::net::TcpStream, figures: Arc<Figures>, services: Services) {
    let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (figures, services) = (figures.clone(), services.clone());
        async move { Ok::<_, std::convert::Infallible>(reply(&request, &figures, &services).await) }
    });
    // Whoever asks half a request is not waited for.
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(std::time::Duration::from_secs(5))
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a question about metrics broke off");
    }
}

async fn reply<B>(request: &Request<B>, figures: &Figures, services: &Services) -> Response<Full<Bytes>> {
    let plain = |status: StatusCode, text: String| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response
    };
    if request.method() != hyper::Method::GET || request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "GET /metrics\n".to_owned());
    }
    match figures.text(services).await {
        Ok(text) => {
            let mut response = plain(StatusCode::OK, text);
            let kind = hyper::header::HeaderValue::from_static(TEXT);
            response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
            response
        }
        Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

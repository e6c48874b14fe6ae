//! The API: from a request to an answer.
//!
//! Owns the order Proxmox works in: format, authentication, path, privileges, node, parameters, endpoint.
//! Endpoints are plain functions over the model; waiting for a lock is done here.

mod access;
mod auth;
mod change;
mod cluster;
mod dispatch;
mod images;
mod lxc;
mod nodes;
mod params;
mod power;
mod route;
mod rows;
mod storage;
mod tasks;
#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use percent_encoding::percent_decode_str;

use super::auth::Identity;
use super::clock::Clock;
use super::fault::WireFault;
use super::model::{PATIENCE_MS, Record, World};
use super::reply::{Refusal, Reply};
use super::schema::{self, Endpoint, Params, Perm};
use super::wire::http::Request;
use super::wire::tls::CertificateInfo;

/// A running simulation, as every listener sees it.
#[derive(Debug)]
pub struct App {
    world: Mutex<World>,
    /// Model time.
    pub clock: Clock,
    /// The CA and each node's leaf.
    pub certificates: Vec<Vec<CertificateInfo>>,
}

/// What an endpoint is given.
pub(super) struct Call<'a> {
    /// Who calls; nobody on the few open endpoints.
    pub(super) who: Identity,
    /// Verified parameters.
    pub(super) params: Params,
    /// The node it is about (the one asked, where the path names none).
    pub(super) node: usize,
    /// The node that was asked.
    pub(super) asked: usize,
    /// Certificates by node.
    pub(super) certificates: &'a [Vec<CertificateInfo>],
}

type Answer = Result<Reply, Refusal>;

/// An answer, with what the ledger wants to know.
pub struct Outcome {
    /// The answer.
    pub reply: Reply,
    /// Method and path template.
    pub class: String,
    /// Who asked.
    pub who: String,
    /// Did it come from pvedaemon?
    pub through_daemon: bool,
}

impl Outcome {
    /// An answer that no endpoint gave.
    #[must_use]
    pub fn of(reply: Reply) -> Self {
        Self { reply, class: "other".to_owned(), who: String::new(), through_daemon: false }
    }

    /// A request that was lost before it had any effect.
    #[must_use]
    pub fn lost() -> Self {
        Self { class: "lost".to_owned(), ..Self::of(Reply::bare(0, "")) }
    }

    /// The UPID or the text of the error.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.reply.status != 200 {
            return String::from_utf8_lossy(&self.reply.reason).into_owned();
        }
        let body = self.reply.body.as_deref().unwrap_or_default();
        let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        parsed.and_then(|v| v["data"].as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl App {
    /// A simulation of `world`.
    #[must_use]
    pub fn new(world: World, clock: Clock, certificates: Vec<Vec<CertificateInfo>>) -> Self {
        Self { world: Mutex::new(world), clock, certificates }
    }

    /// Looks at the world as it is now, or changes it.
    pub fn world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock();
        world.advance(self.clock.now());
        let result = f(&mut world);
        let now = world.now();
        for spec in world.faults.take_fired() {
            world.ledger.note(now, Record::Fault { spec, what: "fired".to_owned() });
        }
        result
    }

    /// Can the node be reached?
    pub fn online(&self, node: usize) -> bool {
        self.world(|world| world.nodes.get(node).is_some_and(|n| n.online))
    }

    /// The fault ordered for a request.
    pub fn take_fault(&self, method: &str, path: &str) -> Option<WireFault> {
        self.world(|world| world.faults.take_request(method, path))
    }

    /// The nodes' time as a Date header.
    #[must_use]
    pub fn http_date(&self) -> String {
        let now = self.world(|world| world.wall.at(world.now()));
        let stamp = jiff::Timestamp::from_second(now).unwrap_or_default();
        stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// The path below `/api2/json`, decoded and with single slashes.
#[must_use]
pub fn api_path(path: &str) -> String {
    split(path).map_or_else(|| path.to_owned(), |(_, path)| path)
}

/// Format and path of an API request. Bytes of the path stand for themselves, as they do in Proxmox.
fn split(path: &str) -> Option<(String, String)> {
    let decoded: String = percent_decode_str(path).map(char::from).collect();
    let mut segments = decoded.split('/').filter(|s| !s.is_empty());
    (segments.next() == Some("api2")).then_some(())?;
    let format = segments.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = segments.collect();
    Some((format, format!("/{}", rest.join("/"))))
}

/// Answers a request that came to `asked`.
pub async fn respond(app: &App, asked: usize, request: &Request) -> Outcome {
    let Some((format, path)) = split(request.path()) else {
        return Outcome::of(outside(request.path()));
    };
    if format != "json" && format != "extjs" {
        let text = format!("no formatter for uri {path}, {format}");
        return Outcome::of(Reply::plain(501, &text, &text));
    }
    let deadline = app.clock.now() + PATIENCE_MS;
    let mut outcome = loop {
        match app.world(|world| once(app, world, asked, request, &path)) {
            Ok(outcome) => break outcome,
            Err(_) if app.clock.now() < deadline => app.clock.sleep(50).await,
            Err(timed_out) => break *timed_out,
        }
    };
    if format == "extjs" {
        outcome.reply = outcome.reply.into_extjs();
    }
    outcome
}

/// What lies outside the API: the web interface, of which there is none.
fn outside(path: &str) -> Reply {
    if path == "/" {
        let mut reply =
            Reply::plain(200, "OK", "<html><title>pvesim</title>pvesim has no web interface</html>\n");
        reply.content_type = Some("text/html; charset=UTF-8".to_owned());
        return reply;
    }
    let text = format!("no such file '{path}'");
    Reply::plain(404, &text, &text)
}

/// One attempt; `Err` is an answer that holds only if waiting for a lock is over.
fn once(
    app: &App,
    world: &mut World,
    asked: usize,
    request: &Request,
    path: &str,
) -> Result<Outcome, Box<Outcome>> {
    let (class, endpoint, captured) = match route::find(&request.method, path) {
        Some((endpoint, captured)) => {
            (format!("{} {}", endpoint.method, endpoint.path), Some(endpoint), captured)
        }
        None => ("unknown".to_owned(), None, Vec::new()),
    };
    let open = endpoint.is_some_and(|e| e.perm == Perm::World);
    let done = |reply: Reply, who: &str, through_daemon: bool| Outcome {
        reply,
        class: class.clone(),
        who: who.to_owned(),
        through_daemon,
    };
    let who = match auth::identify(world, request) {
        Ok(who) => who,
        Err(_) if open => Identity::from_auth_id(""),
        Err(text) => return Ok(done(Reply::bare(401, text).after(3000), "", false)),
    };
    let Some(endpoint) = endpoint else {
        let refusal = Refusal::NotImplemented(format!("{} {path}", request.method));
        return Ok(done(refusal.into_reply(), &who.auth_id, false));
    };
    let prepared = prepare(app, world, asked, request, endpoint, &captured, &who);
    let answered = prepared.and_then(|call| dispatch::run(world, endpoint.op, &call));
    let through_daemon = endpoint.protected && answered.is_ok();
    match answered {
        Ok(reply) => Ok(done(reply, &who.auth_id, through_daemon)),
        Err(refusal @ Refusal::Busy(_)) => Err(Box::new(done(refusal.into_reply(), &who.auth_id, false))),
        Err(refusal) => Ok(done(refusal.into_reply(), &who.auth_id, false)),
    }
}

/// Privileges, node, parameters: everything before the endpoint itself.
fn prepare<'a>(
    app: &'a App,
    world: &World,
    asked: usize,
    request: &Request,
    endpoint: &Endpoint,
    captured: &[(&'static str, String)],
    who: &Identity,
) -> Result<Call<'a>, Refusal> {
    let given = params::collect(request, captured)?;
    auth::permit(world, who, endpoint.perm, &given)?;
    if !endpoint.tokens && who.token.is_some() {
        let text = format!("URI '{}' not available with API token, need proper ticket.", endpoint.path);
        return Err(bare(403, &text, 0));
    }
    let node = match captured.iter().find(|(name, _)| *name == "node") {
        Some((_, name)) => target_node(world, asked, name)?,
        None => asked,
    };
    if endpoint.protected && world.nodes.get(node).is_some_and(|n| !n.daemon) {
        return Err(bare(595, "Connection refused", 0));
    }
    let params = schema::verify(endpoint.params, given)?;
    Ok(Call { who: who.clone(), params, node, asked, certificates: &app.certificates })
}

fn bare(status: u16, reason: &str, delay_ms: u64) -> Refusal {
    Refusal::Bare { status, reason: reason.to_owned(), delay_ms }
}

/// The node a request is handed on to.
fn target_node(world: &World, asked: usize, name: &str) -> Result<usize, Refusal> {
    let Some(node) = world.node_named(name, asked) else {
        return Err(Refusal::failed(format!(
            "hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
        )));
    };
    match world.nodes.get(node) {
        Some(n) if n.online || node == asked => Ok(node),
        _ => Err(bare(595, "No route to host", 3000)),
    }
}

//! Sends one recorded request to the simulator and compares the answer.
//!
//! Owns the substitutions: secrets, tickets, and task names, which differ from run to run. Time is a clock
//! turned by hand, by as much as passed between the recordings.

use std::collections::HashMap;

use serde_json::Value;

use super::{Exchange, arrange, listed, shape};
use crate::pvesim::api::{self, App};
use crate::pvesim::auth::{Access, TokenSpec};
use crate::pvesim::clock::Clock;
use crate::pvesim::fault::WireFault;
use crate::pvesim::model::node::TemplateFile;
use crate::pvesim::model::{Storage, World, WorldConfig};
use crate::pvesim::reply::{Refusal, Reply};
use crate::pvesim::wire::http::{self, Incoming};
use crate::pvesim::wire::tls;

/// A simulator in the state of the recorded installation.
pub(super) struct Replay {
    pub(super) app: App,
    upids: HashMap<String, String>,
    at: Option<f64>,
    /// (ticket, CSRF token) of root and worker.
    logins: HashMap<&'static str, (String, String)>,
}

fn world(nodes: &[&str]) -> World {
    let user = |spec| TokenSpec::user(spec).expect("user");
    // Without any grant: NoAccess on a path nobody asks for.
    let users =
        [user("root@pam=right"), user("worker@pve=right:NoAccess@/x"), user("nobody@pve=right:NoAccess@/x")];
    let mut access = Access::new("replay", &[], &users);
    access.acl.clear();
    for (user, id, privsep) in [
        ("root@pam", "lxcd", false),
        ("worker@pve", "t1", false),
        ("worker@pve", "sep", true),
        ("nobody@pve", "t1", false),
    ] {
        access.add_token(user, id, "right", privsep);
    }
    let template =
        |file: &str, size| TemplateFile { volid: format!("local:vztmpl/{file}"), size, ctime: 1_795_217_496 };
    let config = WorldConfig {
        nodes: nodes.iter().map(|n| (*n).to_owned()).collect(),
        cluster: None,
        seed: 42,
        speed: 1.0,
        epoch_ms: 1_795_217_825_000,
        storages: vec![Storage::local()],
        templates: vec![
            template("busybox-quick-1.37_amd64.tar.gz", 1_067_679),
            template("busybox-stubborn-1.37_amd64.tar.gz", 1_067_645),
            template("debian-12-standard_12.11-1_amd64.tar.zst", 55_496_732),
        ],
    };
    let mut world = World::new(&config, access);
    for node in &mut world.nodes {
        node.bridges = vec!["vmbr0".to_owned()];
        node.cpus = 2;
    }
    world
}

impl Replay {
    pub(super) fn new() -> Self {
        let nodes =
            [("pve".to_owned(), "10.66.0.1".to_owned()), ("deadnode".to_owned(), "10.66.0.2".to_owned())];
        let installation = tls::installation(&nodes, "replay", None).expect("certificates");
        let certificates =
            installation.nodes.iter().map(|n| vec![installation.ca.clone(), n.leaf.clone()]).collect();
        let mut world = world(&["pve"]);
        world.advance(0);
        let now = world.wall.at(0);
        let login = |user| world.access.login(user, "right", now).expect("login");
        let logins = HashMap::from([("root", login("root@pam")), ("worker", login("worker@pve"))]);
        let app = App::new(world, Clock::manual(), certificates);
        Self { app, upids: HashMap::new(), at: None, logins }
    }

    /// Lets the time of a recording pass.
    pub(super) fn skip(&mut self, exchange: &Exchange) {
        let passed = self.at.map_or(0.0, |at| (exchange.at - exchange.took - at).clamp(0.0, 600.0));
        if exchange.at > 0.0 {
            self.at = Some(exchange.at);
        }
        self.app.clock.turn((passed * 1000.0) as u64);
    }

    /// Lets the time pass that the recorded answer took longer than ours.
    fn catch_up(&self, exchange: &Exchange, before: u64) {
        let ours = self.app.clock.now() - before;
        self.app.clock.turn(((exchange.took * 1000.0) as u64).saturating_sub(ours));
    }

    /// Replays one exchange; the differences found.
    pub(super) async fn compare(&mut self, exchange: &Exchange) -> Vec<String> {
        self.skip(exchange);
        let unreachable = exchange.name.starts_with("node-unreachable");
        let mut other = world(&["pve", "deadnode"]);
        if unreachable {
            other.set_online(1, false);
            self.app.world(|w| std::mem::swap(w, &mut other));
        }
        arrange::before(self, exchange);
        let before = self.app.clock.now();
        let bytes = self.request(exchange);
        let mut stream: &[u8] = &bytes;
        let reply = match http::read(&mut stream, &mut Vec::new()).await.expect("readable") {
            Incoming::Refused(_, reply) => Some(reply),
            Incoming::Request(request) => {
                let path = api::api_path(request.path());
                match self.app.take_fault(&request.method, &path) {
                    Some(WireFault::Failed(text)) => Some(Refusal::failed(text).into_reply()),
                    _ => Some(api::respond(&self.app, 0, &request).await.reply),
                }
            }
            Incoming::TooMuchHeader | Incoming::Closed => None,
        };
        let found = self.differences(exchange, reply);
        self.catch_up(exchange, before);
        if unreachable {
            self.app.world(|w| std::mem::swap(w, &mut other));
        }
        found
    }

    fn differences(&mut self, exchange: &Exchange, reply: Option<Reply>) -> Vec<String> {
        let Some(reply) = reply else {
            return if exchange.status == 0 { Vec::new() } else { vec!["no answer".to_owned()] };
        };
        let mut found = Vec::new();
        if reply.status != exchange.status {
            found.push(format!("status {} instead of {}", reply.status, exchange.status));
        }
        // The recorder read the raw bytes of the reason phrase as UTF-8, so they are compared as such.
        let reason = String::from_utf8_lossy(&reply.reason).into_owned();
        if !same_text(&exchange.reason, &reason) {
            found.push(format!("reason '{reason}' instead of '{}'", exchange.reason));
        }
        if reply.content_type != exchange.content_type {
            found.push(format!(
                "content type {:?} instead of {:?}",
                reply.content_type, exchange.content_type
            ));
        }
        let ours = reply.body.unwrap_or_default();
        match (serde_json::from_str::<Value>(&exchange.answer), serde_json::from_slice::<Value>(&ours)) {
            (Ok(theirs), Ok(ours)) => {
                self.learn(&theirs, &ours);
                found.extend(shape::differences(&theirs, &ours, listed::shape_only(&exchange.name)));
            }
            (Err(_), Err(_)) if exchange.answer.trim_end() == String::from_utf8_lossy(&ours).trim_end() => {}
            _ => found.push(format!(
                "body '{}' instead of '{}'",
                String::from_utf8_lossy(&ours),
                exchange.answer
            )),
        }
        found
    }

    /// Remembers which of our tasks stands for the recorded one.
    fn learn(&mut self, theirs: &Value, ours: &Value) {
        if let (Some(theirs), Some(ours)) = (theirs["data"].as_str(), ours["data"].as_str())
            && theirs.starts_with("UPID:")
        {
            self.upids.insert(theirs.to_owned(), ours.to_owned());
        }
    }

    /// Lets one of our tasks stand for a recorded one.
    pub(super) fn stand_in(&mut self, recorded: &str, ours: String) {
        self.upids.insert(recorded.to_owned(), ours);
    }

    /// The task that stands for a recorded one.
    pub(super) fn upid(&self, recorded: &str) -> Option<&str> {
        self.upids.get(recorded).map(String::as_str)
    }

    fn request(&self, exchange: &Exchange) -> Vec<u8> {
        let mut path = exchange.path.clone();
        for (theirs, ours) in &self.upids {
            path = path.replace(&encode(theirs), &encode(ours)).replace(theirs.as_str(), ours);
        }
        let secret = if exchange.name.contains("wrong-secret") || exchange.name.contains("wrong-password") {
            "wrong"
        } else {
            "right"
        };
        let body = filled(&exchange.body).replace("<secret>", secret);
        let mut text = format!("{} {path} HTTP/1.1\r\n", exchange.method);
        for (name, value) in &exchange.headers {
            if name.eq_ignore_ascii_case("content-length") {
                continue;
            }
            let value = self.header(exchange, name, &filled(value).replace("<secret>", secret));
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        format!("{text}\r\n{body}").into_bytes()
    }

    /// Tickets and CSRF tokens are ours where the recording had valid ones.
    fn header(&self, exchange: &Exchange, name: &str, value: &str) -> String {
        let cookie = exchange.headers.iter().find(|(n, _)| n == "Cookie").map_or("", |(_, v)| v.as_str());
        let who = if cookie.contains("worker") { "worker" } else { "root" };
        let Some((ticket, csrf)) = self.logins.get(who) else { return value.to_owned() };
        match name {
            "Cookie" if exchange.name.contains("tampered") => {
                "PVEAuthCookie=PVE%3Aroot%40pam%3A0%3A%3Ax".to_owned()
            }
            "Cookie" => format!("PVEAuthCookie={}", ticket.replace(':', "%3A").replace('@', "%40")),
            "CSRFPreventionToken" if exchange.name.contains("bad-csrf") => "0:bad".to_owned(),
            "CSRFPreventionToken" => csrf.clone(),
            _ => value.to_owned(),
        }
    }
}

/// Writes out what the recording cut short: `xxx<... 9012 chars in all>`.
fn filled(text: &str) -> String {
    match text.split_once("<... ") {
        Some((head, rest)) => {
            let length = rest.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let last = head.chars().last().unwrap_or('x');
            head.chars().chain(std::iter::repeat(last)).take(length).collect()
        }
        None => text.to_owned(),
    }
}

/// A task's name as it stands in a path.
fn encode(upid: &str) -> String {
    upid.replace(':', "%3A").replace('@', "%40").replace('!', "%21")
}

/// The recorded process id in a text differs from ours.
fn same_text(theirs: &str, ours: &str) -> bool {
    let digits = |text: &str| -> String {
        match text.split_once("nsenter -t ") {
            Some((head, rest)) => format!("{head}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => text.to_owned(),
        }
    };
    digits(theirs) == digits(ours)
}

//! The control operations over plain HTTP on a loopback port.
//!
//! Owns paths and JSON forms. Never on a port that pretends to be Proxmox.

use std::io;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Control, ControlError, CtChange};
use crate::pvesim::CtSpec;
use crate::pvesim::api::App;
use crate::pvesim::wire::http::{self, Incoming, Request};

#[derive(Deserialize)]
#[serde(untagged)]
enum FaultBody {
    One { spec: String },
    Many { specs: Vec<String> },
}

#[derive(Deserialize)]
struct Foreign {
    verb: String,
    vmid: u32,
    #[serde(default = "somebody")]
    user: String,
}

fn somebody() -> String {
    "somebody@pam".to_owned()
}

#[derive(Deserialize)]
struct Skew {
    skew_seconds: i64,
}

/// Serves the control API until told to stop.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // A broken connection is the caller's business.
                _ = connection(&app, stream) => {}
            }
        });
    }
}

async fn connection(app: &App, mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let request = match http::read(&mut stream, &mut buffer).await? {
            Incoming::Request(request) | Incoming::Refused(request, _) => request,
            Incoming::Closed | Incoming::TooMuchHeader => return Ok(()),
        };
        let (status, reason, body) = match route(Control::new(app), &request) {
            Ok(Some(body)) => (200, "OK", body),
            Ok(None) => (404, "Not Found", json!({"error": "no such path"})),
            Err(error) => (400, "Bad Request", json!({"error": error.to_string()})),
        };
        let body = serde_json::to_vec(&body)?;
        let connection = if request.keep_alive() { "keep-alive" } else { "close" };
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        if !request.keep_alive() {
            return stream.shutdown().await;
        }
    }
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, ControlError> {
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(body).map_err(|e| ControlError::Bad(format!("bad body: {e}")))
}

/// One request; `None` is an unknown path.
fn route(control: Control<'_>, request: &Request) -> Result<Option<Value>, ControlError> {
    let done = || Ok(Some(json!({"ok": true})));
    let json =
        |value: serde_json::Result<Value>| value.map(Some).map_err(|e| ControlError::Bad(e.to_string()));
    let vmid =
        |text: &str| text.parse::<u32>().map_err(|_| ControlError::Bad(format!("'{text}' is no vmid")));
    let path: Vec<&str> = request.path().split('/').filter(|s| !s.is_empty()).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["ledger"]) => {
            let after = request.query().strip_prefix("after=").and_then(|n| n.parse().ok()).unwrap_or(0);
            json(serde_json::to_value(control.ledger(after)))
        }
        ("GET", ["counters"]) => json(serde_json::to_value(control.counters())),
        ("DELETE", ["counters"]) => {
            control.reset_counters();
            done()
        }
        ("GET", ["fault"]) => json(serde_json::to_value(control.faults())),
        ("POST", ["fault"]) => {
            let specs = match parse(request)? {
                FaultBody::One { spec } => vec![spec],
                FaultBody::Many { specs } => specs,
            };
            specs.iter().try_for_each(|spec| control.add_fault(spec))?;
            done()
        }
        ("DELETE", ["fault"]) => {
            control.clear_faults();
            done()
        }
        ("POST", ["node", name, what]) => control.node(name, what).and_then(|()| done()),
        ("GET", ["container"]) => json(serde_json::to_value(control.containers())),
        ("POST", ["container"]) => {
            let spec: CtSpec = parse(request)?;
            control.add_container(&spec).and_then(|()| done())
        }
        ("DELETE", ["container", id]) => control.remove_container(vmid(id)?).and_then(|()| done()),
        ("POST", ["container", id]) => {
            let change: CtChange = parse(request)?;
            control.change_container(vmid(id)?, &change).and_then(|()| done())
        }
        ("POST", ["foreign"]) => {
            let foreign: Foreign = parse(request)?;
            let upid = control.foreign(&foreign.verb, foreign.vmid, &foreign.user)?;
            Ok(Some(json!({"upid": upid})))
        }
        ("POST", ["task", upid, "kill"]) => {
            let upid = percent_decode_str(upid).decode_utf8_lossy();
            control.kill_task(&upid).and_then(|()| done())
        }
        ("POST", ["clock"]) => {
            let skew: Skew = parse(request)?;
            control.set_skew(skew.skew_seconds);
            done()
        }
        _ => Ok(None),
    }
}

//! The listener of one node.
//!
//! Owns connections: TLS, keep-alive and its limits, pauses, and what a fault does to an answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::http::{self, Incoming, MAX_REQUESTS, Request};
use crate::pvesim::api::{self, App};
use crate::pvesim::fault::WireFault;
use crate::pvesim::reply::{Refusal, Reply};

/// Accepts connections for `node` until told to stop.
pub async fn serve(
    app: Arc<App>,
    node: usize,
    listener: TcpListener,
    tls: TlsAcceptor,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (app, tls, stop) = (app.clone(), tls.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // A broken connection is the caller's business.
                _ = connection(&app, node, stream, tls) => {}
            }
        });
    }
}

async fn connection(app: &App, node: usize, stream: TcpStream, tls: TlsAcceptor) -> io::Result<()> {
    if !app.online(node) {
        return Ok(());
    }
    stream.set_nodelay(true)?;
    app.world(|world| world.ledger.counters.connections += 1);
    let mut first = [0u8; 1];
    let peeked = tokio::time::timeout(http::IDLE, stream.peek(&mut first)).await;
    match peeked {
        Err(_) | Ok(Ok(0)) => Ok(()),
        // A TLS handshake starts with 22; anything else is plain HTTP.
        Ok(Ok(_)) if first[0] == 22 => {
            let mut stream = tokio::time::timeout(http::IDLE, tls.accept(stream)).await??;
            let served = requests(app, node, &mut stream).await;
            // Dropped on purpose: no close_notify, like a crashed peer.
            if served? {
                stream.shutdown().await?;
            }
            Ok(())
        }
        Ok(Ok(_)) => redirect(app, stream).await,
        Ok(Err(error)) => Err(error),
    }
}

/// Plain HTTP is sent to https.
async fn redirect(app: &App, mut stream: TcpStream) -> io::Result<()> {
    if let Incoming::Request(request) | Incoming::Refused(request, _) =
        http::read(&mut stream, &mut Vec::new()).await?
    {
        let host = request.header("host").unwrap_or("localhost").to_owned();
        let mut reply = Reply::bare(301, "Moved Permanently");
        reply.headers.push(("Location".into(), format!("https://{host}{}", request.target)));
        let head = http::head(&reply, &app.http_date(), false, false, Some(0));
        stream.write_all(&head).await?;
        stream.shutdown().await?;
    }
    Ok(())
}

/// Answers requests until the connection ends; true if it ends in an orderly way.
async fn requests<S: AsyncRead + AsyncWrite + Unpin>(
    app: &App,
    node: usize,
    stream: &mut S,
) -> io::Result<bool> {
    let mut buffer = Vec::new();
    for served in 1..=MAX_REQUESTS {
        let (request, refused) = match http::read(stream, &mut buffer).await? {
            Incoming::Closed => return Ok(true),
            Incoming::TooMuchHeader => {
                app.clock.sleep(5000).await;
                return Ok(true);
            }
            Incoming::Refused(request, reply) => (request, Some(reply)),
            Incoming::Request(request) => (request, None),
        };
        if !app.online(node) {
            return Ok(false);
        }
        let keep_alive = request.keep_alive() && served < MAX_REQUESTS;
        match answer(app, node, &request, refused, keep_alive, stream).await? {
            After::Continue => {}
            After::Close => return Ok(true),
            After::Drop => return Ok(false),
        }
    }
    Ok(true)
}

#[derive(PartialEq, Eq)]
enum After {
    Continue,
    Close,
    Drop,
}

async fn answer<S: AsyncWrite + Unpin>(
    app: &App,
    node: usize,
    request: &Request,
    refused: Option<Reply>,
    keep_alive: bool,
    stream: &mut S,
) -> io::Result<After> {
    let path = api::api_path(request.path());
    let seq = arrived(app, request, &path);
    let fault = app.take_fault(&request.method, &path);
    let lost = matches!(fault, Some(WireFault::LostBefore));
    let outcome = match (&fault, refused) {
        (Some(WireFault::LostBefore), _) => api::Outcome::lost(),
        (Some(before), _) if let Some(reply) = instead(before) => api::Outcome::of(reply),
        (_, Some(reply)) => api::Outcome::of(reply),
        _ => api::respond(app, node, request).await,
    };
    let answered =
        !lost && !matches!(fault, Some(WireFault::LostAfter | WireFault::ResetBody | WireFault::Broken));
    done(app, seq, &outcome, answered);
    let (mut reply, through_daemon) = (outcome.reply, outcome.through_daemon);
    app.clock.sleep(reply.delay_ms).await;
    let mut announced = None;
    match fault {
        Some(WireFault::LostBefore | WireFault::LostAfter) => return Ok(After::Drop),
        Some(WireFault::Broken) => reply = Reply::bare(596, "Connection timed out"),
        Some(WireFault::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(WireFault::ResetBody) => announced = reply.body.as_ref().map(Vec::len),
        Some(WireFault::Truncated) => {
            if let Some(body) = reply.body.as_mut() {
                body.truncate(body.len() / 2);
            }
        }
        Some(WireFault::Html) => reply = html(),
        Some(WireFault::WrongTypes) => wrong_types(&mut reply),
        Some(WireFault::Huge) => reply.body = Some(huge()),
        _ => {}
    }
    let keep_alive = keep_alive && reply.status < 400;
    let length = announced.or(reply.body.as_ref().map(Vec::len));
    let mut bytes = http::head(&reply, &app.http_date(), keep_alive, through_daemon, length);
    let body = reply.body.unwrap_or_default();
    let sent = if announced.is_some() { &body[..body.len() / 2] } else { &body[..] };
    bytes.extend_from_slice(sent);
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(match (announced, keep_alive) {
        (Some(_), _) => After::Drop,
        (None, true) => After::Continue,
        (None, false) => After::Close,
    })
}

/// The answer a fault gives in place of the endpoint's, without any effect.
fn instead(fault: &WireFault) -> Option<Reply> {
    match fault {
        WireFault::Refused => Some(Reply::bare(595, "Connection refused")),
        WireFault::Failed(text) => Some(Refusal::failed(text).into_reply()),
        WireFault::NonAscii => {
            let mut reply = Refusal::failed("k\u{f6}nnte nicht \u{2718} \u{5931}\u{6557}").into_reply();
            reply.reason = "k\u{f6}nnte nicht \u{2718} \u{5931}\u{6557}".as_bytes().to_vec();
            Some(reply)
        }
        _ => None,
    }
}

fn html() -> Reply {
    let mut reply = Reply::plain(502, "Bad Gateway", "<html><body><h1>502 Bad Gateway</h1></body></html>\n");
    reply.content_type = Some("text/html".to_owned());
    reply
}

fn huge() -> Vec<u8> {
    let mut body = br#"{"data":""#.to_vec();
    body.resize(10 << 20, b'x');
    body.extend(br#""}"#);
    body
}

/// Numbers become strings and strings numbers, all the way down.
fn wrong_types(reply: &mut Reply) {
    fn twist(value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::Number(n) => Value::String(n.to_string()),
            Value::String(s) => Value::from(s.len()),
            Value::Array(list) => list.into_iter().map(twist).collect(),
            Value::Object(map) => map.into_iter().map(|(k, v)| (k, twist(v))).collect(),
            other => other,
        }
    }
    let parsed = reply.body.as_deref().and_then(|b| serde_json::from_slice(b).ok());
    if let Some(value) = parsed {
        reply.body = serde_json::to_vec(&twist(value)).ok();
    }
}

/// Mutating requests enter the ledger when they arrive; their place in it, if any.
fn arrived(app: &App, request: &Request, path: &str) -> Option<u64> {
    (request.method != "GET").then(|| {
        app.world(|world| {
            let now = world.now();
            world.ledger.open_request(now, &request.method, path)
        })
    })
}

/// What became of a request.
fn done(app: &App, seq: Option<u64>, outcome: &api::Outcome, answered: bool) {
    app.world(|world| {
        world.ledger.count(&outcome.class);
        if let Some(seq) = seq {
            let answer = (outcome.reply.status, outcome.summary());
            world.ledger.close_request(seq, &outcome.who, answer, answered);
        }
    });
}

//! HTTP/1.1 as Proxmox's server reads and writes it.
//!
//! Owns the bytes of one request and one answer, and the limits: 64 header lines, 8 KiB of them, 512 KiB of
//! body. Must not know what an answer means.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::pvesim::reply::Reply;

/// Idle connections are closed after this (real) time.
pub const IDLE: Duration = Duration::from_secs(5);
/// Requests answered on one connection.
pub const MAX_REQUESTS: usize = 100;
const MAX_HEAD: usize = 8192;
const MAX_HEADERS: usize = 64;
const MAX_BODY: usize = 512 * 1024;
/// What is still read of a body that is refused, so that the refusal is not lost in a reset.
const DRAIN: usize = 4 << 20;

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// Minor version of HTTP/1.
    pub minor: u8,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Does the caller want the connection to stay open?
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default().to_lowercase();
        if self.minor == 0 { connection.contains("keep-alive") } else { !connection.contains("close") }
    }

    /// Path without query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Query without the question mark.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, q)| q)
    }
}

/// What came from a connection.
#[derive(Debug)]
pub enum Incoming {
    /// A request.
    Request(Request),
    /// A request the server refuses before it looks at it.
    Refused(Request, Reply),
    /// More header than is allowed: closed after five seconds without a word.
    TooMuchHeader,
    /// Nothing more, or nothing in time.
    Closed,
}

/// Reads the next request. `buffer` keeps what was read beyond it.
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<Incoming> {
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end;
        }
        if buffer.len() > MAX_HEAD {
            return Ok(Incoming::TooMuchHeader);
        }
        match tokio::time::timeout(IDLE, stream.read_buf(buffer)).await {
            Err(_) | Ok(Ok(0)) => return Ok(Incoming::Closed),
            Ok(read) => read?,
        };
    };
    if end > MAX_HEAD {
        return Ok(Incoming::TooMuchHeader);
    }
    let head: Vec<u8> = buffer.drain(..end + 4).collect();
    let Some(mut request) = parse_head(&head) else { return Ok(Incoming::Closed) };
    if request.headers.len() >= MAX_HEADERS {
        return Ok(Incoming::TooMuchHeader);
    }
    let length: usize = request.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    while buffer.len() < length.min(DRAIN) {
        match tokio::time::timeout(IDLE, stream.read_buf(buffer)).await {
            Err(_) | Ok(Ok(0)) => return Ok(Incoming::Closed),
            Ok(read) => read?,
        };
    }
    request.body = buffer.drain(..length.min(DRAIN)).collect();
    Ok(match refusal(&request, length) {
        Some(reply) => Incoming::Refused(request, reply),
        None => Incoming::Request(request),
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn parse_head(head: &[u8]) -> Option<Request> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target, version) = (first.next()?, first.next()?, first.next()?);
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    // A version the server does not speak is told so; 9 marks it.
    let minor = match version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        _ => 9,
    };
    Some(Request { method: method.to_owned(), target: target.to_owned(), minor, headers, body: Vec::new() })
}

/// The refusals that need no look at the path.
fn refusal(request: &Request, length: usize) -> Option<Reply> {
    let plain = |status, text: &str| Some(Reply::plain(status, text, text));
    let method = request.method.as_str();
    if request.minor == 9 {
        return plain(506, "http protocol version not supported");
    }
    if !matches!(method, "GET" | "POST" | "PUT" | "DELETE") {
        return Some(Reply::bare(501, &format!("method '{method}' not available")));
    }
    if request.header("transfer-encoding").is_some_and(|t| t.contains("chunked")) {
        return plain(501, "chunked transfer encoding not supported");
    }
    if length > MAX_BODY {
        return plain(501, "for data too large");
    }
    if length > 0 && matches!(method, "GET" | "DELETE") {
        return plain(501, &format!("Unexpected content for method '{method}'"));
    }
    let kind = request.header("content-type").unwrap_or_default().to_owned();
    let known = ["", "application/x-www-form-urlencoded", "application/json"];
    let base = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    if matches!(method, "POST" | "PUT") && length > 0 && !known.contains(&base.as_str()) {
        return plain(506, &format!("upload 'Content-Type '{kind}' not implemented"));
    }
    None
}

/// The bytes of an answer. `date` is the node's own idea of the time.
#[must_use]
pub fn head(
    reply: &Reply,
    date: &str,
    keep_alive: bool,
    through_daemon: bool,
    length: Option<usize>,
) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} ", reply.status).into_bytes();
    // A line break in a reason phrase would end it early, so only the first line survives.
    out.extend(reply.reason.iter().copied().take_while(|b| *b != b'\n' && *b != b'\r'));
    let mut line = |name: &str, value: &str| out.extend(format!("\r\n{name}: {value}").into_bytes());
    line("Cache-Control", "max-age=0");
    // What came from pvedaemon carries its `close` along; the connection stays open nevertheless.
    if !keep_alive || through_daemon {
        line("Connection", "close");
    }
    if keep_alive {
        line("Connection", "Keep-Alive");
    }
    line("Date", date);
    line("Pragma", "no-cache");
    line("Server", "pve-api-daemon/3.0");
    if let Some(length) = length {
        line("Content-Length", &length.to_string());
    }
    if let Some(kind) = &reply.content_type {
        line("Content-Type", kind);
    }
    line("Expires", date);
    for (name, value) in &reply.headers {
        line(name, value);
    }
    out.extend(b"\r\n\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parse(bytes: &[u8]) -> Incoming {
        let mut stream = bytes;
        read(&mut stream, &mut Vec::new()).await.expect("readable")
    }

    #[tokio::test]
    async fn refusals_come_before_the_path_is_looked_at() {
        let cases: [(&str, u16, &str); 4] = [
            ("PATCH /x HTTP/1.1\r\n\r\n", 501, "method 'PATCH' not available"),
            (
                "DELETE /x HTTP/1.1\r\nContent-Length: 1\r\n\r\na",
                501,
                "Unexpected content for method 'DELETE'",
            ),
            (
                "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                501,
                "chunked transfer encoding not supported",
            ),
            (
                "PUT /x HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na",
                506,
                "upload 'Content-Type 'text/plain' not implemented",
            ),
        ];
        for (bytes, status, reason) in cases {
            match parse(bytes.as_bytes()).await {
                Incoming::Refused(_, reply) => {
                    assert_eq!((reply.status, reply.reason.as_slice()), (status, reason.as_bytes()));
                }
                other => panic!("{bytes}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn headers_are_limited() {
        let big = format!("GET / HTTP/1.1\r\nX-Big: {}\r\n\r\n", "y".repeat(9000));
        assert!(matches!(parse(big.as_bytes()).await, Incoming::TooMuchHeader));
    }

    #[tokio::test]
    async fn pipelined_requests_are_kept_apart() {
        let mut stream: &[u8] = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\n\r\n";
        let mut buffer = Vec::new();
        for (path, body) in [("/a", "xy"), ("/b", "")] {
            match read(&mut stream, &mut buffer).await.expect("readable") {
                Incoming::Request(r) => assert_eq!((r.path(), r.body.as_slice()), (path, body.as_bytes())),
                other => panic!("{other:?}"),
            }
        }
    }
}

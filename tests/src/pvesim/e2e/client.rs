//! A client of the simulator that sees every byte. Must not know what is right.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::pvesim::Sim;

/// A connection to one node.
pub(super) struct Client {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer as it came.
pub(super) struct Got {
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Client {
    pub(super) async fn connect(sim: &Sim, node: usize) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(sim.ready().ca_pem.as_bytes()).expect("CA")).expect("root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = sim.ready().nodes[node].url.trim_start_matches("https://").to_owned();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").expect("name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request; `None` if the connection ends without a whole answer.
    pub(super) async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Option<Got> {
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let text = format!("{method} /api2/json{path} HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n{body}");
        self.stream.write_all(text.as_bytes()).await.ok()?;
        self.answer().await
    }

    async fn answer(&mut self) -> Option<Got> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let length = head.split("Content-Length: ").nth(1).and_then(|l| l.split("\r\n").next()?.parse().ok());
        let length: usize = length.unwrap_or(0);
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
        let body = self.buffer.drain(..length).collect();
        Some(Got { line: head.lines().next().unwrap_or_default().to_owned(), head, body })
    }
}

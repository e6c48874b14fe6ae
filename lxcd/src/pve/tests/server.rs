//! The smallest server that can misbehave as pveproxy and everything in front of it do: TLS, then one
//! scripted reply per request. Must not understand any path.

use lxc_core::pve::Fingerprint;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::pve::ApiUrl;

/// What happens to one request once it has arrived whole.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These bytes; the connection stays open.
    Raw(Vec<u8>),
    /// These bytes, then the connection is cut without a word of TLS.
    Cut(Vec<u8>),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// A complete answer.
    pub(super) fn full(status_line: &str, body: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {status_line}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into())
    }

    /// 200 with `{"data":…}`.
    pub(super) fn data(json: &str) -> Self {
        Self::full("200 OK", &format!("{{\"data\":{json}}}"))
    }
}

/// How the certificate comes about.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Issued to another host, and long expired.
    pub(super) strange: bool,
    /// The server does not hold the key of the certificate it shows.
    pub(super) stolen: bool,
}

pub(super) struct Server {
    pub(super) url: ApiUrl,
    pub(super) fingerprint: Fingerprint,
    pub(super) ca_pem: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    arrived: Arc<Notify>,
}

impl Server {
    pub(super) async fn start(replies: Vec<Reply>) -> Self {
        Self::shaped(Shape::default(), replies).await
    }

    pub(super) async fn shaped(shape: Shape, replies: Vec<Reply>) -> Self {
        let (config, leaf, ca_pem) = certify(shape);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(VecDeque::from(replies)));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let arrived = Arc::new(Notify::new());
        let (count, seen, bell) = (Arc::clone(&connections), Arc::clone(&requests), Arc::clone(&arrived));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
                let (seen, bell) = (Arc::clone(&seen), Arc::clone(&bell));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, &script, &seen, &bell).await;
                    }
                });
            }
        });
        Self { url, fingerprint: Fingerprint::of(&leaf), ca_pem, connections, requests, arrived }
    }

    /// Connections accepted so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until a request has arrived whole since the last time this was asked.
    pub(super) async fn a_request(&self) {
        self.arrived.notified().await;
    }

    /// Requests that arrived whole, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

fn certify(shape: Shape) -> (ServerConfig, CertificateDer<'static>, String) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(DnType::CommonName, "Test Cluster Manager CA");
    let issuer = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();

    let name = if shape.strange { "elsewhere.example" } else { "127.0.0.1" };
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "pve1.lan");
    if shape.strange {
        leaf.not_after = rcgen::date_time_ymd(2001, 1, 1);
        leaf.not_before = rcgen::date_time_ymd(2000, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap().der().clone();

    let shown = if shape.stolen { KeyPair::generate().unwrap() } else { key };
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(shown.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    let signer = provider.key_provider.load_private_key(private).unwrap();
    // Not `with_single_cert`, which would notice a key that does not belong to the certificate.
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate.clone()], signer));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    (config, certificate, issuer.pem())
}

async fn serve(
    mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    script: &Mutex<VecDeque<Reply>>,
    seen: &Mutex<Vec<String>>,
    bell: &Notify,
) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().push(request);
        bell.notify_one();
        let next = script.lock().pop_front();
        match next {
            Some(Reply::Raw(bytes)) => {
                if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Some(Reply::Cut(bytes)) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.flush().await;
                return;
            }
            Some(Reply::Silence) => std::future::pending().await,
            None => panic!("a request more than the script has replies"),
        }
    }
}

async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

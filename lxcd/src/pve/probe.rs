//! A look at the certificate of a URL before anything is trusted. Owns the one connection that ends
//! right after its handshake; must not send a byte of HTTP, let alone a secret.

use std::sync::Arc;
use std::time::Duration;

use lxc_core::error::Error;
use lxc_core::ports::PveError;
use lxc_core::pve::{Certificate, Fingerprint};
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::tls::{self, CaBundle, Trust, Verifier};
use super::url::ApiUrl;

/// The connection, then the handshake, may take this long each.
const PATIENCE: Duration = Duration::from_secs(5);

fn read(der: &[u8], vouched: bool) -> Certificate {
    let parsed = X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate);
    let common_name = |name: &X509Name<'_>| {
        let text = name.iter_common_name().next().and_then(|cn| cn.as_str().ok()).unwrap_or_default();
        // It is shown on a terminal before anybody trusts it.
        text.chars().filter(|c| !c.is_control()).take(200).collect::<String>()
    };
    Certificate {
        fingerprint: Fingerprint::of(der),
        subject: parsed.as_ref().map(|c| common_name(c.subject())).unwrap_or_default(),
        issuer: parsed.as_ref().map(|c| common_name(c.issuer())).unwrap_or_default(),
        not_after: parsed.map(|c| c.validity().not_after.timestamp().saturating_mul(1_000_000)),
        vouched,
    }
}
/// Shakes hands with a URL, reports its certificate and hangs up. The peer has proven that it holds
/// the certificate's key; whether to trust it is for the caller to ask somebody.
///
/// # Errors
/// `NotDelivered` when there is no connection or no TLS behind it.
pub async fn probe(url: &ApiUrl, ca: Option<&CaBundle>) -> Result<Certificate, PveError> {
    let lost = |why: String| PveError::NotDelivered(format!("{}: {why}", url.authority()));
    let internal = |error: Error| PveError::NotDelivered(error.to_string());
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| lost(error.to_string()))?;
    let verifier = Verifier::new(Trust { pins: Vec::new(), ca: ca.cloned() });
    let looker = Arc::new(Looker { verifier, seen: Mutex::default() });
    let config = tls::config_with(Arc::clone(&looker) as Arc<dyn ServerCertVerifier>).map_err(internal)?;

    let stream = timeout(PATIENCE, TcpStream::connect((url.host(), url.port())))
        .await
        .map_err(|_| lost("no connection within 5 s".to_owned()))?
        .map_err(|error| lost(error.to_string()))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    timeout(PATIENCE, connector.connect(name, stream))
        .await
        .map_err(|_| lost("no TLS handshake within 5 s".to_owned()))?
        .map_err(|error| lost(format!("no TLS there: {error}")))?;

    let seen = looker.seen.lock().take();
    seen.ok_or_else(|| lost("no certificate was shown".to_owned()))
}

/// Accepts every certificate of a connection that carries nothing, and remembers it.
#[derive(Debug)]
struct Looker {
    verifier: Verifier,
    seen: Mutex<Option<Certificate>>,
}

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let vouched = self.verifier.vouched(end_entity, intermediates, server_name, now);
        *self.seen.lock() = Some(read(end_entity, vouched));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

//! Whom to believe on the other end of TLS: a pinned certificate, else one the remote's CA or the
//! system store vouches for, else nobody. Owns the verifier and the client configuration; there is no
//! way to switch verification off, and none must be added.

use lxc_core::pve::Fingerprint;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use lxc_core::error::{Code, Error};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

/// The one provider; named everywhere, never installed as the process default.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

/// What vouches for certificates without a pin.
type Roots = Arc<WebPkiServerVerifier>;

/// The CA of one remote, from a PEM file its owner gave.
#[derive(Clone)]
pub struct CaBundle {
    roots: Roots,
}

impl CaBundle {
    /// Reads one or more PEM certificates.
    ///
    /// # Errors
    /// LXC0214 when there is none in it, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let bad = |why: String| {
            Error::new(Code::BadValue, "the CA cannot be used")
                .because(why)
                .hint_noted("cat /etc/pve/pve-root-ca.pem", "on a Proxmox node, shows its own")
        };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| bad(format!("not PEM: {error}")))?;
            store.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        if store.is_empty() {
            return Err(bad("there is no BEGIN CERTIFICATE in it".to_owned()));
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&PROVIDER))
            .build()
            .map(|roots| Self { roots })
            .map_err(|error| bad(error.to_string()))
    }
}

impl fmt::Debug for CaBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaBundle")
    }
}

/// What makes the certificate of one URL acceptable.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Certificates confirmed by a person or learned over a pinned connection. For these, name and
    /// expiry do not matter.
    pub pins: Vec<Fingerprint>,
    /// Asked instead of the system store when no pin matches.
    pub ca: Option<CaBundle>,
}

/// The system's trusted roots, read at the first certificate that has no pin: a remote whose pins
/// match never pays for them. None on a machine without any.
fn system_roots() -> Option<&'static Roots> {
    static SYSTEM: OnceLock<Option<Roots>> = OnceLock::new();
    SYSTEM
        .get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::debug!(%error, "a part of the system's certificate store cannot be read");
            }
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return None;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&PROVIDER)).build().ok()
        })
        .as_ref()
}

/// What the handshake fails with, and [`untrusted`] finds again under all the wrapping.
#[derive(Debug)]
struct NotTrusted(Fingerprint);

impl fmt::Display for NotTrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate {} is neither pinned nor vouched for", self.0)
    }
}

impl StdError for NotTrusted {}

/// The fingerprint of the certificate that made a connection fail, when that is why it failed.
pub(super) fn untrusted(error: &(dyn StdError + 'static)) -> Option<Fingerprint> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner)))) =
            error.downcast_ref::<rustls::Error>()
        {
            return inner.downcast_ref::<NotTrusted>().map(|found| found.0);
        }
        // An io::Error names the source of what it wraps as its own, and so skips a level.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Applies a [`Trust`] to a handshake.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
}

impl Verifier {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust }
    }

    /// Whether the remote's CA, or without one the system store, stands for a certificate.
    pub(super) fn vouched(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let roots = match &self.trust.ca {
            Some(ca) => Some(&ca.roots),
            None => system_roots(),
        };
        roots
            .is_some_and(|roots| roots.verify_server_cert(certificate, intermediates, name, &[], now).is_ok())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = Fingerprint::of(end_entity);
        let pinned = self.trust.pins.contains(&fingerprint);
        if pinned || self.vouched(end_entity, intermediates, server_name, now) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotTrusted(fingerprint)))).into())
    }

    // A pin says which certificate; that the peer holds its key is proven here, pinned or not.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS 1.2 and 1.3 with a verifier of ours; no ALPN, because pveproxy has none.
///
/// # Errors
/// LXC0107 if the provider lacks those versions, which a build decides once.
pub(super) fn config_with(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Code::Internal, "TLS cannot be set up").because(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // One host per configuration; the default keeps room for 256. Tickets matter: an answer of
    // pvedaemon's ends its connection, so most questions shake hands anew.
    config.resumption = rustls::client::Resumption::in_memory_sessions(4);
    Ok(config)
}

/// The configuration for talking to one URL.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, Error> {
    config_with(Arc::new(Verifier::new(trust.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_ca() {
        for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
            assert_eq!(CaBundle::from_pem(pem).unwrap_err().code, Code::BadValue);
        }
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(CaBundle::from_pem(key.as_bytes()).is_err());
    }

    #[test]
    fn finds_the_fingerprint_under_io_errors() {
        let fingerprint = Fingerprint::of(b"x");
        let tls: rustls::Error =
            CertificateError::Other(OtherError(Arc::new(NotTrusted(fingerprint)))).into();
        let io = std::io::Error::new(std::io::ErrorKind::InvalidData, tls);
        let wrapped = std::io::Error::other(io);
        assert_eq!(untrusted(&wrapped), Some(fingerprint));
        assert_eq!(untrusted(&std::io::Error::other("else")), None);
    }
}

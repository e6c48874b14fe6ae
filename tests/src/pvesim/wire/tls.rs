//! Certificates: one installation CA, one leaf per node.
//!
//! Owns keys and their files. With a state directory a restarted simulator is the same installation.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

/// One certificate as `certificates/info` shows it.
#[derive(Debug, Clone)]
pub struct CertificateInfo {
    /// `pve-root-ca.pem` or `pve-ssl.pem`.
    pub filename: &'static str,
    /// The certificate.
    pub pem: String,
    /// SHA-256 in upper-case hex with colons.
    pub fingerprint: String,
    /// Subject in OpenSSL's one-line form.
    pub subject: String,
    /// Issuer in OpenSSL's one-line form.
    pub issuer: String,
    /// Alternative names.
    pub san: Vec<String>,
}

/// What one node serves.
pub struct NodeTls {
    /// Server side of its listener.
    pub config: Arc<ServerConfig>,
    /// Its leaf.
    pub leaf: CertificateInfo,
}

/// An installation's certificates.
pub struct Installation {
    /// The CA.
    pub ca: CertificateInfo,
    /// The nodes in order.
    pub nodes: Vec<NodeTls>,
}

/// The SHA-256 of a certificate as Proxmox writes it.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(der).iter().map(|b| format!("{b:02X}")).collect();
    bytes.join(":")
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// Reads a file of the state directory, or makes its content and keeps it.
fn kept(dir: Option<&Path>, name: &str, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    let Some(dir) = dir else { return make() };
    let path = dir.join(name);
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(dir)?;
            let text = make()?;
            std::fs::write(&path, &text)?;
            Ok(text)
        }
        read => read,
    }
}

fn key(dir: Option<&Path>, name: &str) -> io::Result<KeyPair> {
    let pem = kept(dir, name, || Ok(KeyPair::generate().map_err(invalid)?.serialize_pem()))?;
    KeyPair::from_pem(&pem).map_err(invalid)
}

fn validity(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
}

/// Makes or loads the certificates of an installation. `uuid` names a new one.
pub fn installation(nodes: &[(String, String)], uuid: &str, dir: Option<&Path>) -> io::Result<Installation> {
    let uuid = kept(dir, "uuid", || Ok(uuid.to_owned()))?;
    let ca_subject = format!("/CN=Proxmox Virtual Environment/OU={uuid}/O=PVE Cluster Manager CA");
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Proxmox Virtual Environment");
    name.push(DnType::OrganizationalUnitName, uuid.as_str());
    name.push(DnType::OrganizationName, "PVE Cluster Manager CA");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params);
    let issuer = CertifiedIssuer::self_signed(params, key(dir, "pve-root-ca.key")?).map_err(invalid)?;
    // Signatures are not deterministic: the certificate itself has to be kept, not only its key.
    let ca_pem = kept(dir, "pve-root-ca.pem", || Ok(issuer.pem()))?;
    let ca_der = der_of(&ca_pem)?;
    let ca = CertificateInfo {
        filename: "pve-root-ca.pem",
        fingerprint: fingerprint(&ca_der),
        pem: ca_pem,
        subject: ca_subject.clone(),
        issuer: ca_subject,
        san: Vec::new(),
    };
    let nodes = nodes
        .iter()
        .map(|(node, ip)| node_tls(node, ip, &issuer, &ca, dir))
        .collect::<io::Result<Vec<NodeTls>>>()?;
    Ok(Installation { ca, nodes })
}

fn node_tls(
    node: &str,
    ip: &str,
    issuer: &CertifiedIssuer<'_, KeyPair>,
    ca: &CertificateInfo,
    dir: Option<&Path>,
) -> io::Result<NodeTls> {
    let key = key(dir, &format!("{node}.key"))?;
    let san: Vec<String> = ["127.0.0.1", "::1", "localhost", ip, node].map(str::to_owned).into();
    let pem = kept(dir, &format!("{node}.pem"), || {
        let mut params = CertificateParams::new(san.clone()).map_err(invalid)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationalUnitName, "PVE Cluster Node");
        name.push(DnType::OrganizationName, "Proxmox Virtual Environment");
        name.push(DnType::CommonName, node);
        params.distinguished_name = name;
        validity(&mut params);
        Ok(params.signed_by(&key, issuer).map_err(invalid)?.pem())
    })?;
    let leaf_der = der_of(&pem)?;
    let chain = vec![CertificateDer::from(leaf_der.clone()), CertificateDer::from(der_of(&ca.pem)?)];
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(invalid)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(invalid)?;
    let leaf = CertificateInfo {
        filename: "pve-ssl.pem",
        fingerprint: fingerprint(&leaf_der),
        pem,
        subject: format!("/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={node}"),
        issuer: ca.subject.clone(),
        san,
    };
    Ok(NodeTls { config: Arc::new(config), leaf })
}

fn der_of(pem: &str) -> io::Result<Vec<u8>> {
    let (_, parsed) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(invalid)?;
    Ok(parsed.contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_installation_is_the_same_after_a_restart() {
        let dir = tempfile::tempdir().expect("directory");
        let nodes = [("a".to_owned(), "10.66.0.1".to_owned())];
        let one = installation(&nodes, "u1", Some(dir.path())).expect("made");
        let two = installation(&nodes, "u2", Some(dir.path())).expect("loaded");
        assert_eq!(one.ca.fingerprint, two.ca.fingerprint);
        assert_eq!(one.nodes[0].leaf.fingerprint, two.nodes[0].leaf.fingerprint);
        let other = installation(&nodes, "u1", None).expect("made");
        assert_ne!(one.ca.fingerprint, other.ca.fingerprint);
    }
}

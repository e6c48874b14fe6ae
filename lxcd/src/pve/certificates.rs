//! `/nodes/N/certificates/info`: what identifies an installation and what its nodes serve. Owns the
//! reading; must not trust anything because of it (`tls`).

use lxc_core::ids::{Installation, Micros};
use lxc_core::ports::PveError;
use lxc_core::pve::Fingerprint;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use super::answer::Answer;
use super::client::{PveClient, segment};
use super::metrics::Class;
use super::scalar::Scalar;
use super::transport::{Request, SMALL};

/// Signs every node's own certificate; made once, with the installation.
const ROOT: &str = "pve-root-ca.pem";
/// What pveproxy serves, first choice first.
const LEAVES: [&str; 2] = ["pveproxy-ssl.pem", "pve-ssl.pem"];

/// The certificates of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCertificates {
    /// The installation the node belongs to.
    pub installation: Installation,
    /// What the node serves on port 8006; None when it did not say.
    pub leaf: Option<Leaf>,
}

/// A certificate that a node serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// What a pin is made of.
    pub fingerprint: Fingerprint,
    /// End of its validity, where that was said.
    pub not_after: Option<Micros>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    filename: Scalar,
    pem: Scalar,
    fingerprint: Scalar,
    notafter: Scalar,
}

impl Row {
    /// Of the certificate itself; of the word about it when only that is there.
    fn leaf(self) -> Option<Leaf> {
        let pem = self.pem.text().unwrap_or_default();
        let fingerprint = match CertificateDer::from_pem_slice(pem.as_bytes()) {
            Ok(der) => Fingerprint::of(&der),
            Err(_) => self.fingerprint.text()?.parse().ok()?,
        };
        let seconds = self.notafter.amount().and_then(|seconds| i64::try_from(seconds).ok());
        Some(Leaf { fingerprint, not_after: seconds.map(|seconds| seconds.saturating_mul(1_000_000)) })
    }
}

pub(super) fn read(answer: Answer<'_>) -> Result<NodeCertificates, PveError> {
    let rows: Vec<Row> = answer.rows()?;
    let mut named: Vec<(String, Leaf)> = rows
        .into_iter()
        .filter_map(|mut row| Some((std::mem::take(&mut row.filename).text()?, row.leaf()?)))
        .collect();
    named.dedup();
    let of = |name: &str| named.iter().find(|(file, _)| file == name).map(|(_, leaf)| *leaf);
    let root = of(ROOT).ok_or_else(|| answer.garbage("certificates without the installation's own"))?;
    Ok(NodeCertificates {
        installation: Installation(root.fingerprint.hex()),
        leaf: LEAVES.iter().find_map(|name| of(name)),
    })
}

impl PveClient {
    /// The installation a node belongs to, and the certificate it serves. Every token may ask.
    ///
    /// # Errors
    /// `Garbage` when the node has no root certificate; else as any question.
    pub async fn root_ca(&self, node: &str) -> Result<NodeCertificates, PveError> {
        let path = format!("/nodes/{}/certificates/info", segment(node));
        let request = Request { class: Class::Certificates, node, path: &path, limit: SMALL };
        read(self.transport.get(request).await?.answer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_back_to_the_word_about_it() {
        let print = Fingerprint::of(b"root");
        let json = format!(
            "{{\"data\":[{{\"filename\":\"pve-ssl.pem\",\"fingerprint\":\"{}\",\"notafter\":1835601600}},
             {{\"filename\":\"pve-root-ca.pem\",\"fingerprint\":\"{print}\",\"pem\":\"broken\"}}]}}",
            Fingerprint::of(b"leaf")
        );
        let answer = Answer { from: "h:1", status: 200, reason: "OK", body: json.as_bytes() };
        let found = read(answer).unwrap();
        assert_eq!(found.installation.0, print.hex());
        let not_after = Some(1_835_601_600_000_000);
        assert_eq!(found.leaf, Some(Leaf { fingerprint: Fingerprint::of(b"leaf"), not_after }));
        let none = Answer { body: b"{\"data\":[]}", ..answer };
        assert!(matches!(read(none), Err(PveError::Garbage(_))));
    }
}

//! Certificates as people are shown them, and their SHA-256 fingerprints: the one spelling we show and the ones we
//! accept. Must not decide what is trusted.

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error};
use crate::ids::Micros;
use sha2::{Digest, Sha256};

/// SHA-256 of a certificate's DER. Written as Proxmox writes it: `8F:1E:…`, 32 pairs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Lower-case hex without separators, as installations are named.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// With or without colons, spaces and a leading `SHA256:` or `sha256 Fingerprint=`.
    ///
    /// # Errors
    /// LXC0214 when it is not 32 bytes of hex.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || {
            Error::new(Code::BadValue, "not a SHA-256 fingerprint")
                .because("expected 64 hex digits, with or without colons")
                .hint_noted(
                    "openssl x509 -in /etc/pve/local/pve-ssl.pem -noout -fingerprint -sha256",
                    "on the node",
                )
        };
        let rest = text.trim();
        let rest = rest.rsplit_once('=').map_or(rest, |(_, value)| value);
        let prefixed = rest.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sha256:"));
        let rest = if prefixed { &rest[7..] } else { rest };
        let digits: String = rest.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| bad())?;
        Ok(Self(bytes))
    }
}

/// What a URL showed in its handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the certificate, what a pin is made of.
    pub fingerprint: Fingerprint,
    /// Common name it was issued to; empty when it has none.
    pub subject: String,
    /// Common name of who issued it; empty when it has none.
    pub issuer: String,
    /// End of its validity, UTC.
    pub not_after: Option<Micros>,
    /// The given CA, or else the system store, vouches for it under the URL's name, now.
    pub vouched: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_paste() {
        let shown = Fingerprint::of(b"certificate").to_string();
        assert_eq!(shown.len(), 32 * 3 - 1);
        let bare = shown.replace(':', "").to_lowercase();
        for text in [
            shown.clone(),
            bare.clone(),
            format!("SHA256:{bare}"),
            format!("sha256:{shown}"),
            format!(" sha256 Fingerprint={shown}\n"),
        ] {
            assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "AB", &bare[1..], &format!("{bare}00"), "ä", "sha256:"] {
            assert_eq!(text.parse::<Fingerprint>().unwrap_err().code, Code::BadValue, "{text}");
        }
    }
}

//! What the URL of Redis means: where it is, and whose certificate it has to show. Owns the reading of the CA's
//! file; must not repeat the URL, which may hold a password.

use lxc_core::error::Error;
use redis::{Client, TlsCertificates};

use super::unusable;

/// Names the file with the CA, as in the URL of Postgres. Without it, the system's CAs vouch for the server.
const CA: &str = "sslrootcert";

/// Who connects to it.
///
/// # Errors
/// LXC0212 for a URL that cannot be one, and for a CA that cannot be read.
pub(super) fn client(url: &str) -> Result<Client, Error> {
    let bad = |error: redis::RedisError| unusable(error.category());
    let Some(path) = ca(url) else { return Client::open(url).map_err(bad) };
    if !url.starts_with("rediss://") {
        return Err(unusable(format!(
            "{CA} needs a URL that begins with rediss://, which is Redis with TLS"
        )));
    }
    let pem = std::fs::read_to_string(&path).map_err(|error| unusable(format!("its CA {path}: {error}")))?;
    // None at all would refuse every server, and say something else.
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(unusable(format!("its CA {path}: there is no certificate in it")));
    }
    let trusted = TlsCertificates { client_tls: None, root_cert: Some(pem.into_bytes()) };
    Client::build_with_tls(url, trusted)
        .map_err(|error| unusable(format!("its CA {path}, or the URL: {}", error.category())))
}

/// The CA's file, where the URL names one.
fn ca(url: &str) -> Option<String> {
    let url = redis::parse_redis_url(url)?;
    let found = url.query_pairs().find(|(name, _)| name == CA);
    found.map(|(_, path)| path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(url: &str) -> String {
        client(url).expect_err("cannot be used").to_string()
    }

    #[test]
    fn a_ca_is_read_at_once_and_only_for_tls() {
        assert!(client("rediss://cache.lan").is_ok());
        assert!(why("redis://cache.lan?sslrootcert=/ca.pem").contains("rediss://"));
        let secret = why("rediss://lxcd:s3cret@cache.lan?sslrootcert=/nowhere/ca.pem");
        assert!(secret.contains("/nowhere/ca.pem") && !secret.contains("s3cret"), "{secret}");
        let file = tempfile::NamedTempFile::new().expect("a file");
        let name = file.path().display().to_string();
        assert!(why(&format!("rediss://cache.lan?sslrootcert={name}")).contains("no certificate"));
    }
}

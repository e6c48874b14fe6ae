//! The address of an API as people write it. Owns what is accepted and how it is spelled afterwards;
//! must not resolve or contact it.

use std::fmt;
use std::str::FromStr;

use lxc_core::error::{Code, Error};

/// Where pveproxy listens unless told otherwise.
const DEFAULT_PORT: u16 = 8006;

/// `https://host:port`: scheme, host and port, nothing else. Equal iff it is the same address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiUrl {
    host: String,
    port: u16,
}

impl ApiUrl {
    /// Host name or address, lower case; IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}:{}", self.host, self.port)
    }
}

/// An error that never repeats what was typed before an `@`: it may be a password. A URL as its only advice
/// stands for the one that was typed.
fn bad(message: &str) -> Error {
    Error::new(Code::BadUrl, message)
}

impl FromStr for ApiUrl {
    type Err = Error;

    /// # Errors
    /// LXC0213, saying what is wrong and, where it can be guessed, how to write it.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            let error =
                bad("a URL needs its scheme, https://").because("Proxmox serves its API on port 8006");
            return Err(match format!("https://{text}").parse::<Self>() {
                Ok(url) => error.hint(url.to_string()),
                Err(_) => error,
            });
        };
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" => {
                let error = bad("plain http is refused: the token would travel unprotected")
                    .because("Proxmox speaks TLS on port 8006, and redirects plain http to it");
                return Err(match format!("https://{rest}").parse::<Self>() {
                    Ok(url) => error.hint(url.to_string()),
                    Err(_) => error,
                });
            }
            _ => return Err(bad("only https:// URLs can be a Proxmox API")),
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(bad("a URL must not carry a user or password")
                .because("the token id goes to --token-id, its secret is asked for"));
        }
        let url = read_authority(authority)?;
        if !matches!(tail, "" | "/") {
            return Err(bad("a URL ends with host and port")
                .because("the path is the API's own, and links copied from the browser carry more")
                .hint(url.to_string()));
        }
        Ok(url)
    }
}

fn read_authority(authority: &str) -> Result<ApiUrl, Error> {
    if authority.is_empty() || authority.starts_with(':') {
        return Err(bad("a URL needs a host"));
    }
    let after_host = authority.rfind(']').map_or(authority, |end| &authority[end + 1..]);
    let port =
        match after_host.rsplit_once(':') {
            None => DEFAULT_PORT,
            Some((_, digits)) => digits.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(|| {
                bad("the port must be a number from 1 to 65535").because("Proxmox uses 8006")
            })?,
        };
    // The standard's own parser knows about brackets, percent signs and international names.
    let parsed = reqwest::Url::parse(&format!("https://{authority}/"))
        .map_err(|error| bad("the host cannot be read").because(error.to_string()))?;
    let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("a URL needs a host"))?;
    Ok(ApiUrl { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises() {
        let cases = [
            ("https://pve1.lan", "https://pve1.lan:8006"),
            ("https://PVE1.lan:8006/", "https://pve1.lan:8006"),
            ("  HTTPS://10.0.0.2:443\n", "https://10.0.0.2:443"),
            ("https://[FD00::1]:8006", "https://[fd00::1]:8006"),
            ("https://[fd00::1]", "https://[fd00::1]:8006"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<ApiUrl>().unwrap().to_string(), expected, "{text}");
        }
        assert_eq!("https://[fd00::1]".parse::<ApiUrl>().unwrap().host(), "fd00::1");
    }

    #[test]
    fn refuses_and_helps() {
        let cases = [
            ("http://pve1.lan:8006", "plain http", Some("https://pve1.lan:8006")),
            ("pve1.lan", "scheme", Some("https://pve1.lan:8006")),
            ("https://pve1.lan:8006/api2/json", "host and port", Some("https://pve1.lan:8006")),
            ("https://pve1.lan:8006/#v1:0:18:4", "host and port", Some("https://pve1.lan:8006")),
            ("ssh://pve1.lan", "only https", None),
            ("https://root:hunter2@pve1.lan", "user or password", None),
            ("https://", "needs a host", None),
            ("https://:8006", "needs a host", None),
            ("https://pve1.lan:99999", "port", None),
            ("https://pve1.lan:0", "port", None),
            ("https://pve1.lan:", "port", None),
            ("https://a b", "cannot be read", None),
            ("https://[fd00::1", "cannot be read", None),
            ("", "scheme", None),
        ];
        for (text, says, hint) in cases {
            let error = text.parse::<ApiUrl>().unwrap_err();
            assert_eq!(error.code, Code::BadUrl, "{text}");
            assert!(error.message.contains(says), "{text}: {error}");
            assert_eq!(error.tries.first().map(|first| first.command.as_str()), hint, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}

//! One URL of a remote: its two HTTP clients, and how long it has not been reached. Owns sending one request
//! there and the pause after a failure; which URL is asked is `transport`'s.

use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method};
use lxc_core::error::{Code, Error};
use parking_lot::Mutex;

use super::client::Endpoint;
use super::exchange::{Broken, Received, exchange};
use super::options::Options;
use super::tls;

/// The first pause after a connection that was not made; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest: then it is tried again whatever happened before.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a URL is not asked for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Down {
    /// Since when.
    pub(super) since: Instant,
    /// What the last attempt said.
    pub(super) why: String,
    failures: u32,
    again: Instant,
}

/// The way to one URL.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) endpoint: Endpoint,
    authority: String,
    base: String,
    kept: reqwest::Client,
    fresh: reqwest::Client,
    down: Mutex<Option<Down>>,
}

impl Way {
    pub(super) fn new(endpoint: Endpoint, options: &Options) -> Result<Self, Error> {
        let tls = tls::config(&endpoint.trust)?;
        let build = |kept: bool| {
            // pveproxy drops idle connections after 5 s.
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .https_only(true)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(options.connect)
                .read_timeout(options.read)
                .timeout(options.total)
                .pool_idle_timeout(Duration::from_secs(4))
                .pool_max_idle_per_host(if kept { options.per_remote } else { 0 });
            builder.build().map_err(|error| {
                Error::new(Code::Internal, "the HTTP client cannot be set up").because(error.to_string())
            })
        };
        Ok(Self {
            authority: endpoint.url.authority(),
            base: format!("{}/api2/json", endpoint.url),
            kept: build(true)?,
            fresh: build(false)?,
            down: Mutex::default(),
            endpoint,
        })
    }

    /// Since when it cannot be reached, and why.
    pub(super) fn down(&self) -> Option<Down> {
        self.down.lock().clone()
    }

    /// Whether it is to be asked: it is up, or its pause is over. Then the pause begins anew, so that one
    /// request tries it and the others go elsewhere meanwhile.
    pub(super) fn take(&self, now: Instant) -> bool {
        match &mut *self.down.lock() {
            None => true,
            Some(down) if down.again <= now => {
                down.again = now + pause(down.failures);
                true
            }
            Some(_) => false,
        }
    }

    /// A connection there was not made.
    pub(super) fn failed(&self, now: Instant, why: &str) {
        let mut down = self.down.lock();
        let failures = down.as_ref().map_or(1, |down| down.failures.saturating_add(1));
        let since = down.as_ref().map_or(now, |down| down.since);
        *down = Some(Down { since, why: why.to_owned(), failures, again: now + pause(failures) });
    }

    /// It answered.
    pub(super) fn answered(&self) {
        *self.down.lock() = None;
    }

    /// Sends one request, over a kept connection or a fresh one.
    pub(super) async fn send(
        &self,
        fresh: bool,
        method: Method,
        path: &str,
        headers: HeaderMap,
        form: Option<String>,
        limit: usize,
    ) -> Result<Received, Broken> {
        let mut url = format!("{}{path}", self.base);
        let mut body = None;
        match form {
            // Proxmox refuses a body on DELETE.
            Some(form) if method == Method::DELETE => {
                if !form.is_empty() {
                    url.push('?');
                    url.push_str(&form);
                }
            }
            other => body = other,
        }
        let client = if fresh { &self.fresh } else { &self.kept };
        let mut builder = client.request(method, url).headers(headers);
        if let Some(form) = body {
            // hyper leaves it out for an empty body; Proxmox wants it with every POST that has one.
            builder = builder.header(CONTENT_LENGTH, form.len());
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        exchange(builder, &self.authority, limit).await
    }
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pve::Trust;

    #[test]
    fn the_pause_doubles_up_to_a_minute_and_one_request_tries() {
        assert_eq!([1, 2, 3, 6, 7, 99].map(|n| pause(n).as_secs()), [1, 2, 4, 32, 60, 60]);
        let url = "https://127.0.0.1:1".parse().unwrap();
        let endpoint = Endpoint { url, trust: Trust::default(), node: None };
        let way = Way::new(endpoint, &Options::default()).unwrap();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert!(way.take(at(0)) && way.take(at(0)));
        way.failed(at(0), "refused");
        way.failed(at(1), "no route");
        assert!(!way.take(at(2)));
        assert!(way.take(at(3)) && !way.take(at(3)), "one request tries");
        let down = way.down().unwrap();
        assert_eq!((down.since, down.why.as_str()), (at(0), "no route"));
        way.answered();
        assert!(way.take(at(3)) && way.down().is_none());
    }
}

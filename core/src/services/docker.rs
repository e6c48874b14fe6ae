//! Docker's own word on its containers: `docker ps --format '{{json .}}'`, and their restart policies. Owns its wording
//! of states and ports, and which containers are meant to run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use super::Status;

/// Of one range: who passes on more has no main port.
const MOST_PORTS: usize = 100;

/// One container of Docker, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Image {
    #[serde(rename = "ID")]
    pub(super) id: String,
    pub(super) names: String,
    state: String,
    status: String,
    ports: String,
}

impl Image {
    /// How it fares, and what is to be said; None for what was left behind and nobody starts again. `policy` is
    /// Docker's word for when it does (`no`, `always`, `unless-stopped`, `on-failure`); None = it is not known.
    pub(super) fn health(&self, policy: Option<&str>) -> Option<(Status, String)> {
        let exit = self.exit_code();
        let left = match self.state.as_str() {
            "created" => matches!(policy, None | Some("" | "no")),
            "exited" if exit == Some(0) => matches!(policy, None | Some("" | "no" | "on-failure")),
            "exited" => matches!(policy, Some("" | "no")),
            _ => false,
        };
        (!left).then(|| self.status_of(exit))
    }

    fn status_of(&self, exit: Option<u32>) -> (Status, String) {
        let ended = exit.map_or_else(String::new, |code| format!("exit code {code}"));
        match self.state.as_str() {
            "running" if self.status.contains("(unhealthy)") => (Status::Error, "unhealthy".to_owned()),
            "running" if self.status.contains("(health: starting)") => (Status::Starting, String::new()),
            "running" => (Status::Running, String::new()),
            "restarting" if ended.is_empty() => (Status::Error, "restarts".to_owned()),
            "restarting" => (Status::Error, format!("{ended}, restarts")),
            "dead" => (Status::Error, "dead".to_owned()),
            "exited" if exit.is_some_and(|code| code != 0) => (Status::Error, ended),
            "paused" => (Status::Stopped, "paused".to_owned()),
            _ => (Status::Stopped, String::new()),
        }
    }

    /// `Exited (137) 2 hours ago`
    fn exit_code(&self) -> Option<u32> {
        let (word, rest) = self.status.split_once(" (")?;
        let known = word == "Exited" || word == "Restarting";
        known.then(|| rest.split_once(')')).flatten().and_then(|(code, _)| code.parse().ok())
    }

    /// The ports that are passed on to it: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 9000/tcp`.
    pub(super) fn sockets(&self) -> Vec<(SocketAddr, bool)> {
        let mut sockets = Vec::new();
        for part in self.ports.split(", ") {
            let Some((outside, inside)) = part.split_once("->") else { continue };
            let Some((host, ports)) = outside.rsplit_once(':') else { continue };
            let host = match host.trim_start_matches('[').trim_end_matches(']') {
                "" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                "::" | ":" => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
                host => host.parse().ok(),
            };
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            if let (Some(host), Ok(first), Ok(last)) = (host, first.parse::<u16>(), last.parse::<u16>()) {
                let tcp = !inside.ends_with("/udp");
                sockets
                    .extend((first..=last).take(MOST_PORTS).map(|port| (SocketAddr::new(host, port), tcp)));
            }
        }
        sockets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(state: &str, status: &str, ports: &str) -> Image {
        let [state, status, ports] = [state, status, ports].map(ToOwned::to_owned);
        Image { id: String::new(), names: "a".to_owned(), state, status, ports }
    }

    #[test]
    fn states_in_dockers_words() {
        for (state, status, want, detail) in [
            ("running", "Up 2 hours", Status::Running, ""),
            ("running", "Up 2 hours (healthy)", Status::Running, ""),
            ("running", "Up 2 hours (unhealthy)", Status::Error, "unhealthy"),
            ("running", "Up 3 seconds (health: starting)", Status::Starting, ""),
            ("restarting", "Restarting (1) 5 seconds ago", Status::Error, "exit code 1, restarts"),
            ("exited", "Exited (0) 2 hours ago", Status::Stopped, ""),
            ("exited", "Exited (137) 2 hours ago", Status::Error, "exit code 137"),
            ("created", "Created", Status::Stopped, ""),
            ("paused", "Up 2 hours (Paused)", Status::Stopped, "paused"),
            ("dead", "Dead", Status::Error, "dead"),
            ("", "", Status::Stopped, ""),
        ] {
            let health = image(state, status, "").health(Some("always"));
            assert_eq!(health, Some((want, detail.to_owned())), "{status}");
        }
    }

    #[test]
    fn what_nobody_starts_again_is_no_service() {
        let (done, failed, made) =
            (("exited", "Exited (0) now"), ("exited", "Exited (1) now"), ("created", "Created"));
        for (policy, listed) in [
            (Some("no"), [false, false, false]),
            (Some(""), [false, false, false]),
            (Some("on-failure"), [false, true, true]),
            (Some("unless-stopped"), [true, true, true]),
            (None, [false, true, false]),
        ] {
            let health = |(state, status)| image(state, status, "").health(policy).is_some();
            assert_eq!([done, failed, made].map(health), listed, "{policy:?}");
            assert!(
                ["Up", "Up (unhealthy)"].map(|status| health(("running", status))).iter().all(|one| *one)
            );
        }
    }

    #[test]
    fn ports_in_dockers_words() {
        let sockets = |ports: &str| {
            let found = image("running", "Up", ports).sockets();
            found
                .iter()
                .map(|(at, tcp)| format!("{at}{}", if *tcp { "" } else { "/udp" }))
                .collect::<Vec<_>>()
        };
        assert_eq!(sockets("0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"), ["0.0.0.0:8080", "[::]:8080"]);
        assert_eq!(sockets(":::53->53/udp, 6379/tcp"), ["[::]:53/udp"]);
        assert_eq!(sockets("127.0.0.1:9000-9001->9000-9001/tcp"), ["127.0.0.1:9000", "127.0.0.1:9001"]);
        assert_eq!(sockets("->, x->y, 1.2.3.4:->1/tcp, 1:70000->1"), [""; 0]);
    }
}

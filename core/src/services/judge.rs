//! What an operator wants to see of what was found. Owns which services are listed, which are folded away, and how each
//! fares.
//!
//! Listed: what runs, starts, failed, or is enabled and does not run. Not listed: units that are not installed, that
//! nobody enabled, or that did one thing and were done (oneshot, a container of Docker that nobody starts again). Folded away: what comes with the distribution
//! ([`base`](super::base)), unless it fails.

use std::net::SocketAddr;

use super::base::is_base;
use super::listen::{Listener, place};
use super::{Discovery, Kind, Openrc, Service, Services, Status, Unit};

/// Judges what was found.
#[must_use]
pub fn judge(found: &Discovery) -> Services {
    let mut all = Services { problems: found.problems.clone(), ..Services::default() };
    if !found.whole {
        let why = "the answer was cut off".to_owned();
        all.problems.push(super::Problem { part: "discovery".to_owned(), why });
    }
    let listed: Vec<(&Unit, Status)> =
        found.units.iter().filter_map(|unit| Some((unit, status(unit)?))).collect();
    for (unit, status) in &listed {
        let name = shown(unit, &listed);
        let sockets = sockets(found, |listener| of_unit(unit, listener));
        let service = service(found, name, Kind::Systemd, *status, detail(unit, *status), &sockets);
        let own = unit.path.starts_with("/etc/");
        put(&mut all, service, is_base(plain(&unit.id)) && !own);
    }
    for one in &found.openrc {
        let Some(status) = openrc_status(one) else { continue };
        let detail = if one.state == "crashed" { "crashed" } else { "" };
        let sockets = sockets(found, |listener| of_openrc(&one.name, listener));
        let service = service(found, &one.name, Kind::Openrc, status, detail.to_owned(), &sockets);
        let early = ["sysinit", "boot", "shutdown"].contains(&one.level.as_str());
        put(&mut all, service, early || is_base(&one.name));
    }
    for image in found.images.iter().filter(|image| !image.names.is_empty()) {
        let policy = found.policies.get(&image.id).map(String::as_str);
        let Some((status, detail)) = image.health(policy) else { continue };
        let service = service(found, &image.names, Kind::Docker, status, detail, &image.sockets());
        put(&mut all, service, false);
    }
    let listed = |name: &str| all.services.iter().chain(&all.system).any(|service| service.name == name);
    let others = found.secrets.iter().filter(|(name, _)| !listed(name));
    all.others = others.map(|(name, secrets)| (name.clone(), secrets.len())).collect();
    for list in [&mut all.services, &mut all.system] {
        list.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
    }
    all
}

fn put(all: &mut Services, service: Service, folded: bool) {
    let list = if folded && service.status != Status::Error { &mut all.system } else { &mut all.services };
    list.push(service);
}

fn service(
    found: &Discovery,
    name: &str,
    kind: Kind,
    status: Status,
    detail: String,
    sockets: &[(SocketAddr, bool)],
) -> Service {
    let place = place(sockets, &found.addresses);
    let secrets = found.secrets.get(name).map_or(0, Vec::len);
    Service {
        name: name.to_owned(),
        kind,
        status,
        port: place.port,
        ports: place.ports,
        url: place.url,
        detail,
        secrets,
    }
}

/// None = it is not listed.
fn status(unit: &Unit) -> Option<Status> {
    if unit.load != "loaded" {
        return None;
    }
    match (unit.active.as_str(), unit.sub.as_str()) {
        ("failed", _) | (_, "auto-restart" | "auto-restart-queued") => Some(Status::Error),
        _ if unit.oneshot => None,
        ("active" | "reloading" | "refreshing", _) => Some(Status::Running),
        // Between two ends of the same failure.
        ("activating", _) if unit.result != "success" && unit.restarts > 0 => Some(Status::Error),
        ("activating", _) => Some(Status::Starting),
        _ if unit.file_state == "enabled" => Some(Status::Stopped),
        _ => None,
    }
}

fn detail(unit: &Unit, status: Status) -> String {
    let mut parts = Vec::new();
    if status == Status::Error {
        parts.push(match unit.result.as_str() {
            "success" | "" if unit.exit == 0 => String::new(),
            "exit-code" | "success" | "" => format!("exit code {}", unit.exit),
            "signal" | "core-dump" => format!("signal {}", unit.exit),
            "timeout" => "timed out".to_owned(),
            "oom-kill" => "out of memory".to_owned(),
            other => other.replace('-', " "),
        });
    }
    match unit.restarts {
        0 => {}
        1 => parts.push("1 restart".to_owned()),
        many => parts.push(format!("{many} restarts")),
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn plain(id: &str) -> &str {
    id.strip_suffix(".service").unwrap_or(id)
}

/// The only instance of a template goes by the name of the template: Debian's `postgresql@15-main` is `postgresql`.
fn shown<'a>(unit: &'a Unit, listed: &[(&Unit, Status)]) -> &'a str {
    let name = plain(&unit.id);
    let Some((template, _)) = name.split_once('@') else { return name };
    let same = |other: &str| other == template || other.split_once('@').is_some_and(|(t, _)| t == template);
    let alone = listed.iter().filter(|(other, _)| same(plain(&other.id))).count() == 1;
    if alone && !template.is_empty() { template } else { name }
}

fn sockets(found: &Discovery, of: impl Fn(&Listener) -> bool) -> Vec<(SocketAddr, bool)> {
    found.listeners.iter().filter(|listener| of(listener)).map(|one| (one.at, one.tcp)).collect()
}

/// By control group, which the kernel may write with more in front; else by process.
fn of_unit(unit: &Unit, listener: &Listener) -> bool {
    let below = |group: &str| {
        listener.group.match_indices(group).any(|(at, _)| {
            let rest = &listener.group[at + group.len()..];
            rest.is_empty() || rest.starts_with('/')
        })
    };
    let process = unit.pid > 1 && (listener.pid == unit.pid || listener.parents.contains(&unit.pid));
    (!unit.group.is_empty() && unit.group != "/" && below(&unit.group)) || process
}

fn openrc_status(one: &Openrc) -> Option<Status> {
    match one.state.as_str() {
        "started" => Some(Status::Running),
        "starting" | "inactive" | "scheduled" => Some(Status::Starting),
        "crashed" => Some(Status::Error),
        // In no runlevel nobody wants it to run.
        "stopped" | "stopping" if ["default", "boot", "sysinit"].contains(&one.level.as_str()) => {
            Some(Status::Stopped)
        }
        _ => None,
    }
}

/// By control group, where OpenRC makes them; else the process is called as the service, or one's name begins with
/// the other's: `redis-server` is redis, `postgres` is postgresql.
fn of_openrc(service: &str, listener: &Listener) -> bool {
    let group = listener.group.rsplit('/').next().unwrap_or_default();
    if let Some(name) = group.strip_prefix("openrc.") {
        return name == service;
    }
    let name = listener.name.as_str();
    name.len() > 1 && (name.starts_with(service) || service.starts_with(name))
}

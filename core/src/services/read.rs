//! What `discover.sh` prints, section by section. Owns its format: any bytes are read, and a line that is not
//! understood says nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::address::{self, Route};

use super::listen::{Listener, kernel_address};
use super::{Discovery, Openrc, Problem, Secret, Unit};

/// What a line of the script's own begins with.
const MARK: &str = "\u{1e}lxcd ";

/// Reads it.
#[must_use]
pub fn read(printed: &[u8]) -> Discovery {
    let text = String::from_utf8_lossy(printed);
    let mut found = Discovery::default();
    let mut section = "";
    let mut unit = Unit::default();
    let mut level = String::new();
    let mut sockets: BTreeMap<&str, (SocketAddr, bool)> = BTreeMap::new();
    let mut net = Net::default();
    for line in text.lines() {
        if let Some(own) = line.strip_prefix(MARK) {
            take(&mut unit, &mut found.units);
            let (word, rest) = own.split_once(' ').unwrap_or((own, ""));
            section = if word == "section" { rest } else { "" };
            match (word, rest.split_once(' ')) {
                ("end", _) => found.whole = true,
                ("error", Some((part, why))) => {
                    found.problems.push(Problem { part: part.to_owned(), why: why.to_owned() });
                }
                _ => {}
            }
            continue;
        }
        match section {
            "systemd" if line.is_empty() => take(&mut unit, &mut found.units),
            "systemd" => property(&mut unit, line),
            "openrc" => openrc(line, &mut level, &mut found.openrc),
            "docker" if line.starts_with('{') => found.images.extend(serde_json::from_str(line).ok()),
            "docker" => {
                let policy = line.split_once(' ').map(|(id, policy)| (id.to_owned(), policy.to_owned()));
                found.policies.extend(policy);
            }
            "sockets" => sockets.extend(socket(line)),
            "owners" => found.listeners.extend(listener(line, &sockets)),
            "credentials" => secret(line, &mut found.secrets),
            "addresses" => net.take(line),
            _ => {}
        }
    }
    take(&mut unit, &mut found.units);
    found.addresses = net.ordered();
    found
}

/// The addresses, and what tells the interface of each and the one of the default route.
#[derive(Default)]
struct Net {
    found: Vec<(Option<String>, IpAddr)>,
    routes: Vec<Route>,
    main_of_v6: Option<String>,
}

impl Net {
    /// `ADDRESS`, `ADDRESS INTERFACE`, `route INTERFACE NETWORK MASK` or `route6 INTERFACE`.
    fn take(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["route", interface, network, mask] => self.routes.extend(Route::read(interface, network, mask)),
            ["route6", interface] => self.main_of_v6 = Some(interface.to_owned()),
            [ip] => self.found.extend(ip.parse().ok().map(|ip| (None, ip))),
            [ip, interface] => self.found.extend(ip.parse().ok().map(|ip| (Some(interface.to_owned()), ip))),
            _ => {}
        }
    }

    fn ordered(mut self) -> Vec<IpAddr> {
        for (interface, ip) in &mut self.found {
            if let (None, IpAddr::V4(ip)) = (&interface, ip) {
                *interface = address::interface_of(*ip, &self.routes).map(str::to_owned);
            }
        }
        let main = address::default_interface(&self.routes).or(self.main_of_v6.as_deref());
        address::ordered(&self.found, main)
    }
}

/// A unit whose name is known is one.
fn take(unit: &mut Unit, units: &mut Vec<Unit>) {
    let unit = std::mem::take(unit);
    if !unit.id.is_empty() {
        units.push(unit);
    }
}

fn property(unit: &mut Unit, line: &str) {
    let Some((key, value)) = line.split_once('=') else { return };
    let text = match key {
        "Type" => return unit.oneshot = value == "oneshot",
        "ExecMainStatus" => return unit.exit = value.parse().unwrap_or(0),
        "NRestarts" => return unit.restarts = value.parse().unwrap_or(0),
        "MainPID" => return unit.pid = value.parse().unwrap_or(0),
        "Id" => &mut unit.id,
        "LoadState" => &mut unit.load,
        "ActiveState" => &mut unit.active,
        "SubState" => &mut unit.sub,
        "Result" => &mut unit.result,
        "ControlGroup" => &mut unit.group,
        "FragmentPath" => &mut unit.path,
        "UnitFileState" => &mut unit.file_state,
        _ => return,
    };
    value.clone_into(text);
}

/// `[default]`, then `nginx = started`. One that is in several runlevels is there once.
fn openrc(line: &str, level: &mut String, found: &mut Vec<Openrc>) {
    if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
        name.clone_into(level);
    } else if let Some((name, state)) = line.split_once('=') {
        let (name, state) = (name.trim().to_owned(), state.trim().to_owned());
        if !name.is_empty() && !found.iter().any(|known| known.name == name) {
            found.push(Openrc { name, level: level.clone(), state });
        }
    }
}

/// `tcp6 0000…:0050 4711`, by its inode.
fn socket(line: &str) -> Option<(&str, (SocketAddr, bool))> {
    let mut words = line.split(' ');
    let (protocol, at, inode) = (words.next()?, words.next()?, words.next()?);
    Some((inode, (kernel_address(at)?, protocol.starts_with("tcp"))))
}

/// `4711 42 40,1 nginx /system.slice/nginx.service`
fn listener(line: &str, sockets: &BTreeMap<&str, (SocketAddr, bool)>) -> Option<Listener> {
    let mut words = line.splitn(5, ' ');
    let (at, tcp) = *sockets.get(words.next()?)?;
    let pid = words.next()?.parse().ok()?;
    let parents = words.next()?.split(',').filter_map(|pid| pid.parse().ok()).collect();
    let (name, group) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Listener { at, tcp, pid, parents, name, group })
}

/// `key SERVICE KEY` or `value SERVICE KEY=VALUE`.
fn secret(line: &str, found: &mut BTreeMap<String, Vec<Secret>>) {
    let mut words = line.splitn(3, ' ');
    let (Some(kind), Some(service), Some(rest)) = (words.next(), words.next(), words.next()) else { return };
    let secret = match (kind, rest.split_once('=')) {
        ("key", None) => Secret { key: rest.to_owned(), value: None },
        ("value", Some((key, value))) => Secret { key: key.to_owned(), value: Some(value.to_owned()) },
        _ => return,
    };
    found.entry(service.to_owned()).or_default().push(secret);
}

/// Why there is nothing to read: the last thing that was said before anything was found.
#[must_use]
pub fn failure(printed: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(printed);
    let before = text.lines().take_while(|line| !line.starts_with("\u{1e}lxcd section "));
    let said = before.map(|line| line.strip_prefix("\u{1e}lxcd fault ").unwrap_or(line).trim());
    said.filter(|line| !line.is_empty()).last().map(|line| line.chars().take(300).collect())
}

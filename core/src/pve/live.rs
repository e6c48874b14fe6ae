//! A container as Proxmox shows it at one moment: place, power, locks, HA, config, usage. Plain data;
//! must not decide anything but what "the same container" means.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What runs, in Proxmox's two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// Its init was spawned; not necessarily ready.
    Running,
    /// Not running.
    Stopped,
}

impl Power {
    /// The word people read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// HA manager's view of a container it manages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha {
    /// `started`, `stopped`, `error`, …; empty when it has none yet.
    pub state: String,
}

impl Ha {
    /// In this state the manager ignores every request but one (docs/proxmox.md, HA).
    #[must_use]
    pub fn failed(&self) -> bool {
        self.state == "error"
    }

    /// Whether the manager leaves a service that is down as it is. In every other state it is about to start
    /// it (again), here or elsewhere.
    #[must_use]
    pub fn leaves_it_down(&self) -> bool {
        matches!(
            self.state.as_str(),
            "" | "stopped" | "request_stop" | "disabled" | "ignored" | "error" | "deleting"
        )
    }
}

/// Where a vmid lives (`/cluster/resources`), existence being live there while figures are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Node that owns it.
    pub node: String,
    /// A virtual machine, not a container.
    pub is_vm: bool,
}

/// Figures of a container. What is used is absent when it is stopped; what it may use stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// 0..1 of `cpus`.
    pub cpu: Option<f64>,
    /// Cores it may use; fractional with a cpulimit.
    pub cpus: Option<f64>,
    /// Bytes used.
    pub memory: Option<u64>,
    /// Bytes it may use.
    pub memory_max: Option<u64>,
    /// Bytes of swap used.
    pub swap: Option<u64>,
    /// Bytes of swap it may use.
    pub swap_max: Option<u64>,
    /// Bytes of its root file system used.
    pub disk: Option<u64>,
    /// Size of its root file system in bytes.
    pub disk_max: Option<u64>,
    /// Bytes received since start.
    pub net_in: Option<u64>,
    /// Bytes sent since start.
    pub net_out: Option<u64>,
    /// Seconds since start.
    pub uptime: Option<u64>,
}

/// `…/status/current`, or a row of `/nodes/N/lxc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The vmid it speaks of.
    pub vmid: u32,
    /// Host name; Proxmox falls back to `CTn`.
    pub name: Option<String>,
    /// Running or stopped.
    pub power: Power,
    /// `backup`, `create`, …, while Proxmox itself holds the container.
    pub lock: Option<String>,
    /// A template: cannot be started.
    pub template: bool,
    /// Present when HA manages it; only `status/current` says so.
    pub ha: Option<Ha>,
    /// Lower-case, sorted.
    pub tags: Vec<String>,
    /// Figures.
    pub usage: Usage,
}

impl Live {
    /// A container of which only its number and its power are known.
    #[must_use]
    pub fn bare(vmid: u32, power: Power) -> Self {
        Self {
            vmid,
            name: None,
            power,
            lock: None,
            template: false,
            ha: None,
            tags: Vec::new(),
            usage: Usage::default(),
        }
    }
}

/// `…/config?current=1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Every key as Proxmox wrote it.
    pub values: BTreeMap<String, String>,
}

impl Config {
    /// MAC addresses of its network devices, upper case, sorted.
    #[must_use]
    pub fn hwaddrs(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .values
            .iter()
            .filter(|(key, _)| is_numbered(key, "net"))
            .flat_map(|(_, value)| value.split(','))
            .filter_map(|part| part.strip_prefix("hwaddr="))
            .map(str::to_ascii_uppercase)
            .collect();
        all.sort();
        all
    }

    /// The operation that made it, from `<!-- lxcd:OPID -->` at the end of its description.
    #[must_use]
    pub fn marker(&self) -> Option<Uuid> {
        let text = self.values.get("description")?.trim_end();
        let (_, tail) = text.rsplit_once("<!-- lxcd:")?;
        tail.strip_suffix("-->")?.trim().parse().ok()
    }

    /// `protection=1`
    #[must_use]
    pub fn protected(&self) -> bool {
        self.values.get("protection").is_some_and(|value| value == "1")
    }

    /// Sizes of its volumes added up, in bytes (`rootfs: local-lvm:vm-104-disk-0,size=8G`); None when no
    /// size is given. Bind mounts have none.
    #[must_use]
    pub fn disk_bytes(&self) -> Option<u64> {
        let volumes = self.values.iter().filter(|(key, _)| *key == "rootfs" || is_numbered(key, "mp"));
        volumes
            .flat_map(|(_, value)| value.split(','))
            .filter_map(|part| size_bytes(part.strip_prefix("size=")?))
            .reduce(u64::saturating_add)
    }

    /// The size of its root disk, in bytes: `local-lvm:vm-104-disk-0,size=8G`, or `local-lvm:8` as it is asked for.
    #[must_use]
    pub fn root_bytes(&self) -> Option<u64> {
        let rootfs = self.values.get("rootfs")?;
        match rootfs.split(',').find_map(|part| part.strip_prefix("size=")) {
            Some(size) => size_bytes(size),
            None => rootfs.split(',').next()?.split_once(':')?.1.parse::<u64>().ok()?.checked_mul(1 << 30),
        }
    }

    /// `template=1`: only the list and the config say so, `status/current` never does.
    #[must_use]
    pub fn template(&self) -> bool {
        self.values.get("template").is_some_and(|value| value == "1")
    }

    /// The static addresses of all interfaces without their prefix lengths: those of the one with a gateway first, v4
    /// before v6.
    #[must_use]
    pub fn static_ips(&self) -> Vec<String> {
        let mut found: Vec<(bool, bool, IpAddr)> = self
            .nets()
            .flat_map(|net| {
                let gateway = net.split(',').any(|part| part.starts_with("gw"));
                let values = net.split(',').filter_map(static_value);
                let ips = values.filter_map(|value| value.split('/').next()?.parse::<IpAddr>().ok());
                ips.map(move |ip| (!gateway, ip.is_ipv6(), ip))
            })
            .collect();
        // Stable: else by the number of the interface.
        found.sort_by_key(|(main, v6, _)| (*main, *v6));
        found.into_iter().map(|(_, _, ip)| ip.to_string()).collect()
    }

    /// Whether it has addresses that its config does not tell: from DHCP, announced, or set inside.
    #[must_use]
    pub fn has_more_addresses(&self) -> bool {
        let told = |net: &String| {
            let mut values = net.split(',').filter_map(static_value).peekable();
            values.peek().is_some() && values.all(|value| value.contains('/'))
        };
        !self.nets().all(told) || self.nets().next().is_none()
    }

    /// Its network interfaces, as far as they are told.
    pub fn interfaces(&self) -> impl Iterator<Item = Interface<'_>> {
        self.nets().map(|net| {
            let of = |key: &str| net.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
            let values = net.split(',').filter_map(static_value);
            Interface {
                bridge: of("bridge"),
                tag: of("tag").and_then(|tag| tag.parse().ok()),
                ips: values.filter_map(|value| value.split('/').next()?.parse().ok()).collect(),
            }
        })
    }

    fn nets(&self) -> impl Iterator<Item = &String> {
        self.values.iter().filter(|(key, _)| is_numbered(key, "net")).map(|(_, value)| value)
    }
}

/// One network interface of a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Its bridge.
    pub bridge: Option<&'a str>,
    /// Its VLAN tag.
    pub tag: Option<u16>,
    /// Its static addresses.
    pub ips: Vec<IpAddr>,
}

/// What `ip=` or `ip6=` says: an address, `dhcp`, `auto` or `manual`.
fn static_value(part: &str) -> Option<&str> {
    part.strip_prefix("ip=").or_else(|| part.strip_prefix("ip6="))
}

/// `8G`, `512M`, `1T`, or plain bytes (pve-common, `parse_size`).
fn size_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.chars().last()? {
        'K' => (&text[..text.len() - 1], 10),
        'M' => (&text[..text.len() - 1], 20),
        'G' => (&text[..text.len() - 1], 30),
        'T' => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    Some((number * f64::from(1_u32 << (shift / 2)) * f64::from(1_u32 << (shift / 2))) as u64)
}

fn is_numbered(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        Config { values: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
    }

    #[test]
    fn finds_what_identifies_a_container() {
        let config = config(&[
            ("net0", "name=eth0,bridge=vmbr0,hwaddr=bc:24:11:00:00:01,ip=10.0.0.14/24,type=veth"),
            ("net1", "name=eth1,bridge=vmbr1,hwaddr=BC:24:11:00:00:00,ip=dhcp"),
            ("nettle", "hwaddr=00:00:00:00:00:00"),
            ("rootfs", "local-lvm:vm-104-disk-0,size=8G"),
            ("mp0", "local-lvm:vm-104-disk-1,mp=/srv,size=512M"),
            ("mp1", "/mnt/bind,mp=/mnt"),
            ("description", "web box\n\n<!-- lxcd:01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b -->\n"),
        ]);
        assert_eq!(config.hwaddrs(), ["BC:24:11:00:00:00", "BC:24:11:00:00:01"]);
        assert_eq!(config.marker().unwrap().to_string(), "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b");
        assert_eq!(config.disk_bytes(), Some((8 << 30) + (512 << 20)));
        assert_eq!(config.static_ips(), ["10.0.0.14"]);
    }

    #[test]
    fn every_static_address_is_told_and_whether_there_are_others() {
        let said = |nets: &[&str]| {
            let nets = nets.iter().enumerate().map(|(at, net)| (format!("net{at}"), (*net).to_owned()));
            let config = Config { values: nets.collect() };
            (config.static_ips(), config.has_more_addresses())
        };
        let both = "name=eth0,ip6=fd00::4/64,ip=10.0.0.4/24";
        let main = "name=eth1,ip=192.168.1.4/24,gw=192.168.1.1,ip6=2001:db8::4/64,gw6=fe80::1";
        let of = |ips: &[&str]| ips.iter().map(|ip| (*ip).to_owned()).collect::<Vec<_>>();
        assert_eq!(said(&[both]), (of(&["10.0.0.4", "fd00::4"]), false));
        assert_eq!(said(&[both, main]).0, ["192.168.1.4", "2001:db8::4", "10.0.0.4", "fd00::4"]);
        assert_eq!(said(&[both, "name=eth1,ip=dhcp"]), (of(&["10.0.0.4", "fd00::4"]), true));
        assert_eq!(said(&["name=eth0,ip=10.0.0.4/24,ip6=auto"]), (of(&["10.0.0.4"]), true));
        for none in [&["name=eth0"][..], &["name=eth0,ip=manual"], &[]] {
            assert_eq!(said(none), (Vec::new(), true), "{none:?}");
        }
    }
}

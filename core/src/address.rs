//! Which of a container's addresses is the one to reach it by: a global v4, then a global v6, on the interface of the
//! default route. Pure; who asks for them is others'.

use std::net::{IpAddr, Ipv4Addr};

/// Made by what runs inside; nobody outside reaches them.
const INNER: [&str; 9] = ["lo", "docker", "br-", "veth", "virbr", "lxcbr", "lxdbr", "cni", "flannel"];
/// The interface of the default route, where nobody says which that is.
const USUAL: &str = "eth0";

/// Addresses in the order to try them, none twice: those of the interface `main` first, v4 before v6. The bridges of a
/// container's own containers are left out, and what is no address of a network.
#[must_use]
pub fn ordered(found: &[(Option<String>, IpAddr)], main: Option<&str>) -> Vec<IpAddr> {
    let main = main.unwrap_or(USUAL);
    let inner = |name: &str| INNER.iter().any(|inner| name.starts_with(inner));
    let outer = found.iter().filter(|(name, ip)| global(ip) && !name.as_deref().is_some_and(inner));
    let mut ranked: Vec<_> = outer.collect();
    ranked.sort_by_key(|(name, ip)| (name.as_deref() != Some(main), ip.is_ipv6(), name.as_deref(), *ip));
    let mut all: Vec<IpAddr> = Vec::new();
    for (_, ip) in ranked {
        if !all.contains(ip) {
            all.push(*ip);
        }
    }
    all
}

fn global(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// A route of IPv4 as the kernel lists it: an interface, and what is reached through it without a gateway; or the
/// default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    interface: String,
    network: u32,
    mask: u32,
}

impl Route {
    /// From the words of `/proc/net/route`, whose numbers have their bytes backwards.
    #[must_use]
    pub fn read(interface: &str, network: &str, mask: &str) -> Option<Self> {
        let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::swap_bytes);
        Some(Self { interface: interface.to_owned(), network: number(network)?, mask: number(mask)? })
    }

    /// Whether it is the one for everything else.
    fn is_default(&self) -> bool {
        self.mask == 0 && self.network == 0
    }
}

/// The interface of the default route.
#[must_use]
pub fn default_interface(routes: &[Route]) -> Option<&str> {
    routes.iter().find(|route| route.is_default()).map(|route| route.interface.as_str())
}

/// The interface an address is on: that of the narrowest network it is in.
#[must_use]
pub fn interface_of(ip: Ipv4Addr, routes: &[Route]) -> Option<&str> {
    let of = |route: &&Route| !route.is_default() && ip.to_bits() & route.mask == route.network;
    routes.iter().filter(of).max_by_key(|route| route.mask).map(|route| route.interface.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_reach_it_by_comes_first() {
        let interfaces = [
            ("docker0", "172.17.0.1"),
            ("br-1a2b", "172.18.0.1"),
            ("eth0", "2001:db8::14"),
            ("eth0", "fe80::1"),
            ("eth0", "10.0.0.14"),
            ("eth0", "10.0.0.14"),
            ("eth1", "192.168.1.14"),
            ("lo", "127.0.0.1"),
        ];
        let found = interfaces.map(|(name, ip)| (Some(name.to_owned()), ip.parse().unwrap()));
        let said = |main| ordered(&found, main).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(said(None), ["10.0.0.14", "2001:db8::14", "192.168.1.14"]);
        assert_eq!(said(Some("eth1")), ["192.168.1.14", "10.0.0.14", "2001:db8::14"]);
    }

    #[test]
    fn routes_tell_which_interface_an_address_is_on() {
        let routes: Vec<Route> = [
            ("docker0", "000011AC", "0000FFFF"),
            ("wide", "0000000A", "000000FF"),
            ("eth7", "0000000A", "00FFFFFF"),
            ("eth7", "00000000", "00000000"),
        ]
        .iter()
        .filter_map(|(interface, network, mask)| Route::read(interface, network, mask))
        .collect();
        assert_eq!((routes.len(), default_interface(&routes)), (4, Some("eth7")));
        let on = |ip: &str| interface_of(ip.parse().unwrap(), &routes);
        assert_eq!(
            [on("10.0.0.14"), on("10.9.0.1"), on("172.17.0.1"), on("192.0.2.1")],
            [Some("eth7"), Some("wide"), Some("docker0"), None]
        );
        assert_eq!(Route::read("eth0", "x", "0"), None);
    }
}

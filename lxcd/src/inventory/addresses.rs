//! Which of a container's addresses is the one to reach it by. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Made by what runs inside; nobody outside reaches them.
const INNER: [&str; 9] = ["lo", "docker", "br-", "veth", "virbr", "lxcbr", "lxdbr", "cni", "flannel"];

/// Addresses in the order to try them: those of `eth0` first, v4 before v6. The bridges of a container's
/// own containers are left out.
pub(super) fn ordered(interfaces: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found: Vec<(bool, bool, &String, IpAddr)> = interfaces
        .iter()
        .filter(|(name, _)| !INNER.iter().any(|inner| name.starts_with(inner)))
        .flat_map(|(name, texts)| {
            let parsed = texts.iter().filter_map(|text| text.parse::<IpAddr>().ok());
            parsed.filter(global).map(move |ip| (name != "eth0", ip.is_ipv6(), name, ip))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, _, _, ip)| ip.to_string()).collect()
}

fn global(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_reach_it_by_comes_first() {
        let interfaces = [
            ("docker0", vec!["172.17.0.1"]),
            ("br-1a2b", vec!["172.18.0.1"]),
            ("eth0", vec!["2001:db8::14", "fe80::1", "10.0.0.14"]),
            ("eth1", vec!["192.168.1.14"]),
            ("lo", vec!["127.0.0.1"]),
        ];
        let interfaces = interfaces
            .into_iter()
            .map(|(name, ips)| (name.to_owned(), ips.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(ordered(&interfaces), ["10.0.0.14", "2001:db8::14", "192.168.1.14"]);
    }
}

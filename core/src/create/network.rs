//! How a container reaches its network: addresses as people write them and as Proxmox wants them in `net0`. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where the address of one family comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressing<A> {
    /// None at all.
    None,
    /// From a DHCP server.
    Dhcp,
    /// From router advertisements; IPv6 only.
    Auto,
    /// This one.
    Static {
        /// The address.
        address: A,
        /// Bits of its network.
        prefix: u8,
    },
}

/// The first network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `vmbr0`
    pub bridge: String,
    /// VLAN tag, 1–4094.
    pub vlan: Option<u16>,
    /// IPv4.
    pub ip: Addressing<Ipv4Addr>,
    /// Where IPv4 leaves the network.
    pub gateway: Option<Ipv4Addr>,
    /// IPv6.
    pub ip6: Addressing<Ipv6Addr>,
    /// Where IPv6 leaves the network.
    pub gateway6: Option<Ipv6Addr>,
}

impl Network {
    /// The value of `net0`.
    #[must_use]
    pub fn net0(&self) -> String {
        let mut text = format!("name=eth0,bridge={}", self.bridge);
        if let Some(vlan) = self.vlan {
            text.push_str(&format!(",tag={vlan}"));
        }
        if self.ip != Addressing::None {
            text.push_str(&format!(",ip={}", self.ip));
        }
        if let Some(gateway) = self.gateway {
            text.push_str(&format!(",gw={gateway}"));
        }
        if self.ip6 != Addressing::None {
            text.push_str(&format!(",ip6={}", self.ip6));
        }
        if let Some(gateway) = self.gateway6 {
            text.push_str(&format!(",gw6={gateway}"));
        }
        text
    }

    /// The addresses it is to have that are known beforehand.
    #[must_use]
    pub fn fixed(&self) -> Vec<IpAddr> {
        let v4 = self.ip.address().map(IpAddr::V4);
        let v6 = self.ip6.address().map(IpAddr::V6);
        v4.into_iter().chain(v6).collect()
    }
}

impl<A: Copy> Addressing<A> {
    fn address(self) -> Option<A> {
        match self {
            Self::Static { address, .. } => Some(address),
            Self::None | Self::Dhcp | Self::Auto => None,
        }
    }

    /// Whether it is given here, so that a gateway may be, too.
    #[must_use]
    pub fn is_static(self) -> bool {
        self.address().is_some()
    }
}

impl<A: fmt::Display> fmt::Display for Addressing<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Dhcp => f.write_str("dhcp"),
            Self::Auto => f.write_str("auto"),
            Self::Static { address, prefix } => write!(f, "{address}/{prefix}"),
        }
    }
}

/// Reads `none`, `dhcp` or `ADDRESS/PREFIX`. An error says what it is not.
///
/// # Errors
/// When it is none of them, or no address a container could have.
pub fn parse_ip(text: &str) -> Result<Addressing<Ipv4Addr>, String> {
    let usable = |ip: &Ipv4Addr| !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast();
    match parse(text, 32, usable)? {
        Addressing::Auto => Err("auto is for --ip6 (router advertisements)".to_owned()),
        ip => Ok(ip),
    }
}

/// Reads `none`, `dhcp`, `auto` or `ADDRESS/PREFIX`. An error says what it is not.
///
/// # Errors
/// When it is none of them, or no address a container could have.
pub fn parse_ip6(text: &str) -> Result<Addressing<Ipv6Addr>, String> {
    parse(text, 128, |ip: &Ipv6Addr| !ip.is_unspecified() && !ip.is_loopback() && !ip.is_multicast())
}

fn parse<A: FromStr + fmt::Display>(
    text: &str,
    longest: u8,
    usable: impl Fn(&A) -> bool,
) -> Result<Addressing<A>, String> {
    match text {
        "none" => return Ok(Addressing::None),
        "dhcp" => return Ok(Addressing::Dhcp),
        "auto" => return Ok(Addressing::Auto),
        _ => {}
    }
    let shown: String = text.chars().take(60).collect();
    let Some((address, prefix)) = text.split_once('/') else {
        return Err(match text.parse::<A>() {
            Ok(_) => format!("{shown} lacks the bits of its network, such as {shown}/{}", longest * 3 / 4),
            Err(_) => format!("{shown:?} is neither an ADDRESS/PREFIX nor dhcp nor none"),
        });
    };
    let address: A = address.parse().map_err(|_| format!("{shown:?} holds no address of this family"))?;
    if !usable(&address) {
        return Err(format!("{address} is no address of a container"));
    }
    let prefix = prefix
        .parse()
        .ok()
        .filter(|prefix| (1..=longest).contains(prefix))
        .ok_or_else(|| format!("the network of {shown:?} is to have 1 to {longest} bits"))?;
    Ok(Addressing::Static { address, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_says_what_is_wrong() {
        assert_eq!(parse_ip("dhcp"), Ok(Addressing::Dhcp));
        let fixed = Addressing::Static { address: Ipv4Addr::new(10, 0, 0, 5), prefix: 24 };
        assert_eq!(parse_ip("10.0.0.5/24"), Ok(fixed));
        for bad in [
            "",
            "10.0.0.5",
            "10.0.0.5/0",
            "10.0.0.5/33",
            "10.0.0.256/24",
            "fd00::1/64",
            "auto",
            "127.0.0.1/8",
        ] {
            assert!(parse_ip(bad).is_err(), "{bad}");
        }
        assert!(parse_ip("10.0.0.5").unwrap_err().contains("10.0.0.5/24"));
        assert_eq!(parse_ip6("auto"), Ok(Addressing::Auto));
        assert!(parse_ip6("fd00::5/64").unwrap().is_static() && parse_ip6("fd00::5/129").is_err());
    }

    #[test]
    fn writes_what_proxmox_wants() {
        let network = Network {
            bridge: "vmbr1".into(),
            vlan: Some(20),
            ip: parse_ip("10.0.0.5/24").unwrap(),
            gateway: Some(Ipv4Addr::new(10, 0, 0, 1)),
            ip6: Addressing::Auto,
            gateway6: None,
        };
        assert_eq!(network.net0(), "name=eth0,bridge=vmbr1,tag=20,ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto");
        assert_eq!(network.fixed(), [IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5))]);
    }
}

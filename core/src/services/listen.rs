//! Who listens where. Owns how the kernel writes addresses, which port of several is the main one, and when it has a
//! URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Ports that a browser speaks TLS to.
const HTTPS: [u16; 3] = [443, 8443, 9443];
/// Ports that a browser speaks plain HTTP to.
const HTTP: [u16; 16] =
    [80, 3000, 3001, 5000, 5601, 8000, 8008, 8080, 8081, 8086, 8088, 8096, 8123, 8888, 9000, 9090];
/// The way in to the container itself, not a service of it.
const SSH: u16 = 22;

/// A process on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) at: SocketAddr,
    pub(super) tcp: bool,
    pub(super) pid: u32,
    pub(super) parents: Vec<u32>,
    pub(super) name: String,
    pub(super) group: String,
}

/// `0100007F:24EB` or the same with an IPv6 address: bytes backwards in words of four, the port forwards.
pub(super) fn kernel_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = hex::decode(address).ok()?;
    for word in bytes.chunks_exact_mut(4) {
        word.reverse();
    }
    let ip: IpAddr = match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok()?.into(),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// What a service is found at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) port: Option<u16>,
    pub(super) ports: Vec<u16>,
    pub(super) url: Option<String>,
}

/// From (address, whether TCP) of all its sockets.
pub(super) fn place(sockets: &[(SocketAddr, bool)], addresses: &[IpAddr]) -> Place {
    let mut sockets: Vec<_> = sockets.iter().filter(|(at, _)| at.port() != SSH).collect();
    // What others can reach, then TCP, then the web, TLS first since the other port often only sends there.
    let rank = |(at, tcp): &(SocketAddr, bool)| {
        let port = at.port();
        let web = if HTTPS.contains(&port) { 0 } else { 2 - u8::from(HTTP.contains(&port)) };
        (at.ip().is_loopback(), !tcp, web, port, at.is_ipv6(), at.ip())
    };
    sockets.sort_by_key(|socket| rank(socket));
    let mut ports: Vec<u16> = sockets.iter().map(|(at, _)| at.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    let url = sockets.first().filter(|(_, tcp)| *tcp).and_then(|(at, _)| url(*at, addresses));
    Place { port: sockets.first().map(|(at, _)| at.port()), ports, url }
}

fn url(at: SocketAddr, addresses: &[IpAddr]) -> Option<String> {
    let (scheme, default) = match at.port() {
        port if HTTPS.contains(&port) => ("https", 443),
        port if HTTP.contains(&port) => ("http", 80),
        _ => return None,
    };
    let ip = match at.ip() {
        ip if ip.is_loopback() => return None,
        // On Linux a socket for all of IPv6 takes IPv4 as well.
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            addresses.iter().find(|ip| ip.is_ipv4()).or(addresses.first()).copied()?
        }
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => addresses.iter().find(|ip| ip.is_ipv4()).copied()?,
        ip => ip,
    };
    let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
    Some(if at.port() == default {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", at.port())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_kernel() {
        for (text, address) in [
            ("0100007F:24EB", "127.0.0.1:9451"),
            ("00000000000000000000000001000000:18EB", "[::1]:6379"),
            ("000000FD000000000000000014000000:0050", "[fd00::14]:80"),
            ("0000000000000000FFFF00000E00000A:1F90", "10.0.0.14:8080"),
        ] {
            assert_eq!(kernel_address(text).unwrap().to_string(), address);
        }
        for text in ["", ":", "00:1", "0100007F:", "0100007F:10000", "zz00007F:1", "0100007F0:1"] {
            assert_eq!(kernel_address(text), None, "{text}");
        }
    }

    #[test]
    fn the_main_port_and_its_url() {
        let ours: Vec<IpAddr> = ["10.0.0.14", "fd00::14"].map(|text| text.parse().unwrap()).to_vec();
        let six = &ours[1..];
        for (sockets, addresses, port, url) in [
            (&["0.0.0.0:80", "0.0.0.0:443"][..], &ours[..], 443, "https://10.0.0.14"),
            (&["[::]:8080", "127.0.0.1:80"], &ours, 8080, "http://10.0.0.14:8080"),
            (&["[::]:80"], six, 80, "http://[fd00::14]"),
            (&["0.0.0.0:80"], six, 80, ""),
            (&["[fd00::14]:8443"], &ours, 8443, "https://[fd00::14]:8443"),
            (&["127.0.0.1:3000"], &ours, 3000, ""),
            (&["0.0.0.0:5432", "0.0.0.0:22"], &ours, 5432, ""),
            (&["0.0.0.0:9999", "0.0.0.0:3000", "0.0.0.0:1"], &ours, 3000, "http://10.0.0.14:3000"),
        ] {
            let sockets: Vec<_> = sockets.iter().map(|text| (text.parse().unwrap(), true)).collect();
            let place = place(&sockets, addresses);
            assert_eq!(
                (place.port, place.url.unwrap_or_default().as_str()),
                (Some(port), url),
                "{sockets:?}"
            );
        }
        assert_eq!(place(&[("0.0.0.0:22".parse().unwrap(), true)], &ours), Place::default());
        let dns = [("0.0.0.0:53".parse().unwrap(), false), ("0.0.0.0:80".parse().unwrap(), false)];
        assert_eq!(place(&dns, &ours).url, None);
    }
}

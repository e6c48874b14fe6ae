//! The named formats and patterns of parameters.
//!
//! Owns what a value of each format looks like, and the text when it does not. Formats a client of containers
//! never gets wrong are accepted as they are.

/// Checks a value of a named format; the text is what follows `invalid format - `.
pub fn check(format: &str, value: &str) -> Result<(), String> {
    if let Some(single) = format.strip_suffix("-list") {
        let single = single.trim_end_matches("-list");
        return value
            .split([',', ';', ' ', '\0'])
            .filter(|v| !v.is_empty())
            .try_for_each(|v| check(single, v));
    }
    let (good, what) = match format {
        "pve-vmid" => (vmid(value), "a valid VM ID"),
        "pve-node" => (dns_label(value), "a valid node name"),
        "pve-storage-id" => (storage_id(value), "storage ID"),
        "pve-configid" => (config_id(value), "a valid configuration ID"),
        "pve-userid" => (user_id(value), "a valid user name"),
        "pve-poolid" => (pool_id(value), "a valid pool name"),
        "dns-name" => (dns_name(value), "a valid DNS name"),
        "mac-addr" => (mac(value), "a valid unicast MAC address"),
        "pve-tag" => (tag(value), "a valid tag"),
        "disk-size" => (disk_size(value), "a valid disk size"),
        "ipv4" => (value.parse::<std::net::Ipv4Addr>().is_ok(), "a valid IPv4 address"),
        "ipv6" => (value.parse::<std::net::Ipv6Addr>().is_ok(), "a valid IPv6 address"),
        "pve-ipv4-config" => (ip_config(value, &["dhcp", "manual"]), "a valid ipv4 network configuration"),
        "pve-ipv6-config" => {
            (ip_config(value, &["auto", "dhcp", "manual"]), "a valid ipv6 network configuration")
        }
        "pve-task-status-type" => {
            (matches!(value, "unknown" | "error" | "warning" | "ok"), "a valid task status type")
        }
        "pve-volume-id" => (value.split_once(':').is_some_and(|(s, _)| storage_id(s)), "a volume ID"),
        _ => (true, ""),
    };
    match (good, format) {
        (true, _) => Ok(()),
        (_, "pve-vmid" | "pve-ipv4-config" | "pve-ipv6-config") => {
            Err(format!("value does not look like {what}\n"))
        }
        (_, "pve-storage-id") => Err(format!("storage ID '{value}' contains illegal characters\n")),
        (_, "pve-configid") => Err(format!("invalid configuration ID '{value}'\n")),
        _ => Err(format!("value '{value}' does not look like {what}\n")),
    }
}

/// Checks a value against the pattern of the parameter of that name.
#[must_use]
pub fn pattern(name: &str, value: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    match name {
        "bridge" | "name" => !value.is_empty() && value.bytes().all(word),
        "trunks" => value.split(';').all(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())),
        "mode" => {
            value.len() == 4 && value.starts_with('0') && value.bytes().all(|b| (b'0'..=b'7').contains(&b))
        }
        "tokenid" => value.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && value.bytes().all(word),
        "size" => {
            let value = value.strip_prefix('+').unwrap_or(value);
            let digits = value.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(value);
            digits.parse::<f64>().is_ok()
        }
        "mountoptions" => value
            .split(';')
            .all(|o| matches!(o, "discard" | "lazytime" | "noatime" | "nodev" | "noexec" | "nosuid")),
        _ => true,
    }
}

fn vmid(value: &str) -> bool {
    (3..=9).contains(&value.len()) && !value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit())
}

fn dns_label(value: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !value.is_empty()
        && value.len() <= 63
        && !value.starts_with('-')
        && !value.ends_with('-')
        && value.bytes().all(inner)
}

fn dns_name(value: &str) -> bool {
    value.split('.').all(dns_label)
}

fn storage_id(value: &str) -> bool {
    value.len() > 1
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.ends_with(|c: char| c.is_ascii_alphanumeric())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn config_id(value: &str) -> bool {
    value.len() > 1
        && value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn user_id(value: &str) -> bool {
    value.rsplit_once('@').is_some_and(|(user, realm)| {
        !user.is_empty()
            && !user.contains([' ', ':', '/'])
            && realm.len() > 1
            && !realm.contains([' ', ':', '/'])
    })
}

fn pool_id(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
}

fn tag(value: &str) -> bool {
    value.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'.'))
}

fn mac(value: &str) -> bool {
    let bytes: Vec<&str> = value.split(':').collect();
    let byte = |b: &&str| b.len() == 2 && u8::from_str_radix(b, 16).is_ok();
    bytes.len() == 6
        && bytes.iter().all(byte)
        && bytes.first().and_then(|b| u8::from_str_radix(b, 16).ok()).is_some_and(|b| b & 1 == 0)
}

fn disk_size(value: &str) -> bool {
    let digits = value.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(value);
    !digits.is_empty() && digits.parse::<f64>().is_ok_and(|n| n >= 0.0)
}

fn ip_config(value: &str, words: &[&str]) -> bool {
    words.contains(&value)
        || value.split_once('/').is_some_and(|(ip, bits)| {
            ip.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|b| b <= 128)
        })
}

//! A container's configuration file.
//!
//! Owns the keys and values as Proxmox stores them, its normalisations (tags, hardware addresses) and
//! the digest. Must not know whether the container runs.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::pvesim::noise;

/// Options answered as numbers.
const NUMBERS: [&str; 15] = [
    "console",
    "cores",
    "cpulimit",
    "cpuunits",
    "debug",
    "memory",
    "onboot",
    "protection",
    "swap",
    "template",
    "tty",
    "unprivileged",
    "timeout",
    "bwlimit",
    "start",
];

/// One configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    values: BTreeMap<String, String>,
}

impl Config {
    /// The configuration of a container that is being created.
    #[must_use]
    pub fn creating() -> Self {
        let mut config = Self::default();
        config.set("lock", "create");
        config
    }

    /// The value of an option.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Sets an option as Proxmox would store it.
    pub fn set(&mut self, key: &str, value: &str) {
        let value = match key {
            "tags" => tags(value),
            "description" => value.trim_end_matches('\n').to_owned(),
            _ => value.to_owned(),
        };
        self.values.insert(key.to_owned(), value);
    }

    /// Removes an option.
    pub fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Options and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Is this boolean option set?
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some("1")
    }

    /// A numeric option.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(|v| v.parse().ok())
    }

    /// The SHA-1-shaped digest of the file.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (key, value) in &self.values {
            hasher.update(format!("{key}: {value}\n"));
        }
        hex::encode(&hasher.finalize()[..20])
    }

    /// A property of a property string: `property("net0", "bridge")`.
    #[must_use]
    pub fn property(&self, key: &str, property: &str) -> Option<&str> {
        let value = self.get(key)?;
        value.split(',').find_map(|part| part.strip_prefix(property)?.strip_prefix('='))
    }

    /// Names of the network options: `net0`, `net1` …
    pub fn networks(&self) -> impl Iterator<Item = &str> {
        self.values
            .keys()
            .filter(|k| k.strip_prefix("net").is_some_and(|n| n.parse::<u8>().is_ok()))
            .map(String::as_str)
    }

    /// The size of the root disk in bytes.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.property("rootfs", "size").and_then(size_bytes).filter(|b| *b > 0).unwrap_or(4 << 30)
    }

    /// Memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.number("memory").unwrap_or(512) << 20
    }

    /// Swap in bytes; a container that is being created has none yet.
    #[must_use]
    pub fn swap_bytes(&self) -> u64 {
        self.number("swap").unwrap_or(0) << 20
    }

    /// As `GET config` answers it, without the digest.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let value = |key: &str, value: &str| match value.parse::<i64>() {
            Ok(number) if NUMBERS.contains(&key) => number.into(),
            _ if key == "description" => format!("{value}\n").into(),
            _ => value.into(),
        };
        self.values.iter().map(|(k, v)| (k.clone(), value(k, v))).collect()
    }
}

/// Tags are lower-cased, sorted, unique and separated by semicolons.
fn tags(value: &str) -> String {
    let split = value.split([',', ';', ' ']).map(str::trim).filter(|t| !t.is_empty());
    let mut tags: Vec<String> = split.map(str::to_lowercase).collect();
    tags.sort();
    tags.dedup();
    tags.join(";")
}

/// A network option as Proxmox stores it: hardware address and type added, keys in its own order.
#[must_use]
pub fn network(value: &str, key: u64) -> String {
    let pairs: Vec<(&str, &str)> = value.split(',').filter_map(|p| p.split_once('=')).collect();
    let given = |name: &str| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned());
    let mut all: BTreeMap<&str, String> =
        pairs.iter().filter(|(k, _)| *k != "name").map(|(k, v)| (*k, (*v).to_owned())).collect();
    all.insert("hwaddr", given("hwaddr").map_or_else(|| noise::hwaddr(key), |mac| mac.to_uppercase()));
    all.insert("type", "veth".to_owned());
    let rest: Vec<String> = all.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("name={},{}", given("name").unwrap_or_else(|| "eth0".to_owned()), rest.join(","))
}

/// `8G`, `512M`, … in bytes.
#[must_use]
pub fn size_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'K') => (&text[..at], 1u64 << 10),
        (at, 'M') => (&text[..at], 1 << 20),
        (at, 'G') => (&text[..at], 1 << 30),
        (at, 'T') => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    digits.parse::<f64>().ok().map(|n| (n * unit as f64) as u64)
}

/// Bytes the way Proxmox writes a size.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    for (shift, unit) in [(40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_sorted_and_separated_by_semicolons() {
        let mut config = Config::default();
        config.set("tags", "Web,b a");
        assert_eq!(config.get("tags"), Some("a;b;web"));
    }

    #[test]
    fn a_network_gets_an_address_and_keeps_a_given_one() {
        let stored = network("name=eth0,bridge=vmbr0,ip=dhcp", 7);
        assert!(stored.starts_with("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:"), "{stored}");
        assert!(stored.ends_with(",ip=dhcp,type=veth"), "{stored}");
        assert!(network("name=e,hwaddr=bc:24:11:00:00:01", 7).contains("hwaddr=BC:24:11:00:00:01"));
    }

    #[test]
    fn sizes_go_both_ways() {
        assert_eq!(size_bytes("8G"), Some(8 << 30));
        assert_eq!(size_bytes("1.5G"), Some(3 << 29));
        assert_eq!(size_bytes("2T"), Some(2 << 40));
        assert_eq!(size_text(2560 << 20), "2560M");
    }

    #[test]
    fn every_change_changes_the_digest() {
        let mut config = Config::default();
        config.set("memory", "512");
        let before = config.digest();
        config.set("memory", "513");
        assert_ne!(before, config.digest());
        assert_eq!(before.len(), 40);
    }
}

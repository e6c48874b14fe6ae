//! The files of `create`: wishes as TOML, public keys. Owns how they are read and in which words they are refused.

use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use lxc_core::create::{OnFailure, Phase, Wish};
use lxc_core::error::{Code, Error, Result};
use serde::{Deserialize, Deserializer};

use crate::cli::values::{gibibytes, mebibytes};

/// Bytes of a file; it holds a page of text.
const LARGEST: u64 = 1 << 20;

/// The file, with the names of the flags.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wishes {
    name: Option<String>,
    template: Option<String>,
    image: Option<String>,
    download: Option<bool>,
    node: Option<String>,
    #[serde(deserialize_with = "word")]
    vmid: Option<String>,
    cores: Option<u32>,
    #[serde(deserialize_with = "memory")]
    memory: Option<u64>,
    #[serde(deserialize_with = "memory")]
    swap: Option<u64>,
    #[serde(deserialize_with = "disk")]
    disk: Option<u64>,
    storage: Option<String>,
    privileged: Option<bool>,
    unprivileged: Option<bool>,
    nesting: Option<bool>,
    keyctl: Option<bool>,
    fuse: Option<bool>,
    bridge: Option<String>,
    vlan: Option<u16>,
    ip: Option<String>,
    gateway: Option<Ipv4Addr>,
    ip6: Option<String>,
    gateway6: Option<Ipv6Addr>,
    nameserver: Option<String>,
    searchdomain: Option<String>,
    tags: Option<Vec<String>>,
    pool: Option<String>,
    onboot: Option<bool>,
    start_order: Option<u32>,
    description: Option<String>,
    ssh_keys: Option<Vec<String>>,
    without: Option<Vec<String>>,
    stop_after: Option<Phase>,
    on_failure: Option<OnFailure>,
}

/// `"2G"`, or a number in the unit of the flag.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
}

fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Some(match Amount::deserialize(from)? {
        Amount::Number(number) => number.to_string(),
        Amount::Text(text) => text,
    }))
}

fn memory<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    amount(from, mebibytes)
}

fn disk<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    amount(from, gibibytes)
}

fn amount<'de, D: Deserializer<'de>>(
    from: D,
    read: fn(&str) -> Result<u64, String>,
) -> Result<Option<u64>, D::Error> {
    match Amount::deserialize(from)? {
        Amount::Number(number) => Ok(Some(number)),
        Amount::Text(text) => read(&text).map(Some).map_err(serde::de::Error::custom),
    }
}

impl From<Wishes> for Wish {
    fn from(file: Wishes) -> Self {
        Self {
            name: file.name,
            template: file.template,
            image: file.image,
            download: file.download,
            node: file.node,
            vmid: file.vmid,
            cores: file.cores,
            memory_mb: file.memory,
            swap_mb: file.swap,
            storage: file.storage,
            disk_gb: file.disk,
            unprivileged: file.unprivileged.or(file.privileged.map(|privileged| !privileged)),
            nesting: file.nesting,
            keyctl: file.keyctl,
            fuse: file.fuse,
            bridge: file.bridge,
            vlan: file.vlan,
            ip: file.ip,
            gateway: file.gateway,
            ip6: file.ip6,
            gateway6: file.gateway6,
            nameserver: file.nameserver,
            searchdomain: file.searchdomain,
            tags: file.tags,
            pool: file.pool,
            onboot: file.onboot,
            start_order: file.start_order,
            description: file.description,
            ssh_keys: file.ssh_keys,
            without: file.without,
            stop_after: file.stop_after,
            on_failure: file.on_failure,
        }
    }
}

/// The wishes of a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Wish> {
    let text = text_of(path)?;
    toml::from_str::<Wishes>(&text).map(Wish::from).map_err(|fault| {
        let shown = shown(path);
        let line = fault.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map_or_else(|| shown.clone(), |line| format!("{shown}:{line}"));
        Error::new(Code::BadValue, format!("{shown} cannot be used"))
            .because(format!("{place}: {}", fault.message()))
            .hint_noted("lxcctl create --help", "the names are those of the flags")
    })
}

/// The public keys of some files, a line each.
pub(super) fn keys(paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for path in paths {
        let text = text_of(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let before = all.len();
        all.extend(lines.map(str::to_owned));
        if all.len() == before {
            return Err(Error::new(Code::BadValue, format!("{} holds no public key", shown(path)))
                .because("a public key is a line such as: ssh-ed25519 AAAA… you@here")
                .hint("ssh-keygen -t ed25519"));
        }
    }
    Ok(all)
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

fn text_of(path: &Path) -> Result<String> {
    let fault = |why: String| {
        Error::new(Code::BadValue, format!("{} cannot be read", shown(path)))
            .because(why)
            .hint("lxcctl create --help")
    };
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
    };
    match read {
        Ok(_) if text.len() as u64 > LARGEST => Err(fault("it is larger than 1 MiB".to_owned())),
        Ok(_) => Ok(text),
        Err(error) => Err(fault(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Wish> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn the_names_are_those_of_the_flags() {
        let wish =
            parse("name = \"web-7\"\nvmid = 114\nmemory = \"2G\"\ndisk = 16\nstop_after = \"start\"\n")
                .unwrap();
        assert_eq!((wish.vmid.as_deref(), wish.memory_mb, wish.disk_gb), (Some("114"), Some(2048), Some(16)));
        assert_eq!(wish.stop_after, Some(Phase::Start));
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, line) in
            [("name = \"a\"\nmemroy = 1\n", 2), ("name = \n", 1), ("a = 1", 1), ("\n\nmemory = \"much\"", 3)]
        {
            let error = parse(text).unwrap_err();
            assert!(error.why[0].contains(&format!("box.toml:{line}: ")), "{error:?}");
        }
        assert!(parse("password = \"x\"").is_err(), "there is no root password anywhere");
    }
}

//! Whether what was wished can be at all, whatever the site: names, ranges, addresses. Each error names its field. Pure.

use std::ops::RangeInclusive;

use super::network::{Addressing, parse_ip, parse_ip6};
use super::wish::{Layers, Wish};
use crate::error::{Code, Error, Result};
use crate::template::{LARGEST_DISK_GB, LEAST_MEMORY_MB, MOST_CORES, MOST_MEMORY_MB};

/// Characters of a description: Proxmox takes 8,192 with our marker and its escapes.
const LONGEST_DESCRIPTION: usize = 4_000;
/// Bytes of all public keys together; a request may have 512 KiB.
const LARGEST_KEYS: usize = 64 << 10;

/// Whether this can be a host name (RFC 1123), as Proxmox takes it: labels of letters, digits and dashes.
#[must_use]
pub fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Refuses what cannot be, of both layers a person wrote.
///
/// # Errors
/// LXC0214, naming the field and where it was said.
pub fn check_wish(layers: &Layers<'_>) -> Result<()> {
    check(layers.flags, "--")?;
    check(layers.file, "")?;
    if layers.said(|wish| wish.template.clone()).is_none()
        && let Some(piece) = layers.said(|wish| wish.without.clone()).unwrap_or_default().first()
    {
        let why = format!("{:?} is to be left out, and there is no template it is a piece of", shown(piece));
        return Err(wrong("--without", why));
    }
    gateways(layers)
}

fn check(wish: &Wish, dashes: &str) -> Result<()> {
    let field = |name: &str| match dashes {
        "" => format!("{name} in the file"),
        dashes => {
            format!("{dashes}{}", name.trim_end_matches("_mb").trim_end_matches("_gb").replace('_', "-"))
        }
    };
    let bad = |name: &str, why: String| Err(wrong(&field(name), why));
    if let Some(name) = wish.name.as_deref().filter(|name| !is_hostname(name)) {
        let why = format!("{:?} has more than letters, digits, dashes and dots in it", shown(name));
        return Err(wrong("the name of a container", why));
    }
    if let Some(name) = wish.name.as_deref().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) {
        return Err(wrong("the name of a container", format!("{name} would be taken for a vmid")));
    }
    if let Some(vmid) = wish.vmid.as_deref().filter(|vmid| *vmid != "auto")
        && !vmid.parse().is_ok_and(|vmid: u32| (100..=999_999_999).contains(&vmid))
    {
        return bad("vmid", format!("{:?} is neither auto nor a number from 100 to 999999999", shown(vmid)));
    }
    range(&field("cores"), wish.cores.map(u64::from), 1..=u64::from(MOST_CORES), "")?;
    range(&field("memory_mb"), wish.memory_mb, LEAST_MEMORY_MB.into()..=MOST_MEMORY_MB.into(), " MiB")?;
    range(&field("swap_mb"), wish.swap_mb, 0..=MOST_MEMORY_MB.into(), " MiB")?;
    range(&field("disk_gb"), wish.disk_gb, 1..=LARGEST_DISK_GB.into(), " GiB")?;
    range(&field("vlan"), wish.vlan.map(u64::from), 1..=4_094, "")?;
    if let Some(Err(why)) = wish.ip.as_deref().map(parse_ip) {
        return bad("ip", why);
    }
    if let Some(Err(why)) = wish.ip6.as_deref().map(parse_ip6) {
        return bad("ip6", why);
    }
    let words = [
        ("node", &wish.node),
        ("storage", &wish.storage),
        ("bridge", &wish.bridge),
        ("pool", &wish.pool),
        ("image", &wish.image),
        ("searchdomain", &wish.searchdomain),
    ];
    for (name, word) in words {
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '=');
        if let Some(word) = word.as_deref().filter(|word| word.is_empty() || word.contains(odd)) {
            return bad(name, format!("{:?} cannot be one", shown(word)));
        }
    }
    if let Some(list) = &wish.nameserver
        && !list.split_whitespace().all(|one| one.parse::<std::net::IpAddr>().is_ok())
    {
        return bad("nameserver", format!("{:?} is no list of addresses", shown(list)));
    }
    let tag = |tag: &String| {
        let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        first && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte))
    };
    if let Some(odd) = wish.tags.iter().flatten().find(|one| !tag(one)) {
        return bad("tags", format!("{:?} has more than letters, digits and _-+. in it", shown(odd)));
    }
    if let Some(text) = wish.description.as_deref().filter(|text| text.chars().count() > LONGEST_DESCRIPTION)
    {
        let length = text.chars().count();
        return bad("description", format!("{length} characters; {LONGEST_DESCRIPTION} fit"));
    }
    let keys = wish.ssh_keys.iter().flatten();
    if keys.clone().map(String::len).sum::<usize>() > LARGEST_KEYS {
        return bad("ssh_keys", "more than 64 KiB of public keys".to_owned());
    }
    if let Some(odd) = keys.into_iter().find(|key| !is_public_key(key)) {
        return bad("ssh_keys", format!("{:?} is no public key", shown(odd)));
    }
    Ok(())
}

/// `ssh-ed25519 AAAA… comment`
fn is_public_key(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let kind = words
        .next()
        .is_some_and(|kind| ["ssh-", "ecdsa-", "sk-"].iter().any(|begin| kind.starts_with(begin)));
    let base64 = |c: u8| c.is_ascii_alphanumeric() || b"+/=".contains(&c);
    kind && words.next().is_some_and(|key| key.starts_with("AAAA") && key.bytes().all(base64))
        && !line.contains(char::is_control)
}

/// A gateway is for an address that is given here.
fn gateways(layers: &Layers<'_>) -> Result<()> {
    let given = |text: Option<String>| text.is_some_and(|text| text.contains('/'));
    let pairs = [
        ("--gateway", "--ip", layers.said(|w| w.gateway).is_some(), layers.said(|w| w.ip.clone())),
        ("--gateway6", "--ip6", layers.said(|w| w.gateway6).is_some(), layers.said(|w| w.ip6.clone())),
    ];
    for (gateway, ip, said, address) in pairs {
        if said && !given(address) {
            return Err(wrong(gateway, format!("only an address given with {ip} has a gateway of its own")));
        }
    }
    let ip = layers.said(|wish| wish.ip.clone()).and_then(|text| parse_ip(&text).ok());
    if let (Some(Addressing::Static { address, .. }), Some(gateway)) = (ip, layers.said(|wish| wish.gateway))
        && address == gateway
    {
        return Err(wrong("--gateway", format!("{gateway} is the address of the container itself")));
    }
    Ok(())
}

fn range(field: &str, value: Option<u64>, fit: RangeInclusive<u64>, unit: &str) -> Result<()> {
    let Some(value) = value.filter(|value| !fit.contains(value)) else { return Ok(()) };
    Err(wrong(field, format!("{value}{unit} is not from {} to {}{unit}", fit.start(), fit.end())))
}

fn wrong(field: &str, why: String) -> Error {
    Error::new(Code::BadValue, format!("{field} cannot be used")).because(why).hint("lxcctl create --help")
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(wish: Wish) -> String {
        let file = Wish::default();
        let error = check_wish(&Layers { flags: &wish, file: &file, template: None }).unwrap_err();
        format!("{}: {}", error.message, error.why.join(" "))
    }

    #[test]
    fn each_bad_value_names_its_field() {
        let of = Wish::default;
        for (wish, field) in [
            (Wish { name: Some("a_b".into()), ..of() }, "the name"),
            (Wish { name: Some("104".into()), ..of() }, "the name"),
            (Wish { vmid: Some("99".into()), ..of() }, "--vmid"),
            (Wish { cores: Some(0), ..of() }, "--cores"),
            (Wish { memory_mb: Some(1), ..of() }, "--memory"),
            (Wish { disk_gb: Some(0), ..of() }, "--disk"),
            (Wish { vlan: Some(4095), ..of() }, "--vlan"),
            (Wish { ip: Some("10.0.0.5".into()), ..of() }, "--ip"),
            (Wish { bridge: Some("vmbr0,firewall=0".into()), ..of() }, "--bridge"),
            (Wish { tags: Some(vec!["a b".into()]), ..of() }, "--tags"),
            (
                Wish { ssh_keys: Some(vec!["-----BEGIN OPENSSH PRIVATE KEY-----".into()]), ..of() },
                "--ssh-keys",
            ),
            (Wish { gateway: Some([10, 0, 0, 1].into()), ..of() }, "--gateway"),
            (Wish { nameserver: Some("dns.lan".into()), ..of() }, "--nameserver"),
        ] {
            let said = refusal(wish);
            assert!(said.starts_with(field), "{said}");
        }
    }

    #[test]
    fn amounts_have_their_units() {
        for (wish, words) in [
            (Wish { memory_mb: Some(1), ..Wish::default() }, "1 MiB is not from 16 to 16777216 MiB"),
            (Wish { disk_gb: Some(0), ..Wish::default() }, "0 GiB is not from 1 to 65536 GiB"),
            (Wish { cores: Some(0), ..Wish::default() }, "0 is not from 1 to 8192"),
        ] {
            let said = refusal(wish);
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn pieces_are_left_out_of_a_template_only() {
        let without = Wish { without: Some(vec!["packages:apt".into()]), ..Wish::default() };
        assert!(refusal(without.clone()).starts_with("--without"));
        let wish = Wish { template: Some("web".into()), ..without };
        let file = Wish::default();
        assert!(check_wish(&Layers { flags: &wish, file: &file, template: None }).is_ok());
    }

    #[test]
    fn host_names() {
        for good in ["web-1", "a", "web.example.org", "1a"] {
            assert!(is_hostname(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "a_b", "a b", "ä", &"a".repeat(64)] {
            assert!(!is_hostname(bad), "{bad}");
        }
    }
}

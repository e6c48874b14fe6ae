//! Whether an answer can be, in core's own words. Pure.

use lxc_core::create::{Layers, Wish, check_wish};

use crate::client::view::Survey;

/// What a wish with only this in it is refused for.
fn refused(wish: &Wish) -> Result<(), String> {
    let file = Wish::default();
    check_wish(&Layers { flags: wish, file: &file, template: None }).map_err(|error| error.why.join("; "))
}

/// A host name that nobody has there; `shared` = one that is there already is fine.
pub(super) fn name(text: &str, survey: &Survey, shared: bool) -> Result<(), String> {
    refused(&Wish { name: Some(text.to_owned()), ..Wish::default() })?;
    match survey.names.iter().any(|name| name == text) && !shared {
        true => {
            Err(format!("{} has a container {text}; two of a name could not be told apart", survey.remote))
        }
        false => Ok(()),
    }
}

/// A number in words, and a wish that has it.
fn number<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
    wish: impl Fn(T) -> Wish,
) -> Result<(), String> {
    refused(&wish(read(text)?))
}

/// `4`
pub(super) fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// A number of cores.
pub(super) fn cores(text: &str) -> Result<(), String> {
    number(text, count, |cores| Wish { cores: Some(cores), ..Wish::default() })
}

/// An amount of memory.
pub(super) fn memory(text: &str) -> Result<(), String> {
    number(text, crate::cli::values::mebibytes, |mb| Wish { memory_mb: Some(mb), ..Wish::default() })
}

/// An amount of swap.
pub(super) fn swap(text: &str) -> Result<(), String> {
    number(text, crate::cli::values::mebibytes, |mb| Wish { swap_mb: Some(mb), ..Wish::default() })
}

/// A size of disk.
pub(super) fn disk(text: &str) -> Result<(), String> {
    number(text, crate::cli::values::gibibytes, |gb| Wish { disk_gb: Some(gb), ..Wish::default() })
}

/// An address with the bits of its network.
pub(super) fn address(text: &str) -> Result<(), String> {
    if !text.contains('/') && text.parse::<std::net::Ipv4Addr>().is_err() {
        return Err(format!("{text:?} is no ADDRESS/PREFIX"));
    }
    refused(&Wish { ip: Some(text.to_owned()), ..Wish::default() })
}

/// A gateway of that address; nothing = none.
pub(super) fn gateway(text: &str, address: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let gateway = text.parse().map_err(|_| format!("{text:?} is no IPv4 address"))?;
    refused(&Wish { ip: Some(address.to_owned()), gateway: Some(gateway), ..Wish::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_told_in_words() {
        let survey = Survey { remote: "homelab".into(), names: vec!["web-1".into()], ..Survey::default() };
        assert_eq!(name("web-7", &survey, false), Ok(()));
        assert!(name("web-1", &survey, false).unwrap_err().starts_with("homelab has a container web-1"));
        assert_eq!(name("web-1", &survey, true), Ok(()));
        for (said, why) in [
            (name("a_b", &survey, false), "letters"),
            (name("", &survey, false), "letters"),
            (name("104", &survey, false), "vmid"),
            (cores("0"), "from 1"),
            (cores("two"), "no number"),
            (memory("1"), "from 16"),
            (memory("much"), "512M"),
            (swap("-1"), "512M"),
            (disk("0"), "from 1"),
            (address("10.0.0.5"), "10.0.0.5/24"),
            (address("dhcp"), "no ADDRESS/PREFIX"),
            (gateway("10.0.0.5", "10.0.0.5/24"), "itself"),
            (gateway("router", "10.0.0.5/24"), "no IPv4 address"),
        ] {
            let said = said.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        for fine in [memory("2G"), swap("0"), disk("16"), address("10.0.0.5/24"), gateway("", "10.0.0.5/24")]
        {
            assert_eq!(fine, Ok(()));
        }
    }
}

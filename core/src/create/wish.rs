//! What somebody wishes a container to be, in layers: flags over the file over the template over the defaults. Owns
//! which layer wins and what is said of it; whether a value is possible is `values`' and `preflight`'s.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::network::Addressing;
use super::spec::{OnFailure, Phase};
use crate::template::Template;

/// What one layer says; None = nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// Host name.
    pub name: Option<String>,
    /// Template it is made from.
    pub template: Option<String>,
    /// OS image: a volume, a file name or its begin (`debian-12`).
    pub image: Option<String>,
    /// An image that is not on the node is downloaded first.
    pub download: Option<bool>,
    /// Node; `auto` = the one with most free memory.
    pub node: Option<String>,
    /// Its number; `auto` = the first free one.
    pub vmid: Option<String>,
    /// Cores.
    pub cores: Option<u32>,
    /// Memory in MiB.
    pub memory_mb: Option<u64>,
    /// Swap in MiB.
    pub swap_mb: Option<u64>,
    /// Storage of its disk.
    pub storage: Option<String>,
    /// Disk in GiB.
    pub disk_gb: Option<u64>,
    /// Its root is nobody outside.
    pub unprivileged: Option<bool>,
    /// Containers inside it.
    pub nesting: Option<bool>,
    /// The `keyctl` system call.
    pub keyctl: Option<bool>,
    /// FUSE file systems.
    pub fuse: Option<bool>,
    /// Bridge.
    pub bridge: Option<String>,
    /// VLAN tag.
    pub vlan: Option<u16>,
    /// `dhcp`, `none` or ADDRESS/PREFIX.
    pub ip: Option<String>,
    /// IPv4 gateway.
    pub gateway: Option<Ipv4Addr>,
    /// `auto`, `dhcp`, `none` or ADDRESS/PREFIX.
    pub ip6: Option<String>,
    /// IPv6 gateway.
    pub gateway6: Option<Ipv6Addr>,
    /// DNS servers.
    pub nameserver: Option<String>,
    /// DNS search domain.
    pub searchdomain: Option<String>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Resource pool.
    pub pool: Option<String>,
    /// Started with its node.
    pub onboot: Option<bool>,
    /// Its turn when its node starts.
    pub start_order: Option<u32>,
    /// Description.
    pub description: Option<String>,
    /// Public keys for root.
    pub ssh_keys: Option<Vec<String>>,
    /// Pieces of the template to leave out: `packages:npm`, `script:30-app.sh`.
    pub without: Option<Vec<String>>,
    /// Ends there.
    pub stop_after: Option<Phase>,
    /// What becomes of it when something fails.
    pub on_failure: Option<OnFailure>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// The file.
    File,
    /// The template.
    Template,
    /// Nobody said.
    Default,
    /// The site had to decide: `auto`.
    Chosen,
}

impl Origin {
    /// As a dry run shows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::File => "file",
            Self::Template => "template",
            Self::Default => "default",
            Self::Chosen => "chosen",
        }
    }
}

/// One value, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `memory`
    pub name: &'static str,
    /// As people read it.
    pub value: String,
    /// Which layer said so.
    pub origin: Origin,
}

/// The layers, the first one that says something wins.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// What stands on the command line.
    pub flags: &'a Wish,
    /// What stands in the file.
    pub file: &'a Wish,
    /// The template, once it is known.
    pub template: Option<&'a Template>,
}

impl Layers<'_> {
    /// The value of one field and its origin.
    pub fn pick<T>(
        &self,
        of: impl Fn(&Wish) -> Option<T>,
        template: impl FnOnce(&Template) -> Option<T>,
        default: impl FnOnce() -> T,
    ) -> (T, Origin) {
        if let Some(value) = of(self.flags) {
            return (value, Origin::Flag);
        }
        if let Some(value) = of(self.file) {
            return (value, Origin::File);
        }
        match self.template.and_then(template) {
            Some(value) => (value, Origin::Template),
            None => (default(), Origin::Default),
        }
    }

    /// The value of a field that neither template nor default has.
    pub fn said<T>(&self, of: impl Fn(&Wish) -> Option<T>) -> Option<T> {
        of(self.flags).or_else(|| of(self.file))
    }

    /// What was wished as OS image: said, or the template's system and version.
    #[must_use]
    pub fn image(&self) -> (String, Origin) {
        let of = |template: &Template| {
            let settings = &template.settings;
            let version = if settings.version.is_empty() { "" } else { "-" };
            Some(format!("{}{version}{}", settings.os, settings.version))
        };
        self.pick(|wish| wish.image.clone(), of, String::new)
    }
}

/// Collects what was settled, in the order it is shown.
#[derive(Debug, Default)]
pub(super) struct Settings(pub(super) Vec<Setting>);

impl Settings {
    pub(super) fn add<T: fmt::Display>(&mut self, name: &'static str, (value, origin): (T, Origin)) -> T {
        let text = value.to_string();
        self.0.push(Setting { name, value: text, origin });
        value
    }

    pub(super) fn add_as<T>(
        &mut self,
        name: &'static str,
        (value, origin): (T, Origin),
        text: impl FnOnce(&T) -> String,
    ) -> T {
        let text = text(&value);
        self.0.push(Setting { name, value: text, origin });
        value
    }
}

/// An address as it was wished; one that cannot be read was refused before (`values`).
pub(super) fn addressing<A>(text: &str, parse: fn(&str) -> Result<Addressing<A>, String>) -> Addressing<A> {
    parse(text).unwrap_or(Addressing::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let (flags, file) = (
            Wish { cores: Some(4), ..Wish::default() },
            Wish { cores: Some(2), memory_mb: Some(1024), ..Wish::default() },
        );
        let layers = Layers { flags: &flags, file: &file, template: None };
        assert_eq!(layers.pick(|wish| wish.cores, |_| None, || 1), (4, Origin::Flag));
        assert_eq!(layers.pick(|wish| wish.memory_mb, |_| None, || 512), (1024, Origin::File));
        assert_eq!(layers.pick(|wish| wish.disk_gb, |_| None, || 8), (8, Origin::Default));
        assert_eq!(layers.image(), (String::new(), Origin::Default));
    }
}

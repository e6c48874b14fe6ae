//! Whether the site lets it be made: the layers and the site in; the settings with their origins, every check with its
//! result, and the spec out. Pure and total; what the values come to is `settle`'s. Must not ask the site anything.

use std::fmt::Display;

use super::clash::{Clash, clash};
use super::image_check;
use super::network::Addressing;
use super::part::Part;
use super::pool;
use super::privileges;
use super::settle::settle;
use super::site::Site;
use super::spec::Spec;
use super::wish::{Layers, Setting, Settings};
use crate::error::{Code, Error};
use crate::text;

/// The check of the name.
const NAME: &str = "name";

/// How one check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Fine.
    Ok,
    /// Not known, or worth a word.
    Warning,
    /// It cannot be made like this.
    Refused(Box<Error>),
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `storage`
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// In words.
    pub detail: String,
}

/// What a pre-flight came to.
#[derive(Debug, Clone)]
pub struct Preflight {
    /// What would be made.
    pub spec: Spec,
    /// Each value and where it comes from.
    pub settings: Vec<Setting>,
    /// Every check, in order.
    pub checks: Vec<Check>,
    /// What is to be said of it once it is made.
    pub warnings: Vec<String>,
}

impl Preflight {
    /// The first refusal.
    #[must_use]
    pub fn refusal(&self) -> Option<&Error> {
        self.checks.iter().find_map(|check| match &check.verdict {
            Verdict::Refused(error) => Some(&**error),
            Verdict::Ok | Verdict::Warning => None,
        })
    }

    /// It is there already: nothing else matters. `words` = who is it.
    pub fn is_there(&mut self, words: impl Display) {
        self.checks = vec![ok(NAME, words)];
        self.warnings.clear();
    }

    /// The name is another container's after all.
    pub fn refuse_name(&mut self, error: Error) {
        self.checks.retain(|check| check.name != NAME);
        self.checks.insert(0, refused(NAME, error));
    }
}

/// Settles every value and checks it against the site. `parts` = what is to follow the start.
#[must_use]
pub fn preflight(layers: &Layers<'_>, site: &Site, mut parts: Vec<Part>) -> Preflight {
    let mut settings = Settings::default();
    let unseen = unseen(layers, site, &parts);
    if unseen.is_some() {
        parts.clear();
    }
    let spec = settle(layers, site, parts, &mut settings);
    let judge = Judge { spec: &spec, site };
    let checks = vec![
        judge.name(),
        judge.vmid(),
        judge.node(),
        image_check::check(judge.spec, judge.site, &layers.image().0),
        judge.storage(),
        judge.network(),
        pool::check(judge.spec, judge.site),
        judge.features(),
        privileges::check(judge.spec, judge.site),
        unseen.as_ref().map_or_else(|| judge.ssh(), |why| Some(unknown("ssh", why))),
    ];
    let checks = checks.into_iter().flatten().collect();
    Preflight { checks, spec, settings: settings.0, warnings: unseen.into_iter().collect() }
}

/// Why nobody looks into it, where nothing was to be done in it but looking: no template, and no phase was asked for.
fn unseen(layers: &Layers<'_>, site: &Site, parts: &[Part]) -> Option<String> {
    let wished = layers.template.is_some() || layers.said(|wish| wish.stop_after).is_some();
    let error = site.ssh_trouble.as_ref().filter(|_| !wished && !parts.is_empty())?;
    let why = error.why.first().unwrap_or(&error.message);
    let way =
        error.tries.first().map_or_else(String::new, |way| format!("; try {} ({})", way.command, way.note));
    Some(format!("nothing is looked at inside: {why}{way}"))
}

struct Judge<'a> {
    spec: &'a Spec,
    site: &'a Site,
}

pub(super) fn ok(name: &'static str, detail: impl Display) -> Check {
    Check { name, verdict: Verdict::Ok, detail: detail.to_string() }
}

pub(super) fn unknown(name: &'static str, detail: impl Display) -> Check {
    Check { name, verdict: Verdict::Warning, detail: detail.to_string() }
}

pub(super) fn refused(name: &'static str, error: Error) -> Check {
    let detail = error.why.first().cloned().unwrap_or_else(|| error.message.clone());
    Check { name, verdict: Verdict::Refused(Box::new(error)), detail }
}

impl Judge<'_> {
    /// What another container has already, and which one.
    fn taken(&self, wanted: fn(&Clash) -> bool) -> Option<Error> {
        let mut others = self.site.others.iter().map(|entry| &entry.row);
        let (clash, other) = others.find_map(|row| Some((clash(self.spec, row).filter(wanted)?, row)))?;
        let remote = &self.site.remote;
        Some(clash.error(&self.spec.name, remote, &format!("{remote}/{}", other.vmid)))
    }

    fn name(&self) -> Option<Check> {
        let taken = self.taken(|clash| *clash == Clash::Name);
        Some(taken.map_or_else(|| ok(NAME, &self.spec.name), |error| refused(NAME, error)))
    }

    fn vmid(&self) -> Option<Check> {
        let vmid = self.site.vmid;
        Some(match &self.site.vmid_taken {
            None => ok("vmid", vmid),
            Some(whose) => {
                let error = Error::new(Code::VmidTaken, format!("vmid {vmid} is taken"))
                    .because(whose.clone())
                    .hint_noted("{line} --vmid auto", "takes the first free one");
                refused("vmid", error)
            }
        })
    }

    fn node(&self) -> Option<Check> {
        Some(match &self.site.node_trouble {
            Some(error) => refused("node", error.clone()),
            None => ok("node", self.site.node_chosen.as_deref().unwrap_or("online")),
        })
    }

    fn storage(&self) -> Option<Check> {
        if self.site.node_trouble.is_some() {
            return None;
        }
        let (name, node) = (&self.spec.storage, &self.site.node);
        let unfit = |why: String| {
            let fit: Vec<&str> = self
                .site
                .storages
                .iter()
                .filter(|storage| storage.active && storage.takes("rootdir"))
                .map(|storage| storage.name.as_str())
                .collect();
            let error =
                Error::new(Code::StorageUnfit, format!("storage {name} cannot take the disk")).because(why);
            refused(
                "storage",
                match fit.iter().find(|fit| *fit != name) {
                    Some(other) => error.hint(format!("{{line}} --storage {other}")),
                    None => error.hint_noted("pvesm status --content rootdir", format!("on {node}")),
                },
            )
        };
        let Some(storage) = self.site.storages.iter().find(|storage| storage.name == *name) else {
            return Some(unfit(format!("{node} has no storage {name} the token may see")));
        };
        if !storage.active {
            return Some(unfit(format!("it is not active on {node}")));
        }
        if !storage.takes("rootdir") {
            return Some(unfit(format!("it takes {}, no rootdir", storage.content.join(", "))));
        }
        let needed = self.spec.disk_gb << 30;
        Some(match storage.available {
            Some(free) if free < needed => {
                unfit(format!("{} are free, {} are wanted", text::bytes(free), text::bytes(needed)))
            }
            Some(free) => ok("storage", format!("{name}, {} free", text::bytes(free))),
            None => unknown("storage", format!("{name} does not say how much is free")),
        })
    }

    fn network(&self) -> Option<Check> {
        if self.site.node_trouble.is_some() {
            return None;
        }
        let (bridge, node) = (&self.spec.network.bridge, &self.site.node);
        if let Some(error) = self.taken(|clash| matches!(clash, Clash::Address(_))) {
            return Some(refused("network", error));
        }
        let Some(bridges) = &self.site.bridges else {
            return Some(unknown("network", format!("the token may not see the bridges of {node}")));
        };
        if !bridges.contains(bridge) {
            let error = Error::new(Code::NetworkUnfit, format!("{node} has no bridge {bridge}"));
            let error = match bridges.first() {
                Some(first) => error
                    .because(format!("there are {}", bridges.join(", ")))
                    .hint(format!("{{line}} --bridge {first}")),
                None => error.because("it has none at all").hint_noted("ip link", format!("on {node}")),
            };
            return Some(refused("network", error));
        }
        let family = |ip: String| (ip != "none").then_some(ip);
        let both = [family(self.spec.network.ip.to_string()), family(self.spec.network.ip6.to_string())];
        let both: Vec<String> = both.into_iter().flatten().collect();
        let none = self.spec.network.ip == Addressing::None && self.spec.network.ip6 == Addressing::None;
        Some(if none && self.spec.goes_inside() {
            unknown("network", format!("{bridge}, without any address"))
        } else {
            ok("network", format!("{bridge}, {}", both.join(", ")))
        })
    }

    /// A token is not root@pam, even one of root@pam's (docs/proxmox.md, Auth).
    fn features(&self) -> Option<Check> {
        let features = self.spec.features;
        if self.site.root || (!features.nesting && !features.keyctl && !features.fuse) {
            return None;
        }
        let only_root = [("keyctl", features.keyctl), ("fuse", features.fuse)];
        let mut names: Vec<&str> = only_root.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        if features.nesting && !self.spec.unprivileged {
            names.push("nesting of a privileged container");
        }
        if names.is_empty() {
            return Some(ok("features", "nesting"));
        }
        let error =
            Error::new(Code::FeatureRefused, format!("Proxmox lets no token set {}", names.join(" and ")))
                .because("features other than nesting of an unprivileged container are for root@pam itself")
                .hint_noted(
                    format!("pct set {} --features nesting=1,keyctl=1", self.site.vmid),
                    "on the node, after a create without them",
                );
        Some(refused("features", error))
    }

    fn ssh(&self) -> Option<Check> {
        if !self.spec.goes_inside() {
            return None;
        }
        Some(match &self.site.ssh_trouble {
            None => ok("ssh", format!("root on {}", self.site.node)),
            Some(error) => refused("ssh", error.clone()),
        })
    }
}

#[cfg(test)]
#[path = "preflight_tests.rs"]
mod tests;

//! A container to be made, with everything decided, and the parameters Proxmox is given for it. Pure; what was
//! decided how is `wish`'.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::download::Download;
use super::network::Network;
use super::part::Part;
use crate::ids::{OperationId, Vmid};

/// Where a create ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Made on Proxmox.
    Create,
    /// It runs.
    Start,
    /// It was reached, and its files are there.
    Deploy,
    /// Packages and scripts.
    Provision,
    /// Its services are known.
    Discover,
}

impl FromStr for Phase {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|phase| phase.name() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl FromStr for OnFailure {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Keep, Self::Delete];
        all.into_iter().find(|one| one.name() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// A word that is none of those it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of the words that fit here")]
pub struct UnknownWord(String);

impl OnFailure {
    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
        }
    }
}

impl Phase {
    /// In order.
    pub const ALL: [Self; 5] = [Self::Create, Self::Start, Self::Deploy, Self::Provision, Self::Discover];

    /// As it is typed and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Start => "start",
            Self::Deploy => "deploy",
            Self::Provision => "provision",
            Self::Discover => "discover",
        }
    }

    /// The percent of the whole at which it begins and ends.
    #[must_use]
    pub fn percent(self) -> (f64, f64) {
        match self {
            Self::Create => (5.0, 20.0),
            Self::Start => (20.0, 35.0),
            Self::Deploy => (35.0, 60.0),
            Self::Provision => (60.0, 90.0),
            Self::Discover => (90.0, 100.0),
        }
    }
}

/// What becomes of a container whose making fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It stays, marked `error`, for `op retry`.
    Keep,
    /// It is deleted.
    Delete,
}

/// Features of the container; a token may set nesting only, and that only unprivileged (docs/proxmox.md, Auth).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Containers inside it.
    pub nesting: bool,
    /// The `keyctl` system call.
    pub keyctl: bool,
    /// FUSE file systems.
    pub fuse: bool,
}

impl Features {
    fn value(self) -> Option<String> {
        let on = [("nesting", self.nesting), ("keyctl", self.keyctl), ("fuse", self.fuse)];
        let on: Vec<String> = on.iter().filter(|(_, on)| *on).map(|(name, _)| format!("{name}=1")).collect();
        (!on.is_empty()).then(|| on.join(","))
    }
}

/// A container to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Host name.
    pub name: String,
    /// Template it is made from, as it was called; None = from an image alone.
    pub template: Option<String>,
    /// Another number may be taken when Proxmox refuses this one.
    pub any_vmid: bool,
    /// The image: `local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst`.
    pub image: String,
    /// … which is not there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<Download>,
    /// Why it is on its node, when nobody said which: `pve2 has most free memory (21Gi)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<String>,
    /// Cores.
    pub cores: u32,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// Swap in MiB.
    pub swap_mb: u64,
    /// Storage its disk is on.
    pub storage: String,
    /// Its disk in GiB.
    pub disk_gb: u64,
    /// Its root is nobody outside.
    pub unprivileged: bool,
    /// Features.
    pub features: Features,
    /// Its first interface.
    pub network: Network,
    /// DNS servers, separated by blanks; None = the node's.
    pub nameserver: Option<String>,
    /// DNS search domain; None = the node's.
    pub searchdomain: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Resource pool.
    pub pool: Option<String>,
    /// Started with its node.
    pub onboot: bool,
    /// Its turn when its node starts.
    pub start_order: Option<u32>,
    /// Description.
    pub description: String,
    /// Public keys root may log in with, a line each.
    pub ssh_keys: Vec<String>,
    /// What follows its start.
    pub parts: Vec<Part>,
    /// Where it ends.
    pub stop_after: Phase,
    /// What becomes of it when something fails.
    pub on_failure: OnFailure,
}

impl Spec {
    /// The parameters of `POST /nodes/N/lxc`. The marker tells later whose container it is (ARCHITECTURE.md,
    /// Identity).
    #[must_use]
    pub fn parameters(&self, vmid: Vmid, marker: OperationId) -> Vec<(String, String)> {
        let flag = |on: bool| String::from(if on { "1" } else { "0" });
        let mut all = vec![
            ("vmid", vmid.to_string()),
            ("ostemplate", self.image.clone()),
            ("hostname", self.name.clone()),
            ("cores", self.cores.to_string()),
            ("memory", self.memory_mb.to_string()),
            ("swap", self.swap_mb.to_string()),
            ("rootfs", format!("{}:{}", self.storage, self.disk_gb)),
            ("unprivileged", flag(self.unprivileged)),
            ("net0", self.network.net0()),
            ("onboot", flag(self.onboot)),
            ("description", described(&self.description, marker)),
        ];
        let more = [
            ("features", self.features.value()),
            ("nameserver", self.nameserver.clone()),
            ("searchdomain", self.searchdomain.clone()),
            ("tags", (!self.tags.is_empty()).then(|| self.tags.join(";"))),
            ("pool", self.pool.clone()),
            ("startup", self.start_order.map(|order| format!("order={order}"))),
            ("ssh-public-keys", (!self.ssh_keys.is_empty()).then(|| self.ssh_keys.join("\n"))),
        ];
        all.extend(more.into_iter().filter_map(|(key, value)| Some((key, value?))));
        all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Whether anything is to be done inside the container.
    #[must_use]
    pub fn goes_inside(&self) -> bool {
        self.parts.iter().any(|part| part.phase() <= self.stop_after)
    }

    /// `2 cores, 2.0Gi, 8.0Gi on local-lvm`
    #[must_use]
    pub fn size(&self) -> String {
        format!(
            "{}, {}, {} on {}",
            crate::text::counted(u64::from(self.cores), "core"),
            crate::text::bytes(self.memory_mb << 20),
            crate::text::bytes(self.disk_gb << 30),
            self.storage
        )
    }
}

/// A description with our marker at its end.
fn described(text: &str, marker: OperationId) -> String {
    let marker = format!("<!-- lxcd:{marker} -->");
    if text.trim().is_empty() { marker } else { format!("{}\n\n{marker}", text.trim_end()) }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::super::network::Addressing;
    use super::*;
    use crate::pve::Config;

    /// A container nobody asked for.
    pub(crate) fn spec() -> Spec {
        Spec {
            name: "web-7".into(),
            template: Some("web-node".into()),
            any_vmid: true,
            image: "local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst".into(),
            download: None,
            placed: None,
            cores: 2,
            memory_mb: 2048,
            swap_mb: 512,
            storage: "local-lvm".into(),
            disk_gb: 8,
            unprivileged: true,
            features: Features { nesting: true, ..Features::default() },
            network: Network {
                bridge: "vmbr0".into(),
                vlan: None,
                ip: Addressing::Dhcp,
                gateway: None,
                ip6: Addressing::None,
                gateway6: None,
            },
            nameserver: None,
            searchdomain: None,
            tags: vec!["web".into(), "node".into()],
            pool: None,
            onboot: false,
            start_order: None,
            description: "A web server".into(),
            ssh_keys: Vec::new(),
            parts: Vec::new(),
            stop_after: Phase::Discover,
            on_failure: OnFailure::Keep,
        }
    }

    #[test]
    fn says_what_proxmox_is_to_make() {
        let id = OperationId::generate();
        let all: BTreeMap<String, String> = spec().parameters(114, id).into_iter().collect();
        let of = |key: &str| all.get(key).map(String::as_str);
        assert_eq!(of("rootfs"), Some("local-lvm:8"));
        assert_eq!(of("features"), Some("nesting=1"));
        assert_eq!(of("net0"), Some("name=eth0,bridge=vmbr0,ip=dhcp"));
        assert_eq!(of("tags"), Some("web;node"));
        assert_eq!((of("pool"), of("ssh-public-keys"), of("password")), (None, None, None));
        let config = Config { values: all.clone() };
        assert_eq!(config.marker(), Some(id.0), "read back as it was written");
        assert_eq!(spec().size(), "2 cores, 2.0Gi, 8.0Gi on local-lvm");
    }
}

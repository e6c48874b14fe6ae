//! Flags of `create`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lxc_core::create::{OnFailure, Phase};

use super::values::{duration, gibibytes, mebibytes, yes_no};

/// `create`
#[derive(Debug, Clone, Default, Args)]
pub struct CreateArgs {
    /// Host name of the container; together with --remote it is how it is found again.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Template it is made from (lxcctl template ls).
    #[arg(short = 't', long, value_name = "NAME", add = crate::complete::templates())]
    pub template: Option<String>,
    /// OS image on the node, in place of the template's: the begin of its name (debian-12, the newest is taken), its
    /// file name or a volume.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Have Proxmox download the newest such image first when the node has none: yes or no (default: no). The list it
    /// takes it from is that of pveam available.
    #[arg(
        long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
        value_parser = yes_no
    )]
    pub download: Option<bool>,
    /// Read the wishes from a TOML file, - is standard input; the names are those of the flags with _ for -, tags,
    /// ssh_keys and without are lists. Flags win over it.
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Make it on this remote (default: LXCCTL_REMOTE, the default remote, or the only one).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, add = crate::complete::remotes())]
    pub remote: Option<String>,
    /// Which node, how large, on which storage.
    #[command(flatten)]
    pub place: Place,
    /// How it reaches its network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Tags and the like.
    #[command(flatten)]
    pub marks: Marks,
    /// What follows its start.
    #[command(flatten)]
    pub provisioning: Provisioning,
    /// Waiting.
    #[command(flatten)]
    pub waiting: CreateWaiting,
}

/// Where it goes and how large it is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Place and size")]
pub struct Place {
    /// Node; auto takes the one with most free memory (default: auto).
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Its number; auto takes the first free one (default: auto).
    #[arg(long, value_name = "N")]
    pub vmid: Option<String>,
    /// Cores (default: the template's, else 1).
    #[arg(long, value_name = "N")]
    pub cores: Option<u32>,
    /// Memory: 2G, 512M; a bare number is MiB (default: the template's, else 512M).
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    pub memory: Option<u64>,
    /// Swap, the same way (default: 512M).
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    pub swap: Option<u64>,
    /// Disk: 8G, 1T; a bare number is GiB (default: the template's, else 8G).
    #[arg(long, value_name = "SIZE", value_parser = gibibytes)]
    pub disk: Option<u64>,
    /// Storage of the disk (default: the one with most room that takes disks).
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
    /// Its root is root of the node, too (default: what the template says).
    #[arg(long)]
    pub privileged: bool,
    /// Its root is nobody on the node, whatever the template says.
    #[arg(long, conflicts_with = "privileged")]
    pub unprivileged: bool,
    /// What it may do that others may not.
    #[command(flatten)]
    pub features: FeatureArgs,
}

/// Features of Proxmox.
#[derive(Debug, Clone, Default, Args)]
pub struct FeatureArgs {
    /// Let it run containers itself, as newer systemd wants: yes or no (default: the template's, else yes unless it is
    /// privileged). Of a privileged one only root@pam may, no token (LXC0522).
    #[arg(
        long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
        value_parser = yes_no
    )]
    pub nesting: Option<bool>,
    /// Let it use keyctl(): yes or no (default: the template's, else no). Only root@pam may, no token (LXC0522).
    #[arg(
        long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
        value_parser = yes_no
    )]
    pub keyctl: Option<bool>,
    /// Let it mount with FUSE: yes or no (default: the template's, else no). Only root@pam may, no token (LXC0522).
    #[arg(
        long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
        value_parser = yes_no
    )]
    pub fuse: Option<bool>,
}

/// How it reaches its network.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Bridge (default: vmbr0, else the first of the node).
    #[arg(long, value_name = "NAME")]
    pub bridge: Option<String>,
    /// VLAN tag.
    #[arg(long, value_name = "N")]
    pub vlan: Option<u16>,
    /// IPv4: dhcp, none or ADDRESS/PREFIX (default: dhcp).
    #[arg(long, value_name = "WHAT")]
    pub ip: Option<String>,
    /// IPv4 gateway of a given address.
    #[arg(long, value_name = "ADDRESS")]
    pub gateway: Option<Ipv4Addr>,
    /// IPv6: auto, dhcp, none or ADDRESS/PREFIX (default: none).
    #[arg(long, value_name = "WHAT")]
    pub ip6: Option<String>,
    /// IPv6 gateway of a given address.
    #[arg(long, value_name = "ADDRESS")]
    pub gateway6: Option<Ipv6Addr>,
    /// DNS servers, separated by blanks (default: the node's).
    #[arg(long, value_name = "ADDRESSES")]
    pub nameserver: Option<String>,
    /// DNS search domain (default: the node's).
    #[arg(long, value_name = "DOMAIN")]
    pub searchdomain: Option<String>,
}

/// What is written on it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Marks")]
pub struct Marks {
    /// A tag; repeat for several (default: the template's).
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Resource pool.
    #[arg(long, value_name = "NAME")]
    pub pool: Option<String>,
    /// Start it with its node.
    #[arg(long)]
    pub onboot: bool,
    /// Its turn when its node starts.
    #[arg(long, value_name = "N")]
    pub start_order: Option<u32>,
    /// Description (default: the template's).
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Public keys that may log in to the container as root, from a file; repeat for several.
    #[arg(long = "ssh-key", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ssh_keys: Vec<PathBuf>,
}

/// What follows its start.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Provisioning")]
pub struct Provisioning {
    /// Leave a piece of the template out: packages:npm, packages:base.apt, script:30-app.sh, file:site.conf; repeat for
    /// several.
    #[arg(long, value_name = "PIECE")]
    pub without: Vec<String>,
    /// End after this phase: create, start (both without SSH), deploy (files), provision (packages, scripts), discover
    /// (default: discover; without a template and without SSH: start).
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub stop_after: Option<Phase>,
    /// When something fails: keep (for op retry) or delete the container (default: keep).
    #[arg(long, value_name = "WHAT", value_parser = on_failure)]
    pub on_failure: Option<OnFailure>,
}

/// Waiting, repeating.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Verbs")]
pub struct CreateWaiting {
    /// How long this command waits; the operation goes on (default: for ever).
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true)]
    pub timeout: Option<Duration>,
    /// Do not wait at all.
    #[arg(long, hide_short_help = true, conflicts_with = "timeout")]
    pub detach: bool,
    /// Check everything, say what would be made and where each value comes from; make nothing.
    #[arg(long, hide_short_help = true, conflicts_with = "detach")]
    pub dry_run: bool,
    /// One of that name that lxcd made, and that is as it is wished here, is a success; one that is being made is waited
    /// for.
    #[arg(long, hide_short_help = true)]
    pub if_needed: bool,
    /// Your own key (a UUID): the same one again returns the same operation.
    #[arg(long, value_name = "UUID", hide_short_help = true)]
    pub request_id: Option<String>,
    /// Exit 12 when it was done with warnings.
    #[arg(long, hide_short_help = true)]
    pub fail_on_warnings: bool,
    /// Ask nothing: what is missing is an error.
    #[arg(short = 'y', long, hide_short_help = true)]
    pub yes: bool,
}

fn phase(text: &str) -> Result<Phase, String> {
    let names = || Phase::ALL.map(Phase::name).join(", ");
    text.parse().map_err(|_| format!("one of {}", names()))
}

fn on_failure(text: &str) -> Result<OnFailure, String> {
    text.parse().map_err(|_| "keep or delete".to_owned())
}

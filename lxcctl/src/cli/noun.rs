//! Flags of the other nouns: events, audit, node, daemon.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{count, cursor, duration};
use super::{Lists, Select, Tables, help};

/// `events`
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// Go on with what happens; ends with Ctrl-C.
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Only after this cursor (CURSOR in -o wide, cursor in JSON).
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub after: Option<i64>,
    /// Only of the last 10m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// Only this type: started, stopped, deleted, error, …; repeated means OR.
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only by this person.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// At most so many of the past.
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value_t = 50)]
    pub limit: u32,
    /// Of which containers.
    #[command(flatten)]
    pub select: Select,
    /// Without the first line.
    #[arg(long)]
    pub no_headers: bool,
}

/// `audit`
#[derive(Debug, Args)]
pub struct AuditCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<AuditVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub list: AuditList,
}

/// What can be done with the audit.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum AuditVerb {
    /// List audit records, oldest first.
    #[command(override_usage = "lxcctl audit [ls] [flags]", after_help = help::AUDIT, help_template = help::TEMPLATE)]
    Ls(AuditList),
}

/// `audit ls`
#[derive(Debug, Clone, Default, Args)]
pub struct AuditList {
    /// Only of this container: remote/vmid.
    #[arg(long, value_name = "TARGET", add = crate::complete::targets())]
    pub target: Option<String>,
    /// Only by this person.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only this verb.
    #[arg(long, value_name = "VERB")]
    pub verb: Option<String>,
    /// Only of the last 10m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// Only what did not succeed.
    #[arg(long)]
    pub failed: bool,
    /// At most so many.
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value_t = 50)]
    pub limit: u32,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// `node`
#[derive(Debug, Args)]
pub struct NodeCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<NodeVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub list: NodeList,
}

/// What can be done with nodes.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum NodeVerb {
    /// List Proxmox nodes.
    #[command(override_usage = "lxcctl node [ls] [flags]", after_help = help::NODE, help_template = help::TEMPLATE)]
    Ls(NodeList),
}

/// `node ls`
#[derive(Debug, Clone, Default, Args)]
pub struct NodeList {
    /// Only on this remote (LXCCTL_REMOTE).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, add = crate::complete::remotes())]
    pub remote: Option<String>,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
    /// How current and complete it has to be.
    #[command(flatten)]
    pub lists: Lists,
}

/// `daemon`
#[derive(Debug, Args)]
pub struct DaemonCommand {
    /// Without a word: status.
    #[command(subcommand)]
    pub command: Option<DaemonVerb>,
}

/// What can be done with the daemon.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum DaemonVerb {
    /// Show how lxcd is.
    #[command(override_usage = "lxcctl daemon [status]", after_help = help::DAEMON, help_template = help::BARE)]
    Status,
    /// List every lxcd of this database.
    #[command(override_usage = "lxcctl daemon ls [flags]", after_help = help::DAEMON_LS, help_template = help::TEMPLATE)]
    Ls(DaemonList),
    /// Have an lxcd begin nothing new and leave its operations to the others.
    #[command(override_usage = "lxcctl daemon drain [ID]", after_help = help::DAEMON_DRAIN, help_template = help::TEMPLATE)]
    Drain(DrainDaemon),
}

/// `daemon ls`
#[derive(Debug, Clone, Default, Args)]
pub struct DaemonList {
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// `daemon drain`
#[derive(Debug, Clone, Args)]
pub struct DrainDaemon {
    /// Which one, as daemon ls shows it; without it, the one that is asked.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

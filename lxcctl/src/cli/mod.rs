//! The command line: what can be typed. Owns names, flags and their help; must not do anything.

mod bucket;
mod create;
pub mod groups;
pub mod help;
pub mod line;
mod noun;
mod op;
mod remote;
mod ssh;
mod template;
pub mod usage;
pub mod values;
mod verb;

use clap::{Args, Parser, Subcommand};

pub use bucket::{BucketCommand, BucketList, BucketName, BucketVerb, ChangeBucket, DeleteBucket, EditBucket};
pub use create::{CreateArgs, CreateWaiting, Marks, NetworkArgs, Place, Provisioning};
pub use groups::{Format, Global, Lists, ProgressMode, Select, Tables};
pub use noun::{
    AuditCommand, AuditList, AuditVerb, DaemonCommand, DaemonList, DaemonVerb, DrainDaemon, EventsArgs,
    NodeCommand, NodeList, NodeVerb,
};
pub use op::{CancelOp, OpCommand, OpFilter, OpId, OpList, OpLog, OpVerb, ResolveOp, RetryOp, WatchOp};
pub use remote::{
    AddRemote, LoginRemote, RemoteCommand, RemoteName, RemoteVerb, RemoveRemote, Secret, SetRemote,
    ShareRemote, TrustRemote, UnshareRemote,
};
pub use ssh::SshFlags;
pub use template::{
    DeleteTemplate, EditTemplate, ExportTemplate, ImportTemplate, TemplateCommand, TemplateList,
    TemplateName, TemplateVerb,
};
pub use verb::{
    Batch, DeleteArgs, ForgetArgs, Grace, OnError, RestartArgs, ShutdownArgs, StartArgs, StopArgs, Waiting,
};

/// Manage LXC containers on Proxmox VE.
#[derive(Debug, Parser)]
#[command(
    name = "lxcctl",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    infer_long_args = false,
    override_help = help::TOP,
    help_template = help::TEMPLATE,
    max_term_width = 100,
    args_override_self = false
)]
pub struct Cli {
    /// Flags every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command that is built.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum Command {
    /// List containers.
    #[command(
        visible_alias = "list",
        override_usage = "lxcctl ls [TARGET…] [flags]",
        after_help = help::LS,
        help_template = help::TEMPLATE
    )]
    Ls(LsArgs),
    /// Show one container: config, resources, the last 10 events.
    #[command(override_usage = "lxcctl show TARGET [flags]", after_help = help::SHOW, help_template = help::TEMPLATE)]
    Show(ShowArgs),
    /// Count containers by status.
    #[command(override_usage = "lxcctl summary [TARGET…] [flags]", after_help = help::SUMMARY, help_template = help::BARE)]
    Summary(SummaryArgs),
    /// Read the journal: what happened to containers, whoever did it.
    #[command(override_usage = "lxcctl events [TARGET…] [flags]", after_help = help::EVENTS, help_template = help::TEMPLATE)]
    Events(EventsArgs),
    /// List Proxmox nodes.
    #[command(override_usage = "lxcctl node [ls] [flags]", after_help = help::NODE, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Node(NodeCommand),
    /// Show what runs in a container: its services, their ports and URLs.
    #[command(override_usage = "lxcctl services TARGET [flags]", after_help = help::SERVICES, help_template = help::TEMPLATE)]
    Services(ServicesArgs),
    /// Start containers and wait until they run.
    #[command(override_usage = "lxcctl start TARGET… [flags]", after_help = help::START, help_template = help::BARE)]
    Start(StartArgs),
    /// Power off now; graceful is `shutdown`.
    #[command(override_usage = "lxcctl stop TARGET… [flags]", after_help = help::STOP, help_template = help::BARE)]
    Stop(StopArgs),
    /// Shut down gracefully; what has not stopped after its grace is killed.
    #[command(override_usage = "lxcctl shutdown TARGET… [flags]", after_help = help::SHUTDOWN, help_template = help::TEMPLATE)]
    Shutdown(ShutdownArgs),
    /// Shut down as `shutdown` does, then start; a stopped container is only started.
    #[command(
        visible_alias = "reboot",
        override_usage = "lxcctl restart TARGET… [flags]",
        after_help = help::RESTART,
        help_template = help::TEMPLATE
    )]
    Restart(RestartArgs),
    /// Delete containers with their disks and snapshots, for good; backups stay.
    #[command(override_usage = "lxcctl delete TARGET… [flags]", after_help = help::DELETE, help_template = help::TEMPLATE)]
    Delete(DeleteArgs),
    /// Remove lxcd's record of containers; Proxmox is not touched.
    #[command(override_usage = "lxcctl forget TARGET… [flags]", after_help = help::FORGET, help_template = help::BARE)]
    Forget(ForgetArgs),
    /// Remove the lock that another script has left in Redis for ever.
    #[command(override_usage = "lxcctl unlock TARGET", after_help = help::UNLOCK, help_template = help::TEMPLATE)]
    Unlock(ShowArgs),
    /// Make a container, from a template or an OS image; asks on a terminal for what was not said.
    #[command(override_usage = "lxcctl create [NAME] [--template NAME | --image IMAGE] [-f FILE] [flags]", after_help = help::CREATE, help_template = help::TEMPLATE)]
    Create(Box<CreateArgs>),
    /// Import, list, show, make, edit, export and delete what containers are made from.
    #[command(override_usage = "lxcctl template [ls] | show | import | create | edit | export | delete", after_help = help::TEMPLATES, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Template(TemplateCommand),
    /// Keep package lists to choose for templates.
    #[command(override_usage = "lxcctl bucket [ls] | show | create | edit | add | remove | delete", after_help = help::BUCKETS, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Bucket(BucketCommand),
    /// Look at operations, follow, cancel or retry them.
    #[command(override_usage = "lxcctl op [ls] | show | log | watch | wait | cancel | retry | resolve ID", after_help = help::OP, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Op(OpCommand),
    /// Read who asked for what, when, and how it ended.
    #[command(override_usage = "lxcctl audit [ls] [flags]", after_help = help::AUDIT, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Audit(AuditCommand),
    /// Explain an error code.
    #[command(override_usage = "lxcctl explain [CODE]", after_help = help::EXPLAIN, help_template = help::TEMPLATE)]
    Explain(ExplainArgs),
    /// Add, test, trust and remove Proxmox installations.
    #[command(override_usage = "lxcctl remote [ls] | show | add | test | trust | set | remove", after_help = help::REMOTE, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Remote(RemoteCommand),
    /// Show how lxcd is, list those that share its database, drain one.
    #[command(override_usage = "lxcctl daemon [status] | ls | drain", after_help = help::DAEMON, help_template = help::TEMPLATE, args_conflicts_with_subcommands = true)]
    Daemon(DaemonCommand),
    /// Show who lxcd takes you for, and what you may do.
    #[command(override_usage = "lxcctl whoami", after_help = help::WHOAMI, help_template = help::BARE)]
    Whoami,
    /// Print the completion script of a shell.
    #[command(override_usage = "lxcctl completion bash|zsh|fish", after_help = help::COMPLETION, help_template = help::TEMPLATE)]
    Completion(CompletionArgs),
    /// Help on a command or a topic: selectors, exit-codes, output, flags.
    #[command(override_usage = "lxcctl help [COMMAND | selectors | exit-codes | output | flags]", after_help = help::HELP, help_template = help::TEMPLATE)]
    Help(HelpArgs),
}

/// `ls`
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Draw the list anew whenever something changes; ends with Ctrl-C.
    #[arg(long)]
    pub watch: bool,
    /// Which containers.
    #[command(flatten)]
    pub select: Select,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
    /// How current and complete it has to be.
    #[command(flatten)]
    pub lists: Lists,
}

/// `show`, `unlock`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The container: vmid, hostname or remote/vmid.
    #[arg(value_name = "TARGET", add = crate::complete::targets())]
    pub target: String,
    /// Only on this remote (LXCCTL_REMOTE).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, add = crate::complete::remotes())]
    pub remote: Option<String>,
}

/// `services`
#[derive(Debug, Args)]
pub struct ServicesArgs {
    /// The container: vmid, hostname or remote/vmid.
    #[arg(value_name = "TARGET", add = crate::complete::targets())]
    pub target: String,
    /// Only on this remote (LXCCTL_REMOTE).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, add = crate::complete::remotes())]
    pub remote: Option<String>,
    /// Look into the container now, over SSH to its node.
    #[arg(long)]
    pub refresh: bool,
    /// With what came with the distribution, which is folded away otherwise.
    #[arg(long)]
    pub system: bool,
    /// Show the secrets of a service; admins only, noted in the audit.
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["refresh", "system"])]
    pub reveal: Option<String>,
}

/// `summary`
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Which containers.
    #[command(flatten)]
    pub select: Select,
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code such as LXC0401; without one, all of them are listed.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// `completion`
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// bash, zsh or fish.
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
}

/// Shells with completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// Fish.
    Fish,
}

/// `help`
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A command or a topic.
    #[arg(value_name = "TOPIC")]
    pub topic: Vec<String>,
}

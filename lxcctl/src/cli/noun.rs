//! Flags of the nouns: op, remote, node, audit, events, daemon.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::groups::duration;
use super::{Lists, Select, Tables, help};

/// `op`
#[derive(Debug, Args)]
pub struct OpCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<OpVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub filter: OpFilter,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// What can be done with operations.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum OpVerb {
    /// List operations, the newest first.
    #[command(override_usage = "lxcctl op [ls] [TARGET…] [flags]", after_help = help::OP_LS, help_template = help::TEMPLATE)]
    Ls(OpList),
    /// Show one operation: who, when, its steps and tasks.
    #[command(override_usage = "lxcctl op show ID", after_help = help::OP_SHOW, help_template = help::TEMPLATE)]
    Show(OpId),
    /// Print the log of an operation.
    #[command(override_usage = "lxcctl op log ID [flags]", after_help = help::OP_LOG, help_template = help::TEMPLATE)]
    Log(OpLog),
    /// Follow an operation or a batch until it ends.
    #[command(override_usage = "lxcctl op watch ID… [flags]", after_help = help::OP_WATCH, help_template = help::TEMPLATE)]
    Watch(WatchOp),
    /// Wait in silence until operations end.
    #[command(override_usage = "lxcctl op wait ID… [flags]", after_help = help::OP_WAIT, help_template = help::TEMPLATE)]
    Wait(WatchOp),
    /// Cancel an operation or a batch.
    #[command(override_usage = "lxcctl op cancel ID [flags]", after_help = help::OP_CANCEL, help_template = help::TEMPLATE)]
    Cancel(CancelOp),
    /// Go on with a failed operation, as a new one.
    #[command(override_usage = "lxcctl op retry ID [flags]", after_help = help::OP_RETRY, help_template = help::TEMPLATE)]
    Retry(RetryOp),
    /// Say how an operation ended that nobody knows the end of.
    #[command(override_usage = "lxcctl op resolve ID --as succeeded|failed", after_help = help::OP_RESOLVE, help_template = help::TEMPLATE)]
    Resolve(ResolveOp),
}

/// `op ls`
#[derive(Debug, Clone, Default, Args)]
pub struct OpList {
    /// Which operations.
    #[command(flatten)]
    pub filter: OpFilter,
    /// On which containers.
    #[command(flatten)]
    pub select: Select,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// Which operations.
#[derive(Debug, Clone, Default, Args)]
pub struct OpFilter {
    /// Only in this state: queued, running, succeeded, failed, cancelled or needs_attention.
    #[arg(long, value_name = "STATE")]
    pub state: Vec<String>,
    /// Only this verb.
    #[arg(long, value_name = "VERB")]
    pub verb: Option<String>,
    /// Only by this person.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only of the last 10m, 2h, 3d.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// At most so many.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
}

/// One operation.
#[derive(Debug, Clone, Args)]
pub struct OpId {
    /// The operation: its last eight digits or all of them; a batch too.
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `op log`
#[derive(Debug, Clone, Args)]
pub struct OpLog {
    /// The operation: its last eight digits or all of them.
    #[arg(value_name = "ID")]
    pub id: String,
    /// At most the last so many lines.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 2000)]
    pub limit: u32,
}

/// `op watch`, `op wait`
#[derive(Debug, Clone, Args)]
pub struct WatchOp {
    /// Operations or batches: their last eight digits or all of them.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// How long this command waits; 0 = for ever.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0")]
    pub timeout: Duration,
    /// Exit 12 when it was done with warnings.
    #[arg(long)]
    pub fail_on_warnings: bool,
}

/// `op cancel`
#[derive(Debug, Clone, Args)]
pub struct CancelOp {
    /// The operation or batch.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Give up on a node that does not answer: the outcome is then unknown.
    #[arg(long)]
    pub abandon: bool,
}

/// `op retry`
#[derive(Debug, Clone, Args)]
pub struct RetryOp {
    /// The operation or batch.
    #[arg(value_name = "ID")]
    pub id: String,
    /// How long this command waits; 0 = for ever.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0")]
    pub timeout: Duration,
    /// Do not wait at all.
    #[arg(long)]
    pub detach: bool,
    /// Your own key (a UUID): the same one again returns the same operations.
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<String>,
    /// Exit 12 when it was done with warnings.
    #[arg(long)]
    pub fail_on_warnings: bool,
}

/// `op resolve`
#[derive(Debug, Clone, Args)]
pub struct ResolveOp {
    /// The operation.
    #[arg(value_name = "ID")]
    pub id: String,
    /// How it ended: succeeded or failed.
    #[arg(long = "as", value_name = "OUTCOME", value_parser = ["succeeded", "failed"], hide_possible_values = true)]
    pub outcome: String,
}

/// `events`
#[derive(Debug, Clone, Args)]
pub struct EventsArgs {
    /// Go on with what happens; ends with Ctrl-C.
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Only after this cursor.
    #[arg(long, value_name = "CURSOR")]
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
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// Of which containers.
    #[command(flatten)]
    pub select: Select,
    /// Without the first line.
    #[arg(long, hide_short_help = true)]
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
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
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
    #[command(override_usage = "lxcctl node [ls] [flags]", after_help = help::NODE, help_template = help::BARE)]
    Ls(NodeList),
}

/// `node ls`
#[derive(Debug, Clone, Default, Args)]
pub struct NodeList {
    /// Only on this remote (LXCCTL_REMOTE).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, hide_short_help = true)]
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
}

/// `remote`
#[derive(Debug, Args)]
pub struct RemoteCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<RemoteVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub tables: Tables,
}

/// What can be done with remotes.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum RemoteVerb {
    /// List remotes.
    #[command(override_usage = "lxcctl remote [ls] [flags]", after_help = help::REMOTE_LS, help_template = help::BARE)]
    Ls(Tables),
    /// Show one remote: URLs, pins, nodes.
    #[command(override_usage = "lxcctl remote show NAME", after_help = help::REMOTE_SHOW, help_template = help::TEMPLATE)]
    Show(RemoteName),
    /// Register a Proxmox installation.
    #[command(override_usage = "lxcctl remote add NAME URL --token-id 'USER@REALM!TOKEN' [flags]", after_help = help::REMOTE_ADD, help_template = help::TEMPLATE)]
    Add(AddRemote),
    /// Ask every URL of a remote: does it answer, is it trusted, is the token good?
    #[command(override_usage = "lxcctl remote test NAME", after_help = help::REMOTE_TEST, help_template = help::TEMPLATE)]
    Test(RemoteName),
    /// Compare the certificates shown now with the pinned ones; --rotate takes the new ones.
    #[command(override_usage = "lxcctl remote trust NAME [--rotate]", after_help = help::REMOTE_TRUST, help_template = help::TEMPLATE)]
    Trust(TrustRemote),
    /// Change a remote: its name, URL, token, or whether it is the default.
    #[command(override_usage = "lxcctl remote set NAME [flags]", after_help = help::REMOTE_SET, help_template = help::TEMPLATE)]
    Set(SetRemote),
    /// Forget a remote with all records of its containers; Proxmox is not touched.
    #[command(override_usage = "lxcctl remote remove NAME [flags]", after_help = help::REMOTE_REMOVE, help_template = help::TEMPLATE)]
    Remove(RemoveRemote),
}

/// One remote.
#[derive(Debug, Clone, Args)]
pub struct RemoteName {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
}

/// Where the token's secret comes from; never the command line, which everybody can read.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub struct Secret {
    /// Read the token's secret from this file.
    #[arg(long, value_name = "FILE")]
    pub token_secret_file: Option<PathBuf>,
    /// Read the token's secret from stdin.
    #[arg(long)]
    pub token_secret_stdin: bool,
}

/// `remote add`
#[derive(Debug, Clone, Args)]
pub struct AddRemote {
    /// What it will be called here.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// https://HOST:8006
    #[arg(value_name = "URL")]
    pub url: String,
    /// The token: USER@REALM!TOKEN.
    #[arg(long, value_name = "ID")]
    pub token_id: String,
    /// Its secret; asked for where neither is given.
    #[command(flatten)]
    pub secret: Secret,
    /// SHA-256 of the certificate, as `pvenode cert info` says it; then nothing is asked.
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<String>,
    /// Trust certificates of this CA (PEM).
    #[arg(long, value_name = "FILE", conflicts_with = "fingerprint")]
    pub ca: Option<PathBuf>,
    /// Make it the default remote.
    #[arg(long)]
    pub default: bool,
}

/// `remote trust`
#[derive(Debug, Clone, Args)]
pub struct TrustRemote {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
    /// Take the certificates shown now, after showing them.
    #[arg(long)]
    pub rotate: bool,
    /// Answer every question with yes.
    #[arg(short = 'y', long)]
    pub yes: bool,
}

/// `remote set`
#[derive(Debug, Clone, Args)]
pub struct SetRemote {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
    /// A new name.
    #[arg(long = "name", value_name = "NEW")]
    pub new_name: Option<String>,
    /// Make it the default remote.
    #[arg(long, conflicts_with = "no_default")]
    pub default: bool,
    /// It is the default no more.
    #[arg(long)]
    pub no_default: bool,
    /// Another URL of the same installation.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Another token: USER@REALM!TOKEN. Its secret is asked for.
    #[arg(long, value_name = "ID")]
    pub token_id: Option<String>,
    /// The secret of the token.
    #[command(flatten)]
    pub secret: Secret,
    /// SHA-256 of the certificate behind --url.
    #[arg(long, value_name = "SHA256", requires = "url")]
    pub fingerprint: Option<String>,
}

/// `remote remove`
#[derive(Debug, Clone, Args)]
pub struct RemoveRemote {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
    /// Answer the question with yes.
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

//! Flags of `op`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{count, duration};
use super::{Select, Tables, help};

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
    /// Only in this state: queued (waiting), running, succeeded, failed, cancelled or needs_attention (unknown).
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
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value_t = 50)]
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
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value_t = 2000)]
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
    /// The operation.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Begin with this step instead of the first that is not done: its number or name in op show
    /// (script:10-user.sh); none later than that.
    #[arg(long, value_name = "STEP")]
    pub from: Option<String>,
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

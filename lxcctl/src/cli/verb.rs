//! Flags of the verbs.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Select;
use super::values::{duration, some};

/// What happens to the rest when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnError {
    /// They go on.
    #[default]
    Continue,
    /// What has not begun does not begin.
    Stop,
}

/// Waiting, repeating, asking: flags of every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Verbs")]
pub struct Waiting {
    /// How long this command waits; the operation goes on. 0 = for ever
    /// (default: start, stop 60s; delete 120s; shutdown, restart grace + 60s).
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true)]
    pub timeout: Option<Duration>,
    /// Do not wait at all.
    #[arg(long, hide_short_help = true, conflicts_with = "timeout")]
    pub detach: bool,
    /// Check everything, say what would be called, call nothing.
    #[arg(long, hide_short_help = true, conflicts_with = "detach")]
    pub dry_run: bool,
    /// Already so is a success.
    #[arg(long, hide_short_help = true)]
    pub if_needed: bool,
    /// Wait so long for a lock instead of refusing at once; 0 = for ever.
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true)]
    pub wait_lock: Option<Duration>,
    /// Your own key (a UUID): the same one again returns the same operations.
    #[arg(long, value_name = "UUID", hide_short_help = true)]
    pub request_id: Option<String>,
    /// Exit 12 when it was done with warnings.
    #[arg(long, hide_short_help = true)]
    pub fail_on_warnings: bool,
    /// Answer every question with yes.
    #[arg(short = 'y', long, hide_short_help = true)]
    pub yes: bool,
}

/// Many targets at once.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Many targets")]
pub struct Batch {
    /// At most so many at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, hide_short_help = true, value_parser = some)]
    pub max_parallel: u32,
    /// At most so many at the same time on one node.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = some)]
    pub max_per_node: Option<u32>,
    /// When one fails: continue or stop.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "continue",
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub on_error: OnError,
    /// Time between two beginnings.
    #[arg(long, value_name = "TIME", value_parser = duration, hide_short_help = true)]
    pub pause: Option<Duration>,
    /// Refuse if there are more targets than this.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = some)]
    pub at_most: Option<u32>,
}

/// `start`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct StartArgs {
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

/// `stop`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct StopArgs {
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

/// Time to stop by itself.
#[derive(Debug, Clone, Args)]
pub struct Grace {
    /// Seconds (or 90s, 5m) until Proxmox kills it.
    #[arg(long, value_name = "TIME", value_parser = grace, default_value = "30s")]
    pub grace: Duration,
    /// Never kill; fail when it does not stop.
    #[arg(long)]
    pub no_force: bool,
}

fn grace(text: &str) -> Result<Duration, String> {
    let given = duration(text)?;
    if given.as_secs() == 0 {
        return Err("a grace of 0 would be a kill, and that is `lxcctl stop`".to_owned());
    }
    if given.as_secs() > 24 * 60 * 60 {
        return Err("a grace is at most 1d".to_owned());
    }
    Ok(given)
}

/// `shutdown`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct ShutdownArgs {
    #[command(flatten)]
    pub grace: Grace,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

/// `restart`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct RestartArgs {
    #[command(flatten)]
    pub grace: Grace,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

/// `delete`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct DeleteArgs {
    /// Delete disks of that vmid that no config refers to as well. Proxmox finds them by number alone:
    /// on shared storage they may be another installation's. They are listed before the question.
    #[arg(long)]
    pub destroy_unreferenced_disks: bool,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

/// `forget`
#[derive(Debug, Clone, Args)]
#[expect(missing_docs, reason = "the groups are documented where they are defined")]
pub struct ForgetArgs {
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub batch: Batch,
}

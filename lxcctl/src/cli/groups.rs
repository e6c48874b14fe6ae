//! The groups of flags: of every command, of lists, of verbs' targets. A command that does not take a
//! group refuses its flags. Hidden in a command's own help, which names the groups only.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use lxc_core::selector::Selection;

use crate::ui::printer::Colour;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For people with a wide screen: every column.
    Wide,
    /// One object, indented.
    Json,
    /// One object a line, as things happen.
    Jsonl,
    /// The same fields as YAML.
    Yaml,
    /// Only remote/vmid (or an id), one a line.
    Name,
}

impl Format {
    /// True for table and wide.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// True where errors of the call are one JSON line.
    #[must_use]
    pub fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProgressMode {
    /// Moving lines on a terminal, else a line per change.
    #[default]
    Auto,
    /// A line per change.
    Plain,
    /// None.
    None,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Every command")]
pub struct Global {
    /// lxcd's socket (LXCCTL_SOCKET; default: $XDG_RUNTIME_DIR/lxcd/lxcd.sock, for root /run/lxcd/lxcd.sock).
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "LXCCTL_SOCKET",
        hide_env = true,
        hide_short_help = true
    )]
    pub socket: Option<PathBuf>,
    /// How the answer is written: table, wide, json, jsonl, yaml or name.
    #[arg(
        short = 'o',
        long = "output",
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub output: Format,
    /// Colours: auto, always or never (NO_COLOR means never).
    #[arg(
        long = "color",
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub colour: Colour,
    /// Progress: auto, plain or none.
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        default_value = "auto",
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub progress: ProgressMode,
    /// Silent unless something is wrong.
    #[arg(short = 'q', long, global = true, hide_short_help = true)]
    pub quiet: bool,
    /// Say more: Proxmox's own words behind an error.
    #[arg(short = 'v', long, global = true, hide_short_help = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// This help.
    #[arg(short = 'h', long, global = true, action = ArgAction::HelpShort, hide_short_help = true)]
    pub help: Option<bool>,
}

/// Which containers.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Targets")]
pub struct Select {
    /// vmid, hostname, remote/vmid or a glob such as 'web-*' (lxcctl help selectors).
    #[arg(value_name = "TARGET", hide_short_help = true, add = crate::complete::targets())]
    pub targets: Vec<String>,
    /// Only containers with these properties: 'tag=web,status=running|stopped'; repeated means AND.
    #[arg(short = 'l', long = "selector", value_name = "KEY=VALUE", hide_short_help = true)]
    pub labels: Vec<String>,
    /// All containers; over several remotes it needs --remote.
    #[arg(long, hide_short_help = true, conflicts_with = "targets")]
    pub all: bool,
    /// Only on this remote (LXCCTL_REMOTE).
    #[arg(long, value_name = "NAME", env = "LXCCTL_REMOTE", hide_env = true, hide_short_help = true, add = crate::complete::remotes())]
    pub remote: Option<String>,
}

impl Select {
    /// The selection as core reads it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            targets: self.targets.clone(),
            labels: self.labels.clone(),
            all: self.all,
            remote: self.remote.clone().filter(|name| !name.is_empty()),
        }
    }
}

/// How a table looks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Lists")]
pub struct Tables {
    /// Columns: target,name for these, +disk,-cpu for more and fewer.
    #[arg(long, value_name = "COLUMNS", hide_short_help = true, allow_hyphen_values = true)]
    pub columns: Option<String>,
    /// Order: -memory,name; a minus turns it round.
    #[arg(long, value_name = "COLUMNS", hide_short_help = true, allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Without the first line.
    #[arg(long, hide_short_help = true)]
    pub no_headers: bool,
}

/// How current and complete a list has to be.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Lists")]
pub struct Lists {
    /// Ask Proxmox now instead of trusting an answer a few seconds old.
    #[arg(long, hide_short_help = true)]
    pub fresh: bool,
    /// Ask now, and exit 9 when something could not be asked.
    #[arg(long, hide_short_help = true)]
    pub strict: bool,
}

impl Lists {
    /// Whether Proxmox is asked first. A strict list is judged by what is there now, not by the last round.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.fresh || self.strict
    }
}

/// Microseconds of a duration, as they travel.
#[must_use]
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

//! Flags of `bucket`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::manager;
use super::{Tables, help};

/// `bucket`
#[derive(Debug, Args)]
pub struct BucketCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<BucketVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub tables: Tables,
}

/// What can be done with buckets.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum BucketVerb {
    /// List buckets.
    #[command(override_usage = "lxcctl bucket [ls] [flags]", after_help = help::BUCKET_LS, help_template = help::TEMPLATE)]
    Ls(BucketList),
    /// Show the packages of one bucket.
    #[command(override_usage = "lxcctl bucket show NAME", after_help = help::BUCKET_SHOW, help_template = help::TEMPLATE)]
    Show(BucketName),
    /// Make a bucket in your editor, or from a text.
    #[command(override_usage = "lxcctl bucket create NAME [-f FILE]", after_help = help::BUCKET_CREATE, help_template = help::TEMPLATE)]
    Create(EditBucket),
    /// Change a bucket in your editor, or by a text.
    #[command(override_usage = "lxcctl bucket edit NAME [-f FILE]", after_help = help::BUCKET_EDIT, help_template = help::TEMPLATE)]
    Edit(EditBucket),
    /// Add packages to a bucket; one that is there takes the version given here.
    #[command(override_usage = "lxcctl bucket add NAME PACKAGE… --manager MANAGER", after_help = help::BUCKET_ADD, help_template = help::TEMPLATE)]
    Add(ChangeBucket),
    /// Take packages from a bucket.
    #[command(override_usage = "lxcctl bucket remove NAME PACKAGE… --manager MANAGER", after_help = help::BUCKET_REMOVE, help_template = help::TEMPLATE)]
    Remove(ChangeBucket),
    /// Delete a bucket; templates keep what was copied from it.
    #[command(override_usage = "lxcctl bucket delete NAME [flags]", after_help = help::BUCKET_DELETE, help_template = help::TEMPLATE)]
    Delete(DeleteBucket),
}

/// `bucket ls`
#[derive(Debug, Clone, Default, Args)]
pub struct BucketList {
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// One bucket.
#[derive(Debug, Clone, Args)]
pub struct BucketName {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::buckets())]
    pub name: String,
}

/// `bucket create`, `bucket edit`
#[derive(Debug, Clone, Args)]
pub struct EditBucket {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::buckets())]
    pub name: String,
    /// Take the text (TOML) from a file instead of an editor; - is standard input.
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// `bucket add`, `bucket remove`
#[derive(Debug, Clone, Args)]
pub struct ChangeBucket {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::buckets())]
    pub name: String,
    /// Packages, with their versions if wanted.
    #[arg(value_name = "PACKAGE", required_unless_present = "file")]
    pub packages: Vec<String>,
    /// Who installs them: apt, apk, dnf, npm, pip or custom.
    #[arg(short = 'm', long, value_name = "MANAGER", value_parser = manager)]
    pub manager: String,
    /// More packages from a file, one a line; - is standard input.
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// `bucket delete`
#[derive(Debug, Clone, Args)]
pub struct DeleteBucket {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::buckets())]
    pub name: String,
    /// Answer the question with yes.
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

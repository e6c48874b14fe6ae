//! Flags of `template`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Tables, help};

/// `template`
#[derive(Debug, Args)]
pub struct TemplateCommand {
    /// Without a word: ls.
    #[command(subcommand)]
    pub command: Option<TemplateVerb>,
    /// Flags of ls.
    #[command(flatten)]
    pub list: TemplateList,
}

/// What can be done with templates.
#[derive(Debug, Subcommand)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
pub enum TemplateVerb {
    /// List templates.
    #[command(override_usage = "lxcctl template [ls] [flags]", after_help = help::TEMPLATE_LS, help_template = help::TEMPLATE)]
    Ls(TemplateList),
    /// Show one template: settings, scripts, files, packages.
    #[command(override_usage = "lxcctl template show NAME", after_help = help::TEMPLATE_SHOW, help_template = help::TEMPLATE)]
    Show(TemplateName),
    /// Import the template of a directory, or every one of a tree; what is there already is replaced.
    #[command(override_usage = "lxcctl template import DIR [--dry-run]", after_help = help::TEMPLATE_IMPORT, help_template = help::TEMPLATE)]
    Import(ImportTemplate),
    /// Make a template in your editor, or from a text.
    #[command(override_usage = "lxcctl template create NAME [-f FILE]", after_help = help::TEMPLATE_CREATE, help_template = help::TEMPLATE)]
    Create(EditTemplate),
    /// Change a template in your editor, or by a text.
    #[command(override_usage = "lxcctl template edit NAME [-f FILE]", after_help = help::TEMPLATE_EDIT, help_template = help::TEMPLATE)]
    Edit(EditTemplate),
    /// Write a template to a directory that imports as the same.
    #[command(override_usage = "lxcctl template export NAME DIR", after_help = help::TEMPLATE_EXPORT, help_template = help::TEMPLATE)]
    Export(ExportTemplate),
    /// Delete a template; containers made from it stay as they are.
    #[command(override_usage = "lxcctl template delete NAME [flags]", after_help = help::TEMPLATE_DELETE, help_template = help::TEMPLATE)]
    Delete(DeleteTemplate),
}

/// `template ls`
#[derive(Debug, Clone, Default, Args)]
pub struct TemplateList {
    /// Only templates with these properties: 'tag=web,os=debian|alpine', name, tag and os; repeated means AND.
    #[arg(short = 'l', long = "selector", value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// How the list looks.
    #[command(flatten)]
    pub tables: Tables,
}

/// One template.
#[derive(Debug, Clone, Args)]
pub struct TemplateName {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::templates())]
    pub name: String,
}

/// `template import`
#[derive(Debug, Clone, Args)]
pub struct ImportTemplate {
    /// A directory with a template.conf, or one with such directories somewhere below it.
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    pub dry_run: bool,
}

/// `template create`, `template edit`
#[derive(Debug, Clone, Args)]
pub struct EditTemplate {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::templates())]
    pub name: String,
    /// Take the text (TOML) from a file instead of an editor; - is standard input.
    #[arg(short = 'f', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// `template export`
#[derive(Debug, Clone, Args)]
pub struct ExportTemplate {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::templates())]
    pub name: String,
    /// The directory to write to: a new or an empty one.
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: PathBuf,
}

/// `template delete`
#[derive(Debug, Clone, Args)]
pub struct DeleteTemplate {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::templates())]
    pub name: String,
    /// Answer the question with yes.
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
}

//! Flags of `remote`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{SshFlags, Tables, help};

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
    #[command(override_usage = "lxcctl remote add NAME URL [URL…] --token-id 'USER@REALM!TOKEN' [flags]", after_help = help::REMOTE_ADD, help_template = help::TEMPLATE)]
    Add(AddRemote),
    /// Ask every URL of a remote whether it answers, is trusted and takes the token.
    #[command(override_usage = "lxcctl remote test NAME", after_help = help::REMOTE_TEST, help_template = help::TEMPLATE)]
    Test(RemoteName),
    /// Look at everything about a remote that can be wrong: reach, certificates, token, privileges, clocks.
    #[command(override_usage = "lxcctl remote doctor NAME", after_help = help::REMOTE_DOCTOR, help_template = help::TEMPLATE)]
    Doctor(RemoteName),
    /// Compare the certificates shown now with the pinned ones; --rotate takes the new ones.
    #[command(override_usage = "lxcctl remote trust NAME [--rotate]", after_help = help::REMOTE_TRUST, help_template = help::TEMPLATE)]
    Trust(TrustRemote),
    /// Change a remote: its name, URL, token, SSH access, or whether it is the default.
    #[command(override_usage = "lxcctl remote set NAME [flags]", after_help = help::REMOTE_SET, help_template = help::TEMPLATE)]
    Set(SetRemote),
    /// Use a Proxmox token or user of your own for what you do on a remote.
    #[command(override_usage = "lxcctl remote login NAME --token-id 'USER@REALM!TOKEN' | --user USER@REALM [flags]", after_help = help::REMOTE_LOGIN, help_template = help::TEMPLATE)]
    Login(LoginRemote),
    /// Go back to the remote's own token.
    #[command(override_usage = "lxcctl remote logout NAME", after_help = help::REMOTE_LOGOUT, help_template = help::TEMPLATE)]
    Logout(RemoteName),
    /// Share a remote with a user or a group; others who do not own it do not see it.
    #[command(override_usage = "lxcctl remote share NAME USER|@GROUP --role ROLE [--domain DOMAIN]", after_help = help::REMOTE_SHARE, help_template = help::TEMPLATE)]
    Share(ShareRemote),
    /// Share a remote with a user or a group no longer.
    #[command(override_usage = "lxcctl remote unshare NAME USER|@GROUP [--domain DOMAIN]", after_help = help::REMOTE_UNSHARE, help_template = help::TEMPLATE)]
    Unshare(UnshareRemote),
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
    /// https://HOST:8006, and more URLs of the same installation, asked when the ones before do not answer.
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// The token: USER@REALM!TOKEN.
    #[arg(long, value_name = "ID")]
    pub token_id: String,
    /// Its secret; asked for where neither is given.
    #[command(flatten)]
    pub secret: Secret,
    /// SHA-256 of the certificate, as `pvenode cert info` says it; then nothing is asked. Repeated: of each URL,
    /// in their order.
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Vec<String>,
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
    /// Other URLs of the same installation, the preferred one first; they replace all there were.
    #[arg(long, value_name = "URL")]
    pub url: Vec<String>,
    /// Another token: USER@REALM!TOKEN. Its secret is asked for.
    #[arg(long, value_name = "ID")]
    pub token_id: Option<String>,
    /// The secret of the token.
    #[command(flatten)]
    pub secret: Secret,
    /// SHA-256 of the certificate behind --url, once for each of them.
    #[arg(long, value_name = "SHA256", requires = "url")]
    pub fingerprint: Vec<String>,
    /// SSH.
    #[command(flatten)]
    pub ssh: SshFlags,
}

/// `remote login`
#[derive(Debug, Clone, Args)]
pub struct LoginRemote {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
    /// Your token: USER@REALM!TOKEN.
    #[arg(long, value_name = "ID", required_unless_present = "user")]
    pub token_id: Option<String>,
    /// Without a token: your user, USER@REALM, with the password. One with a second factor needs a token.
    #[arg(long, value_name = "USER", conflicts_with = "token_id")]
    pub user: Option<String>,
    /// The secret or the password; asked for where neither is given.
    #[command(flatten)]
    pub secret: Secret,
}

/// `remote unshare`
#[derive(Debug, Clone, Args)]
pub struct UnshareRemote {
    /// Its name.
    #[arg(value_name = "NAME", add = crate::complete::remotes())]
    pub name: String,
    /// A user (bob) or a group (@dev).
    #[arg(value_name = "USER|@GROUP")]
    pub who: String,
    /// Identity domain of that name; yours without it (lxcctl whoami).
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
}

/// `remote share`
#[derive(Debug, Clone, Args)]
pub struct ShareRemote {
    /// With whom.
    #[command(flatten)]
    pub with: UnshareRemote,
    /// As what: viewer, operator or admin.
    #[arg(long, value_name = "ROLE", value_parser = ["viewer", "operator", "admin"])]
    pub role: String,
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
